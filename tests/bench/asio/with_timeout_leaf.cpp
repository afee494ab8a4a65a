// A parallel group of the operation and the timer: `||` without the coroutines.
#include "asio.hpp"

using namespace bench;

static Awaitable<> limited(Executor executor, std::int64_t count) {
    Timer timer(executor);
    for (; count > 0; count--) {
        timer.expires_after(std::chrono::seconds(1));
        const auto [order, error] = co_await asio::experimental::make_parallel_group(
                                        asio::post(executor, deferred), timer.async_wait(deferred))
                                        .async_wait(asio::experimental::wait_for_one(), deferred);
        keep(order[0]);
        keep(error.value());
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 100);
    measure("with_timeout_leaf", arguments.number("ops", 500'000), nullptr,
            [&](Executor executor, std::int64_t ops) {
                for (std::int64_t i = 0; i < tasks; i++) {
                    spawn(executor, limited(executor, part(ops, tasks, i)));
                }
            });
}
