// An echo server, made of the public interface alone, for syscalls_test.py. It writes
// "<port> <process>" to standard output, and serves until SIGTERM.
#include <ringlet/ringlet.hpp>

#include <cstdio>
#include <unistd.h>

using namespace ringlet;
using namespace std::chrono_literals;

namespace {

constexpr unsigned connections_max = 64;
constexpr Limits limits{
    .tasks = connections_max,
    .operations = connections_max + 1,   // and accept
    .descriptors = connections_max + 3,  // the listener, accept, and one to turn away
    .frames = {{256, 320}, {512, 320}, {1024, 160}, {2048, 16}}};

Runtime<limits> runtime;

Task<void> echo(TcpSocket& socket) {
    std::array<std::byte, 64> buffer;
    for (;;) {
        const std::size_t count = co_await socket.receive(buffer);
        if (count == 0) break;
        co_await socket.send_all(std::span(buffer).first(count));
    }
}

// What goes wrong on one connection ends that connection.
Task<void> serve(TcpSocket socket) {
    const auto served = co_await attempt(echo(socket));
    if (!served) log::warning("connection: %s", text(served.error()));
}

Task<void> accept_all(TaskGroup& group, TcpListener& listener) {
    for (;;) {
        auto accepted = co_await attempt(listener.accept());
        if (!accepted) {
            log::warning("accept: %s", text(accepted.error()));
            co_await sleep(10ms);
            continue;
        }
        const auto task = group.try_spawn(serve, std::move(*accepted));
        if (!task) log::warning("turned away: %s", text(task.error()));
    }
}

Task<void> run_server() {
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    char line[32];
    std::snprintf(line, sizeof line, "%u %d\n", unsigned{port_of(address)}, ::getpid());
    co_await standard_output().write_all(bytes_of(line));
    co_await TaskGroup::run(
        [&](TaskGroup& group) -> Task<void> { co_await accept_all(group, listener); });
}

}  // namespace

int main() {
    return runtime.run(run_server);
}
