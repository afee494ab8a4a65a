// A TCP server that sends back what it receives.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

constexpr unsigned connections_max = 1024;
constexpr unsigned places = connections_max + 16;
constexpr Limits limits{.tasks = connections_max,
                        .operations = 2 * connections_max + 8,
                        .descriptors = connections_max + 8,
                        .multishot_buffers = connections_max,
                        .frames = {{80, places}, {144, places}, {320, places}, {512, 16}}};
Runtime<limits> runtime;
BufferPool<connections_max, bench::message_bytes> pool;

Task<void> serve(TcpSocket socket) {
    ReceiveStream incoming(socket, pool);
    for (;;) {
        const auto message = co_await attempt(incoming.next());
        if (!message || message->empty()) co_return;  // a connection that breaks is the end of one
        (void)co_await attempt(socket.send(message->bytes()));
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const auto port = static_cast<std::uint16_t>(arguments.number("port", 0));
    auto listener = co_await TcpListener::listen(loopback_address(port), {.backlog = 1024});
    const auto open = co_await pool.open();
    std::puts("listening");
    std::fflush(stdout);
    const auto body = [&](TaskGroup& group) -> Task<void> {
        for (;;) group.spawn(serve, co_await listener.accept());
    };
    co_await TaskGroup::run(body);
}

}  // namespace

int main(int count, char** values) {
    return runtime.run(app, bench::Arguments(count, values));
}
