// Timers that are armed anew whenever they expire.
#include "loop.hpp"

namespace {

using limit::loop;

bench::Latencies lateness;
std::int64_t sleeps = 0;
bench::Nanoseconds end = 0;

struct Sleeper : limit::Node {
    explicit Sleeper(std::uint64_t number) : Node{.run = &Sleeper::step}, delays(number) {}

    void sleep() {
        timer.node = this;
        loop.arm(timer, loop.now() + delays.next());
    }
    static void step(Node& node) {
        auto& self = static_cast<Sleeper&>(node);
        const bench::Nanoseconds now = bench::now();
        lateness.add(now - self.timer.deadline);
        ++sleeps;
        if (now >= end) loop.stop();
        self.sleep();
    }

    bench::Delays delays;
    limit::Timer timer;
};

void run_for(bench::Nanoseconds duration) {
    sleeps = 0;
    lateness.clear();
    end = bench::now() + duration;
    loop.run();
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const bench::Nanoseconds duration = arguments.number("seconds", 2) * 1'000'000'000;
    loop.set_slack(arguments.number("slack_us", 0) * 1000);
    std::vector<Sleeper> sleepers;
    const auto count = static_cast<std::uint64_t>(arguments.number("sleepers", 10'000));
    for (std::uint64_t i = 0; i < count; ++i) sleepers.emplace_back(i);
    for (Sleeper& sleeper : sleepers) sleeper.sleep();
    run_for(duration / 10);
    bench::Stretch stretch;
    stretch.begin();
    run_for(duration);
    stretch.end();
    bench::print_result("sleep", "limit", sleeps, stretch, &lateness);
}
