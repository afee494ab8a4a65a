// What each end of a connection may still do, in TCP's terms (tcp(7)) and in Unix' (unix(7)).
#include <ringlet/testing/stream_socket.hpp>

#include <ringlet/testing/network.hpp>
#include <ringlet/testing/socket_names.hpp>

#include <algorithm>
#include <poll.h>
#include <sys/socket.h>

namespace ringlet::testing {

void StreamSocket::open(int family) {
    start_anew(family);
    state_ = State::fresh;
    read_shut_ = write_shut_ = peer_ended_ = cut_ = false;
    swallowed_ = 0;
    backlog_ = waiting_ = 0;
    peer_ = nullptr;
    drop_received();
    taken_ = 0;
}

void StreamSocket::drop_received() {
    received_.clear();
    while (passed_count_ > 0)
        passed_[--passed_count_].rights.drop();
}

void StreamSocket::listen(unsigned backlog) {
    state_ = State::listening;
    backlog_ = backlog;
}

void StreamSocket::connect(StreamSocket& peer) {
    peer_ = &peer;
    peer.peer_ = this;
    state_ = peer.state_ = State::connected;
}

void StreamSocket::tell_name() {
    if (peer_ != nullptr) peer_->remote = local;
}

void StreamSocket::enqueue(StreamSocket& embryo) {
    line_.push_back(embryo);
    ++waiting_;
}

int StreamSocket::accept(StreamSocket*& out) {
    if (state_ != State::listening) return -EINVAL;
    out = line_.pop_front();
    if (out == nullptr) return read_shut_ ? -EINVAL : would_block;
    --waiting_;
    return 0;
}

// What was received before the connection ended or broke can still be read; then the error comes
// once, then the end.
int StreamSocket::receive(Incoming& in) {
    if (state_ == State::fresh || state_ == State::listening) {
        if (is_unix()) return -EINVAL;
        return read_shut_ ? 0 : -ENOTCONN;
    }
    if (!received_.empty()) return take(in);
    // TCP saw the peer's end before anything else broke; a Unix peer's error outranks its end.
    if (peer_ended_ && !is_unix()) return 0;
    if (error_ != 0) return take_error();
    return peer_ended_ || read_shut_ || state_ == State::broken ? 0 : would_block;
}

int StreamSocket::take(Incoming& in) {
    std::size_t size = in.into.size();
    // A receive of nothing takes descriptors, too.
    if (passed_count_ > 0 && passed_[0].begin < taken_ + std::max<std::size_t>(size, 1)) {
        size = static_cast<std::size_t>(std::min<std::uint64_t>(size, passed_[0].end - taken_));
        in.rights = std::move(passed_[0].rights);
        std::move(passed_.begin() + 1, passed_.begin() + passed_count_, passed_.begin());
        --passed_count_;
    }
    if (is_unix() && !unix_name(remote).empty()) in.from = remote;
    // TCP throws away what is asked for with MSG_TRUNC (tcp(7)).
    const bool discards = in.whole_size && !is_unix();
    const std::size_t count =
        discards ? received_.discard(size) : received_.take(in.into.first(size));
    taken_ += count;
    return static_cast<int>(count);
}

// TCP takes no notice of descriptors, nor of an address.
int StreamSocket::put(Outgoing& out) {
    StreamSocket& to = *peer_;
    const bool passes = is_unix() && !out.rights.empty();
    if (passes && to.passed_count_ == to.passed_.size()) return would_block;
    const std::uint64_t begin = to.taken_ + to.received_.size();
    const std::size_t count = to.received_.put(out.bytes);
    if (count == 0) return would_block;
    if (passes) {
        Passed& passed = to.passed_[to.passed_count_++];
        passed.begin = begin;
        passed.end = begin + count;
        passed.rights = std::move(out.rights);
    }
    return static_cast<int>(count);
}

int StreamSocket::send(Outgoing& out) {
    if (is_unix() && out.to != nullptr) return was_connected() ? -EISCONN : -EOPNOTSUPP;
    if (state_ == State::fresh || state_ == State::listening) return is_unix() ? -ENOTCONN : -EPIPE;
    if (error_ != 0 && !is_unix()) return take_error();
    if (write_shut_ || state_ == State::broken) return -EPIPE;
    if (out.bytes.empty()) return 0;
    // What comes after it has said goodbye, and does not read, TCP answers with a reset.
    const bool unwanted = peer_ != nullptr && peer_->read_shut_ && peer_->write_shut_;
    if (unwanted && !is_unix()) {
        abort();
        return static_cast<int>(out.bytes.size());
    }
    if (peer_ != nullptr) return put(out);
    if (cut_) return swallow(out);
    if (is_unix()) return -EPIPE;
    // TCP learns only from the answer to these bytes that nobody is there any more.
    reset();
    return static_cast<int>(out.bytes.size());
}

int StreamSocket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    const bool reading = how != SHUT_WR;
    const bool writing = how != SHUT_RD;
    if (state_ == State::listening && !is_unix()) {
        if (reading) drop_waiting();
        if (reading) state_ = State::fresh;
        return 0;
    }
    // Without a connection, too, it takes effect.
    const bool refuses = !is_unix() && !has_peer();
    read_shut_ |= reading;
    write_shut_ |= writing;
    if (refuses) return -ENOTCONN;
    if (peer_ == nullptr) return 0;
    if (writing) peer_->peer_ended_ = true;
    // Only a Unix peer is told that nobody listens any more.
    if (reading && is_unix()) peer_->write_shut_ = true;
    return 0;
}

// The peer answered with RST. After its FIN, that means EPIPE (tcp_reset() in the kernel).
void StreamSocket::reset() {
    error_ = peer_ended_ && !is_unix() ? -EPIPE : -ECONNRESET;
    state_ = State::broken;
    read_shut_ = write_shut_ = true;
    if (peer_ != nullptr) peer_->peer_ = nullptr;
    peer_ = nullptr;
}

void StreamSocket::abort() {
    if (state_ != State::connected) return;
    StreamSocket* peer = peer_;
    reset();
    if (peer != nullptr) peer->reset();
}

void StreamSocket::cut() {
    if (state_ != State::connected || is_unix() || peer_ == nullptr) return;
    peer_->cut_ = cut_ = true;
    peer_->peer_ = nullptr;
    peer_ = nullptr;
}

// What is not acknowledged stays in the send buffer, until that is full.
int StreamSocket::swallow(const Outgoing& out) {
    const std::size_t count = std::min(out.bytes.size(), received_.capacity() - swallowed_);
    swallowed_ += count;
    return count == 0 ? would_block : static_cast<int>(count);
}

void StreamSocket::drop_waiting() {
    while (StreamSocket* embryo = line_.pop_front()) {
        if (embryo->peer_ != nullptr) embryo->peer_->reset();
        embryo->release();
    }
    waiting_ = 0;
}

void StreamSocket::closed() {
    drop_waiting();
    network_.forget(*this);
    const bool unread = !received_.empty() && !is_over();
    drop_received();
    if (peer_ == nullptr) return;
    // Closing over unread bytes tells the peer that they were lost.
    if (unread) {
        peer_->reset();
        return;
    }
    peer_->peer_ended_ = true;
    peer_->peer_ = nullptr;
    if (is_unix()) peer_->write_shut_ = true;
    peer_ = nullptr;
}

unsigned StreamSocket::ready() const {
    if (was_connected()) return connection_ready();
    unsigned events = 0;
    if (read_shut_) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (state_ == State::fresh) return events | POLLOUT | POLLWRNORM | POLLHUP;
    if (waiting_ != 0) events |= POLLIN | POLLRDNORM;
    return read_shut_ && write_shut_ ? events | POLLHUP : events;
}

unsigned StreamSocket::connection_ready() const {
    const bool no_reading = read_shut_ || peer_ended_;
    unsigned events = 0;
    if (!received_.empty() || no_reading) events |= POLLIN | POLLRDNORM;
    if (no_reading) events |= POLLRDHUP;
    const bool room =
        cut_ ? swallowed_ < received_.capacity() : peer_ == nullptr || peer_->received_.room() != 0;
    if (write_shut_ || room) events |= POLLOUT | POLLWRNORM;
    if (no_reading && write_shut_) events |= POLLHUP;
    if (error_ != 0) events |= POLLERR;
    return events;
}

}  // namespace ringlet::testing
