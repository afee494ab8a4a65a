// Boost.Beast, which is Asio's own HTTP.
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>

#include "asio.hpp"

using namespace bench;
namespace http = boost::beast::http;
using asio::ip::tcp;

using Socket = asio::basic_stream_socket<tcp, Executor>;

struct Requests {
    tcp::endpoint server;
    http::request<http::empty_body> request;
    Latencies& latencies;
    std::int64_t left = 0;
};

static Awaitable<> connect(Socket& socket, const tcp::endpoint& server) {
    co_await socket.async_connect(server, deferred);
    socket.set_option(tcp::no_delay(true));
}

static Awaitable<> client(Executor executor, Requests& requests) {
    Socket socket(executor);
    boost::beast::flat_static_buffer<8192> buffer;
    while (requests.left > 0) {
        requests.left--;
        const Nanoseconds begin = now();
        if (!socket.is_open()) co_await connect(socket, requests.server);
        co_await http::async_write(socket, requests.request, deferred);
        http::response<http::string_body> response;
        co_await http::async_read(socket, buffer, response, deferred);
        requests.latencies.add(now() - begin);
        if (response.result() != http::status::ok) {
            std::fprintf(stderr, "status %u\n", response.result_int());
            std::exit(1);
        }
        if (!response.keep_alive()) socket.close();
    }
}

int main(int count, char** values) {
    static constexpr int connections = 32;
    const Arguments arguments(count, values);
    const auto port = static_cast<std::uint16_t>(arguments.number("port", 8080));
    Latencies latencies;
    Requests requests{{asio::ip::address_v4::loopback(), port},
                      {http::verb::get, arguments.text("target", "/"), 11},
                      latencies};
    requests.request.set(http::field::host, "127.0.0.1");
    requests.request.keep_alive(arguments.number("keep_alive", 1) != 0);
    measure("http_get", arguments.number("ops", 50'000), &latencies,
            [&](Executor executor, std::int64_t ops) {
                requests.left = ops;
                for (int i = 0; i < connections; i++) spawn(executor, client(executor, requests));
            });
}
