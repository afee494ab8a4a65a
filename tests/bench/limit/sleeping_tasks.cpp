// What a sleeper by hand needs: a node and a timer.
#include "loop.hpp"

#include <deque>

namespace {

using limit::loop;

struct Sleeper : limit::Node {
    Sleeper() : Node{.run = &Sleeper::step} { timer.node = this; }
    static void step(Node&) { loop.stop(); }
    limit::Timer timer;
};

std::deque<Sleeper> sleepers;

void sleep_for(bench::Nanoseconds duration) {
    loop.arm(sleepers.emplace_back().timer, loop.now() + duration);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const std::int64_t tasks = arguments.number("tasks", 10'000);
    sleep_for(1'000'000);  // what the first brings for all
    loop.run();
    const std::int64_t before = bench::own_bytes();
    for (std::int64_t i = 0; i < tasks; ++i) sleep_for(bench::Nanoseconds{3'600'000'000'000});
    bench::print_bytes("sleeping_tasks", "limit", tasks, bench::own_bytes() - before);
}
