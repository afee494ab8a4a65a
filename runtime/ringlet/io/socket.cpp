// Making a socket under its reservation, sending all, and the names of both ends.
#include <ringlet/io/socket.hpp>

#include <ringlet/io/stream_socket.hpp>

namespace ringlet {

Result<Descriptor> open_socket(int family, int type, int protocol) {
    if (!scheduler().reserve_descriptor()) {
        return std::unexpected(Error(std::errc::too_many_files_open, RuntimeDetail::descriptors));
    }
    const auto number = scheduler().system().socket(family, type, protocol);
    if (number) return Descriptor(*number);
    scheduler().release_descriptor();
    return std::unexpected(number.error());
}

Task<void> send_everything(int descriptor, std::span<const std::byte> from) {
    while (!from.empty()) {
        const std::size_t count = co_await SendOperation(descriptor, from);
        if (count == 0) co_await fail(std::errc::io_error);  // not on a stream: no endless loop
        from = from.subspan(count);
    }
}

Result<SocketAddress> StreamSocket::local_address() const {
    return scheduler().system().local_address(descriptor());
}

Result<SocketAddress> StreamSocket::peer_address() const {
    return scheduler().system().peer_address(descriptor());
}

}  // namespace ringlet
