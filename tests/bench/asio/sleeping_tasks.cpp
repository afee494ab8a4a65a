#include "asio.hpp"

using namespace bench;

static Awaitable<> sleeper(Executor executor) {
    Timer timer(executor, std::chrono::hours(1));
    co_await timer.async_wait(deferred);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 10'000);
    asio::io_context context(1);
    spawn(context.get_executor(), yield_once());  // what the first task brings for all
    context.run();
    context.restart();
    const std::int64_t before = own_bytes();
    for (std::int64_t i = 0; i < tasks; i++) {
        spawn(context.get_executor(), sleeper(context.get_executor()));
    }
    context.poll();
    print_bytes("sleeping_tasks", PEER, tasks, own_bytes() - before);
}
