// Under the limit is the way through the ready list itself.
#include "with_timeout.hpp"

namespace {

struct Yielder : limit::Limited<Yielder> {
    Yielder() { turn.yielder = this; }
    void start() { limit::loop.ready(turn); }

    struct Turn : limit::Node {
        Turn() : Node{.run = &Turn::step} {}
        static void step(Node& node) { static_cast<Turn&>(node).yielder->ended(); }
        Yielder* yielder = nullptr;
    };
    Turn turn;
};

}  // namespace

int main(int argc, char** argv) {
    limit::measure_timeouts<Yielder>("with_timeout_leaf", argc, argv);
}
