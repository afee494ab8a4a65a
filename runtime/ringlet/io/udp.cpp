// Opening and binding, and socket options.
#include <ringlet/io/udp.hpp>

#include <netinet/in.h>

namespace ringlet {
namespace {

Result<void> apply(int descriptor, int family, const UdpOptions& options) {
    System& system = scheduler().system();
    Result<void> set;
    if (options.reuse_address) set = system.set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (set && options.reuse_port) {
        set = system.set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (set && options.broadcast) {
        set = system.set_option(descriptor, SOL_SOCKET, SO_BROADCAST, 1);
    }
    // Always said, since the default is the sysctl net.ipv6.bindv6only.
    if (set && family == AF_INET6) {
        set = system.set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
    }
    return set;
}

}  // namespace

Result<UdpSocket> UdpSocket::open(int family, UdpOptions options) {
    auto opened = open_socket(family, SOCK_DGRAM);
    if (!opened) return std::unexpected(opened.error());
    const auto set = apply(opened->get(), family, options);
    if (!set) return std::unexpected(set.error());
    return UdpSocket(std::move(*opened));
}

Result<UdpSocket> UdpSocket::bind(const SocketAddress& address, UdpOptions options) {
    auto socket = open(address.storage.ss_family, options);
    if (!socket) return socket;
    const auto bound = scheduler().system().bind(socket->descriptor(), address);
    if (!bound) return std::unexpected(bound.error());
    return socket;
}

Result<SocketAddress> UdpSocket::local_address() const {
    return scheduler().system().local_address(descriptor());
}

Result<SocketAddress> UdpSocket::peer_address() const {
    return scheduler().system().peer_address(descriptor());
}

}  // namespace ringlet
