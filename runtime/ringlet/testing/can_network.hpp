// CanNetwork: the CAN interfaces that the simulated machine has, and their sockets.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/testing/can_socket.hpp>

#include <string_view>

namespace ringlet::testing {

class CanNetwork {
public:
    CanNetwork(const VirtualClock& clock, unsigned sockets, unsigned frames);
    ~CanNetwork();
    CanNetwork(const CanNetwork&) = delete;
    CanNetwork& operator=(const CanNetwork&) = delete;

    // socket(2) and bind(2): 0, or a negative errno.
    int open(int type, int protocol, Socket*& out);
    int bind(CanSocket& socket, const SocketAddress& address);

    // Gives it its index.
    int add(CanInterface& interface);
    // Null if there is none.
    CanInterface* find(std::string_view name);

    // All that are bound to an interface hear of it.
    void offer(const CanInterface& interface, const CanFrame& frame, const CanSocket* sender);
    void fail(const CanInterface& interface, int error);
    // The interface is no more.
    void forget(CanInterface& interface);

private:
    Pool<CanSocket> sockets_;
    IntrusiveList<CanInterface> interfaces_;
    int last_index_ = 1;  // the loopback
};

}  // namespace ringlet::testing
