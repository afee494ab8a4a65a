#include "asio.hpp"

using namespace bench;

static Awaitable<> ticks(Executor executor, std::int64_t count, Latencies& lateness) {
    static constexpr Nanoseconds period = 1'000'000;
    Timer timer(executor);
    for (Nanoseconds deadline = now() + period; count > 0; count--, deadline += period) {
        timer.expires_at(time_point(deadline));
        co_await timer.async_wait(deferred);
        lateness.add(now() - deadline);
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    Latencies lateness;
    measure("tick", arguments.number("ticks", 2000), &lateness,
            [&](Executor executor, std::int64_t ops) {
                spawn(executor, ticks(executor, ops, lateness));
            });
}
