// A question over UDP, then maybe over TCP.
#include <ringlet/dns/exchange.hpp>

#include <ringlet/io/stream.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/io/udp.hpp>

namespace ringlet::dns {
namespace {

using Bytes = std::span<std::byte>;

Task<Bytes> exchange_datagrams(const SocketAddress& server, QuerySlot& slot) {
    auto socket = co_await UdpSocket::open(server.storage.ss_family);
    co_await socket.connect(server);
    co_await socket.send(slot.question());
    for (;;) {
        const auto got = co_await socket.receive(slot.received);
        const Bytes answer = slot.received.first(got.size);
        if (!answers(answer, slot.question())) continue;
        if (got.truncated) co_await fail(error_of(Detail::too_long));
        co_return answer;
    }
}

void write_length(std::span<std::byte> prefix, std::size_t length) {
    prefix[0] = static_cast<std::byte>(length >> 8);
    prefix[1] = static_cast<std::byte>(length);
}
std::size_t read_length(Bytes prefix) {
    return std::to_integer<std::size_t>(prefix[0]) << 8 | std::to_integer<std::size_t>(prefix[1]);
}

// RFC 1035, 4.2.2.
Task<Bytes> exchange_over_tcp(const SocketAddress& server, QuerySlot& slot) {
    auto socket = co_await TcpSocket::connect(server);
    write_length(slot.sent, slot.question_bytes);
    co_await socket.send_all(std::span(slot.sent).first(slot.prefix_bytes + slot.question_bytes));
    const auto prefix = slot.received.first(slot.prefix_bytes);
    co_await read_exactly(socket, prefix);
    const std::size_t length = read_length(prefix);
    if (length > slot.received.size()) co_await fail(error_of(Detail::too_long));
    const auto answer = slot.received.first(length);
    if (length > 0) co_await read_exactly(socket, answer);
    if (!answers(answer, slot.question())) co_await fail(error_of(Detail::malformed));
    co_return answer;
}

}  // namespace

Task<Bytes> exchange(const SocketAddress& server, QuerySlot& slot) {
    const Bytes answer = co_await exchange_datagrams(server, slot);
    if (!is_truncated(answer)) co_return answer;
    co_return co_await exchange_over_tcp(server, slot);
}

}  // namespace ringlet::dns
