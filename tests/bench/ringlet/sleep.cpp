// Many sleepers, each with deadlines of its own.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

constexpr unsigned sleepers_max = 10'000;
constexpr Limits limits{.tasks = sleepers_max,
                        .frames = {{256, 2 * sleepers_max + 16}, {1024, 16}}};
Runtime<limits> runtime;

struct Watch {
    bench::Latencies lateness;
    std::int64_t ops = 0;
    Slack slack;
    bool is_measured = false;
};
Watch watch;

Task<void> sleep_often(std::uint64_t sleeper) {
    for (bench::Delays delays(sleeper);;) {
        const Instant due = scheduler().now() + delays.next();
        co_await sleep_until(Deadline(Clock::monotonic, watch.slack.apply(due)));
        if (!watch.is_measured) continue;
        ++watch.ops;
        watch.lateness.add(scheduler().now() - due);
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t sleepers = arguments.number("sleepers", sleepers_max);
    const std::chrono::milliseconds span(1000 * arguments.number("seconds", 2));
    const std::int64_t slack_us = arguments.number("slack_us", 0);
    watch.slack = Slack(std::chrono::microseconds(slack_us));
    const auto body = [&](TaskGroup& group) -> Task<void> {
        for (std::int64_t i = 0; i < sleepers; ++i) {
            group.spawn(sleep_often, static_cast<std::uint64_t>(i));
        }
        co_await sleep(span / 10);
        bench::Stretch stretch;
        stretch.begin();
        watch.is_measured = true;
        co_await sleep(span);
        stretch.end();
        watch.is_measured = false;
        bench::print_result("sleep", "ringlet", watch.ops, stretch, &watch.lateness);
        group.cancel_tasks();
    };
    co_await TaskGroup::run(body);
}

}  // namespace

int main(int count, char** values) {
    return runtime.run(app, bench::Arguments(count, values));
}
