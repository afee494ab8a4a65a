// Nodes that go to the back of the ready list again and again.
#include "loop.hpp"

namespace {

using limit::loop;

int running = 0;

struct Yielder : limit::Node {
    Yielder() : Node{.run = &Yielder::step} {}

    void begin(std::int64_t times) {
        left = times;
        ++running;
        loop.ready(*this);
    }
    static void step(Node& node) {
        auto& self = static_cast<Yielder&>(node);
        if (self.left-- > 0) return loop.ready(self);
        if (--running == 0) loop.stop();
    }

    std::int64_t left = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const std::int64_t count = arguments.number("coroutines", 1);
    const std::int64_t ops = arguments.number("ops", 20'000'000);
    std::vector<Yielder> yielders(static_cast<std::size_t>(count));
    bench::measure("yield", "limit", ops, nullptr, [&](std::int64_t times) {
        for (std::int64_t i = 0; i < count; ++i) yielders[i].begin(bench::part(times, count, i));
        loop.run();
    });
}
