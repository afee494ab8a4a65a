#include "asio.hpp"

using namespace bench;
using asio::ip::tcp;

using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

static Awaitable<> serve(Socket socket) {
    static constexpr auto as_tuple = asio::experimental::as_tuple(deferred);
    char data[4096];
    for (;;) {
        const auto [error, bytes] = co_await socket.async_read_some(asio::buffer(data), as_tuple);
        if (error) co_return;
        const auto [failed, sent] =
            co_await asio::async_write(socket, asio::buffer(data, bytes), as_tuple);
        if (failed) co_return;
    }
}

static Awaitable<> listen(Executor executor, std::uint16_t port) {
    Acceptor acceptor(executor, {asio::ip::address_v4::loopback(), port});
    std::puts("listening");
    std::fflush(stdout);
    for (;;) {
        Socket socket = co_await acceptor.async_accept(deferred);
        socket.set_option(tcp::no_delay(true));
        spawn(executor, serve(std::move(socket)));
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const auto port = static_cast<std::uint16_t>(arguments.number("port", 9000));
    asio::io_context context(1);
    spawn(context.get_executor(), listen(context.get_executor(), port));
    context.run();
}
