// Connecting, listening, and socket options.
#include <ringlet/io/tcp.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace ringlet {
namespace {

Result<void> apply(int descriptor, const TcpOptions& options) {
    System& system = scheduler().system();
    if (options.no_delay) {
        const auto set = system.set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
        if (!set) return set;
    }
    if (!options.keep_alive) return {};
    return system.set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
}

Result<void> apply(int descriptor, int family, const ListenOptions& options) {
    System& system = scheduler().system();
    Result<void> set;
    if (options.reuse_address) set = system.set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (set && options.reuse_port) {
        set = system.set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    // Always said, since the default is the sysctl net.ipv6.bindv6only.
    if (set && family == AF_INET6) {
        set = system.set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
    }
    return set;
}

}  // namespace

Task<TcpSocket> TcpSocket::connect(SocketAddress address, TcpOptions options) {
    TcpSocket socket(co_await open_socket(address.storage.ss_family, SOCK_STREAM));
    co_await apply(socket.descriptor(), options);
    co_await ConnectOperation(socket.descriptor(), address);
    co_return socket;
}

Result<TcpListener> TcpListener::listen(const SocketAddress& address, ListenOptions options) {
    const int family = address.storage.ss_family;
    auto opened = open_socket(family, SOCK_STREAM);
    if (!opened) return std::unexpected(opened.error());
    System& system = scheduler().system();
    Result<void> done = apply(opened->get(), family, options);
    if (done) done = system.bind(opened->get(), address);
    if (done) done = system.listen(opened->get(), options.backlog);
    if (!done) return std::unexpected(done.error());
    return TcpListener(std::move(*opened), options.accepted);
}

Result<SocketAddress> TcpListener::local_address() const {
    return scheduler().system().local_address(descriptor());
}

// An option that fails is the connection's end already, which the first receive will tell.
TcpSocket AcceptOperation::value(int result) const {
    static_cast<void>(apply(result, options_));
    return TcpSocket(Descriptor(result));
}

}  // namespace ringlet
