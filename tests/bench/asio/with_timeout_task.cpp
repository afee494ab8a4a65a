// The time limit is the other side of `||`, as in Asio's own examples; as a tuple, since a timer
// that is taken back would throw.
#include "asio.hpp"

using namespace bench;
using namespace asio::experimental::awaitable_operators;
using asio::experimental::as_tuple;

static Awaitable<> limited(Executor executor, std::int64_t count) {
    Timer timer(executor);
    for (; count > 0; count--) {
        timer.expires_after(std::chrono::seconds(1));
        const auto first = co_await (yield_once() || timer.async_wait(as_tuple(use_awaitable)));
        keep(first.index());
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 100);
    measure("with_timeout_task", arguments.number("ops", 300'000), nullptr,
            [&](Executor executor, std::int64_t ops) {
                for (std::int64_t i = 0; i < tasks; i++) {
                    spawn(executor, limited(executor, part(ops, tasks, i)));
                }
            });
}
