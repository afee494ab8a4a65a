// Asio has no timer slack: its users round the deadline up, so that timers fall together.
#include "asio.hpp"

using namespace bench;

struct Sleepers {
    Executor executor;
    Nanoseconds slack;
    Latencies& lateness;
    std::int64_t ops = 0;
};

static Awaitable<> sleeper(Sleepers& all, std::uint64_t index) {
    Timer timer(all.executor);
    Delays delays(index);
    for (;;) {
        const Nanoseconds deadline = now() + delays.next();
        const Nanoseconds slack = all.slack;
        timer.expires_at(
            time_point(slack == 0 ? deadline : (deadline + slack - 1) / slack * slack));
        co_await timer.async_wait(deferred);
        all.lateness.add(now() - deadline);
        all.ops++;
    }
}

static Awaitable<> stretch_of(Sleepers& all, std::int64_t seconds, Stretch& stretch) {
    Timer timer(all.executor);
    timer.expires_after(std::chrono::milliseconds(seconds * 100));
    co_await timer.async_wait(deferred);
    all.lateness.clear();
    all.ops = 0;
    stretch.begin();
    timer.expires_after(std::chrono::seconds(seconds));
    co_await timer.async_wait(deferred);
    stretch.end();
    all.executor.context().stop();
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t sleepers = arguments.number("sleepers", 10'000);
    Latencies lateness;
    Stretch stretch;
    asio::io_context context(1);
    Sleepers all{context.get_executor(), arguments.number("slack_us", 0) * 1000, lateness};
    for (std::int64_t i = 0; i < sleepers; i++) {
        spawn(all.executor, sleeper(all, static_cast<std::uint64_t>(i)));
    }
    spawn(all.executor, stretch_of(all, arguments.number("seconds", 2), stretch));
    context.run();
    print_result("sleep", PEER, all.ops, stretch, &lateness);
}
