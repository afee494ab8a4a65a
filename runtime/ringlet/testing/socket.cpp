// What each end of a connection may still do, in TCP's terms (tcp(7)) and in Unix' (unix(7)).
#include <ringlet/testing/socket.hpp>

#include <ringlet/testing/network.hpp>

#include <poll.h>
#include <sys/socket.h>

namespace ringlet::testing {

bool Socket::is_unix() const {
    return family_ == AF_UNIX;
}

void Socket::open(int family) {
    family_ = family;
    state_ = State::fresh;
    local = remote = {};
    node = -1;
    reuse_address = read_shut_ = write_shut_ = peer_ended_ = false;
    error_ = 0;
    backlog_ = waiting_ = options_count_ = 0;
    peer_ = nullptr;
    received_.clear();
}

void Socket::listen(unsigned backlog) {
    state_ = State::listening;
    backlog_ = backlog;
}

void Socket::connect(Socket& peer) {
    peer_ = &peer;
    peer.peer_ = this;
    state_ = peer.state_ = State::connected;
}

void Socket::enqueue(Socket& embryo) {
    line_.push_back(embryo);
    ++waiting_;
}

int Socket::accept(Socket*& out) {
    if (state_ != State::listening) return -EINVAL;
    out = line_.pop_front();
    if (out == nullptr) return would_block;
    --waiting_;
    return 0;
}

// What was received before the connection ended or broke can still be read; then the error comes
// once, then the end.
int Socket::receive(std::span<std::byte> out) {
    if (state_ == State::fresh || state_ == State::listening)
        return is_unix() ? -EINVAL : -ENOTCONN;
    if (out.empty()) return 0;
    if (!received_.empty()) return static_cast<int>(received_.take(out));
    // TCP saw the peer's end before anything else broke; a Unix peer's error outranks its end.
    if (peer_ended_ && !is_unix()) return 0;
    if (error_ != 0) return take_error();
    return peer_ended_ || read_shut_ || state_ == State::broken ? 0 : would_block;
}

int Socket::send(std::span<const std::byte> in) {
    if (state_ == State::fresh || state_ == State::listening) return is_unix() ? -ENOTCONN : -EPIPE;
    if (error_ != 0 && !is_unix()) return take_error();
    if (write_shut_ || state_ == State::broken) return -EPIPE;
    if (in.empty()) return 0;
    if (peer_ == nullptr) {
        if (is_unix()) return -EPIPE;
        // TCP learns only from the answer to these bytes that nobody is there any more.
        reset();
        return static_cast<int>(in.size());
    }
    const std::size_t count = peer_->received_.put(in);
    return count == 0 ? would_block : static_cast<int>(count);
}

int Socket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    const bool reading = how != SHUT_WR;
    const bool writing = how != SHUT_RD;
    if (state_ == State::listening) {
        if (reading) drop_waiting();
        if (reading) state_ = State::fresh;
        return 0;
    }
    if (state_ != State::connected) return is_unix() && state_ == State::broken ? 0 : -ENOTCONN;
    read_shut_ |= reading;
    write_shut_ |= writing;
    if (peer_ == nullptr) return 0;
    if (writing) peer_->peer_ended_ = true;
    // Only a Unix peer is told that nobody listens any more.
    if (reading && is_unix()) peer_->write_shut_ = true;
    return 0;
}

// The peer answered with RST. After its FIN, that means EPIPE (tcp_reset() in the kernel).
void Socket::reset() {
    error_ = peer_ended_ && !is_unix() ? -EPIPE : -ECONNRESET;
    state_ = State::broken;
    read_shut_ = write_shut_ = true;
    if (peer_ != nullptr) peer_->peer_ = nullptr;
    peer_ = nullptr;
}

void Socket::abort() {
    if (state_ != State::connected) return;
    Socket* peer = peer_;
    reset();
    if (peer != nullptr) peer->reset();
}

void Socket::drop_waiting() {
    while (Socket* embryo = line_.pop_front()) {
        if (embryo->peer_ != nullptr) embryo->peer_->reset();
        embryo->release();
    }
    waiting_ = 0;
}

void Socket::closed() {
    drop_waiting();
    network_.forget(*this);
    if (peer_ == nullptr) return;
    // Closing over unread bytes tells the peer that they were lost.
    if (!received_.empty()) {
        peer_->reset();
        return;
    }
    peer_->peer_ended_ = true;
    peer_->peer_ = nullptr;
    if (is_unix()) peer_->write_shut_ = true;
    peer_ = nullptr;
}

int Socket::keep_option(int level, int name, int value) {
    for (unsigned i = 0; i < options_count_; ++i) {
        Option& option = options_[i];
        if (option.level != level || option.name != name) continue;
        option.value = value;
        return 0;
    }
    if (options_count_ == options_.size()) return -ENOMEM;
    options_[options_count_++] = {level, name, value};
    return 0;
}

int Socket::kept_option(int level, int name) const {
    for (unsigned i = 0; i < options_count_; ++i) {
        if (options_[i].level == level && options_[i].name == name) return options_[i].value;
    }
    return 0;
}

unsigned Socket::ready() const {
    switch (state_) {
        case State::fresh: return POLLOUT | POLLWRNORM | POLLHUP;
        case State::listening: return waiting_ != 0 ? POLLIN | POLLRDNORM : 0;
        default: return connection_ready();
    }
}

unsigned Socket::connection_ready() const {
    const bool no_reading = read_shut_ || peer_ended_;
    unsigned events = 0;
    if (!received_.empty() || no_reading) events |= POLLIN | POLLRDNORM;
    if (no_reading) events |= POLLRDHUP;
    const bool room = peer_ == nullptr || peer_->received_.room() != 0;
    if (write_shut_ || room) events |= POLLOUT | POLLWRNORM;
    if (no_reading && write_shut_) events |= POLLHUP;
    if (error_ != 0) events |= POLLERR;
    return events;
}

}  // namespace ringlet::testing
