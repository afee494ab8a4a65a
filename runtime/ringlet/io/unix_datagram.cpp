// Opening and binding, and waiting for a receiver that is full.
#include <ringlet/io/unix_datagram.hpp>

#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>

namespace ringlet {

Result<UnixDatagram> UnixDatagram::open() {
    auto opened = open_socket(AF_UNIX, SOCK_DGRAM);
    if (!opened) return std::unexpected(opened.error());
    return UnixDatagram(std::move(*opened));
}

Task<UnixDatagram> UnixDatagram::bind(SocketAddress address, UnixNameOptions options) {
    auto socket = co_await open();
    co_await bind_unix(socket.descriptor(), address, options);
    co_return socket;
}

Task<UnixDatagram> UnixDatagram::bind(std::string_view path, UnixNameOptions options) {
    const auto address = co_await unix_address(path);
    co_return co_await bind(address, options);
}

Task<void> UnixDatagram::send_to(std::span<const std::byte> datagram,
                                 const SocketAddress& address) {
    constexpr std::chrono::milliseconds longest(50);
    std::chrono::milliseconds pause(1);
    for (;;) {
        const auto sent = co_await attempt(SendTo(descriptor(), datagram, address, WhenFull::fail));
        if (sent) co_return;
        const Error why = sent.error();
        if (why != std::errc::resource_unavailable_try_again) co_await fail(why);
        co_await sleep(pause);
        pause = std::min(2 * pause, longest);
    }
}

Task<void> UnixDatagram::send_with(std::span<const std::byte> datagram,
                                   std::span<const int> descriptors) {
    co_await send_with_descriptors(descriptor(), datagram, descriptors, MessageKind::datagram);
}

Task<void> UnixDatagram::send_with(std::span<const std::byte> datagram, int descriptor) {
    co_await send_with(datagram, std::span<const int>(&descriptor, 1));
}

}  // namespace ringlet
