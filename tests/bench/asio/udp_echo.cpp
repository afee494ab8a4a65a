#include "asio.hpp"

using namespace bench;
using asio::ip::udp;

using Socket = asio::basic_datagram_socket<udp, Executor>;

// Side by side, so that a turn answers all that has come.
static constexpr int answerers = 32;

static Awaitable<> answer(Socket& socket) {
    char data[2048];
    for (;;) {
        udp::endpoint peer;
        const std::size_t bytes =
            co_await socket.async_receive_from(asio::buffer(data), peer, deferred);
        co_await socket.async_send_to(asio::buffer(data, bytes), peer, deferred);
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const auto port = static_cast<std::uint16_t>(arguments.number("port", 9000));
    asio::io_context context(1);
    Socket socket(context.get_executor(), {asio::ip::address_v4::loopback(), port});
    std::puts("listening");
    std::fflush(stdout);
    for (int i = 0; i < answerers; ++i) spawn(context.get_executor(), answer(socket));
    context.run();
}
