// A period of 1 ms: how late each tick is.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t ticks = arguments.number("ticks", 2000);
    bench::Latencies lateness;
    const auto work = [&](std::int64_t times) -> Task<void> {
        const Instant begin = scheduler().now();
        Ticker every(std::chrono::milliseconds(1), Missed::burst);
        for (std::int64_t i = 1; i <= times; ++i) {
            co_await every.tick();
            lateness.add(scheduler().now() - (begin + i * 1'000'000));
        }
    };
    co_await bench::measure("tick", ticks, work, &lateness);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
