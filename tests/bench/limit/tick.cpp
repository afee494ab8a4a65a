// One timer, armed anew at absolute deadlines.
#include "loop.hpp"

namespace {

using limit::loop;

constexpr bench::Nanoseconds period = 1'000'000;

bench::Latencies lateness;

struct Ticker : limit::Node {
    Ticker() : Node{.run = &Ticker::step} { timer.node = this; }

    static void step(Node& node) {
        auto& self = static_cast<Ticker&>(node);
        lateness.add(bench::now() - self.timer.deadline);
        if (--self.left == 0) return loop.stop();
        loop.arm(self.timer, self.timer.deadline + period);
    }

    limit::Timer timer;
    std::int64_t left = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const std::int64_t ticks = arguments.number("ticks", 2000);
    Ticker ticker;
    bench::measure("tick", "limit", ticks, &lateness, [&](std::int64_t times) {
        ticker.left = times;
        loop.arm(ticker.timer, bench::now() + period);
        loop.run();
    });
}
