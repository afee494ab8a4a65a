// Who is on which interface.
#include <ringlet/testing/can_network.hpp>

#include <ringlet/testing/can_bus.hpp>

#include <cstring>

namespace ringlet::testing {

CanNetwork::CanNetwork(const VirtualClock& clock, unsigned sockets, unsigned frames)
    : sockets_(sockets, clock, frames) {
    for (CanSocket& socket : sockets_) socket.network = this;
}

CanNetwork::~CanNetwork() {
    while (interfaces_.pop_front() != nullptr) {
    }
}

int CanNetwork::open(int type, int protocol, Socket*& out) {
    // A machine without CAN has no such module.
    if (interfaces_.empty()) return -EAFNOSUPPORT;
    if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_RAW) return -ESOCKTNOSUPPORT;
    if (protocol != CAN_RAW) return -EPROTONOSUPPORT;
    CanSocket* const socket = sockets_.take();
    if (socket == nullptr) return -ENFILE;
    socket->open();
    out = socket;
    return 0;
}

int CanNetwork::bind(CanSocket& socket, const SocketAddress& address) {
    sockaddr_can name{};
    if (address.size < offsetof(sockaddr_can, can_addr)) return -EINVAL;
    std::memcpy(&name, &address.storage, std::min<std::size_t>(sizeof name, address.size));
    if (name.can_family != AF_CAN) return -EINVAL;
    CanInterface* found = interfaces_.front();
    while (found != nullptr && found->index() != name.can_ifindex) {
        found = interfaces_.after(*found);
    }
    return found == nullptr ? -ENODEV : socket.attach(*found);
}

int CanNetwork::add(CanInterface& interface) {
    RINGLET_ASSERT(find(interface.name()) == nullptr);
    interfaces_.push_back(interface);
    return ++last_index_;
}

CanInterface* CanNetwork::find(std::string_view name) {
    CanInterface* found = interfaces_.front();
    while (found != nullptr && name != found->name()) found = interfaces_.after(*found);
    return found;
}

void CanNetwork::offer(const CanInterface& interface, const CanFrame& frame,
                       const CanSocket* sender) {
    for (CanSocket& socket : sockets_) {
        if (socket.in_use() && socket.interface() == &interface) socket.offer(frame, sender);
    }
}

void CanNetwork::fail(const CanInterface& interface, int error) {
    for (CanSocket& socket : sockets_) {
        if (socket.in_use() && socket.interface() == &interface) socket.fail(error);
    }
}

void CanNetwork::forget(CanInterface& interface) {
    for (CanSocket& socket : sockets_) {
        if (!socket.in_use() || socket.interface() != &interface) continue;
        socket.detach();
        socket.fail(-ENODEV);
    }
    interface.unlink();
}

}  // namespace ringlet::testing
