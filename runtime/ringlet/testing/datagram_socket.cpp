// The queue of a datagram socket, and its state as udp(7) and unix(7) tell of it.
#include <ringlet/testing/datagram_socket.hpp>

#include <ringlet/testing/network.hpp>

#include <algorithm>
#include <poll.h>

namespace ringlet::testing {
namespace {

constexpr unsigned unix_queue_max = 10;  // net.unix.max_dgram_qlen

}  // namespace

void DatagramSocket::open(int family) {
    start_anew(family);
    peer_ = nullptr;
    read_shut_ = write_shut_ = false;
}

int DatagramSocket::receive(Incoming& in) {
    if (error_ != 0) return take_error();
    Packet* packet = queue_.front();
    // Who does not wait is not told the end.
    if (packet == nullptr) return read_shut_ && !in.dont_wait ? 0 : would_block;
    packet->unlink();
    --waiting_;
    waiting_bytes_ -= packet->size;
    const std::size_t count = std::min(packet->size, in.into.size());
    if (count != 0) std::memcpy(in.into.data(), packet->bytes.get(), count);
    in.truncated = packet->size > count;
    in.from = packet->from;
    in.rights = std::move(packet->rights);
    const std::size_t told = in.whole_size ? packet->size : count;
    network_.packets().give_back(*packet);
    return static_cast<int>(told);
}

int DatagramSocket::send(Outgoing& out) {
    return network_.send(*this, out);
}

int DatagramSocket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    read_shut_ |= how != SHUT_WR;
    write_shut_ |= how != SHUT_RD;
    // Of UDP it takes effect nevertheless.
    return !is_unix() && remote.size == 0 ? -ENOTCONN : 0;
}

bool DatagramSocket::has_room_for(std::size_t bytes) const {
    return waiting_ == 0 || waiting_bytes_ + bytes <= capacity_;
}

// The kernel grants one more than the bound, and more to who is connected back.
bool DatagramSocket::is_full_for(const DatagramSocket& sender) const {
    return waiting_ > unix_queue_max && peer_ != &sender;
}

void DatagramSocket::put(Packet& packet) {
    queue_.push_back(packet);
    ++waiting_;
    waiting_bytes_ += packet.size;
}

void DatagramSocket::drop_received() {
    while (Packet* packet = queue_.pop_front())
        network_.packets().give_back(*packet);
    waiting_ = 0;
    waiting_bytes_ = 0;
}

void DatagramSocket::closed() {
    drop_received();
    network_.forget(*this);
    network_.forget_peer(*this);
}

unsigned DatagramSocket::ready() const {
    unsigned events = 0;
    if (!queue_.empty() || read_shut_) events |= POLLIN | POLLRDNORM;
    if (read_shut_) events |= POLLRDHUP;
    if (read_shut_ && write_shut_) events |= POLLHUP;
    if (error_ != 0) events |= POLLERR;
    const bool waits = peer_ != nullptr && peer_->is_full_for(*this);
    if (!waits) events |= POLLOUT | POLLWRNORM;
    return events;
}

}  // namespace ringlet::testing
