// Connecting, listening, and sending with descriptors.
#include <ringlet/io/unix.hpp>

namespace ringlet {

Task<UnixSocket> UnixSocket::connect(SocketAddress address) {
    UnixSocket socket(co_await open_socket(AF_UNIX, SOCK_STREAM));
    co_await ConnectOperation(socket.descriptor(), address);
    co_return socket;
}

Task<UnixSocket> UnixSocket::connect(std::string_view path) {
    const auto address = co_await unix_address(path);
    co_return co_await connect(address);
}

Task<void> UnixSocket::send_with(std::span<const std::byte> bytes,
                                 std::span<const int> descriptors) {
    RINGLET_ASSERT(!bytes.empty());
    const std::size_t sent =
        co_await send_with_descriptors(descriptor(), bytes, descriptors, MessageKind::bytes);
    co_await send_everything(descriptor(), bytes.subspan(sent));
}

Task<void> UnixSocket::send_with(std::span<const std::byte> bytes, int descriptor) {
    co_await send_with(bytes, std::span<const int>(&descriptor, 1));
}

Task<UnixListener> UnixListener::listen(SocketAddress address, UnixListenOptions options) {
    UnixListener listener(co_await open_socket(AF_UNIX, SOCK_STREAM));
    co_await bind_unix(listener.descriptor(), address, options.name);
    co_await scheduler().system().listen(listener.descriptor(), options.backlog);
    co_return listener;
}

Task<UnixListener> UnixListener::listen(std::string_view path, UnixListenOptions options) {
    const auto address = co_await unix_address(path);
    co_return co_await listen(address, options);
}

}  // namespace ringlet
