// The timer queue alone: what an armed timer costs that is taken back, and one that expires, among
// so many others.
#include "bench.hpp"

#include <ringlet/base/timer_queue.hpp>

#include <benchmark/benchmark.h>

#include <memory>

using ringlet::Instant;
using ringlet::TimerNode;
using ringlet::TimerQueue;

namespace {

// Others that are armed, each with a delay of its own.
class Timers {
public:
    explicit Timers(std::int64_t count)
        : count_(count), nodes_(std::make_unique<TimerNode[]>(static_cast<std::size_t>(count))) {
        for (std::int64_t i = 0; i < count; ++i) queue.add(nodes_[i], delays_.next());
    }
    ~Timers() {
        for (std::int64_t i = 0; i < count_; ++i) nodes_[i].disarm();
    }
    Instant delay() { return delays_.next(); }

    TimerQueue queue;

private:
    std::int64_t count_;
    std::unique_ptr<TimerNode[]> nodes_;
    bench::Delays delays_{1};
};

// As a time limit does that is not reached.
void add_and_disarm(benchmark::State& state) {
    Timers timers(state.range(0));
    TimerNode node;
    for (auto _ : state) {
        timers.queue.add(node, timers.delay());
        node.disarm();
    }
}
BENCHMARK(add_and_disarm)->Arg(0)->Arg(100)->Arg(10'000);

// As sleepers do that sleep again and again.
void take_and_add(benchmark::State& state) {
    Timers timers(state.range(0));
    for (auto _ : state) {
        const Instant now = timers.queue.next();
        TimerNode* const due = timers.queue.take_due(now);
        timers.queue.add(*due, now + timers.delay());
    }
}
BENCHMARK(take_and_add)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
