// Two children from a free list go to the back of the ready list once; the last to end calls their
// parent back.
#include "loop.hpp"

namespace {

using limit::loop;

struct Parent;

struct Child : limit::Node {
    Parent* parent = nullptr;
    int index = 0;
    static void step(Node& node);
};

struct Parent {
    void start() {
        unfinished = 2;
        start_child(0);
        start_child(1);
    }
    void start_child(int index) {
        Child& child = children.take();
        child.run = &Child::step;
        child.parent = this;
        child.index = index;
        loop.ready(child);
    }
    void ended(int index, int result) {
        results[index] = result;
        if (--unfinished > 0) return;
        sum += results[0] + results[1];
        if (--left > 0) return start();
        loop.stop();
    }

    limit::FreeList<Child> children;
    int unfinished = 0;
    int results[2] = {};
    std::int64_t left = 0;
    std::int64_t sum = 0;
};

void Child::step(Node& node) {
    auto& self = static_cast<Child&>(node);
    Parent& parent = *self.parent;
    const int index = self.index;
    parent.children.give_back(self);
    parent.ended(index, index + 1);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const std::int64_t ops = arguments.number("ops", 10'000'000);
    Parent parent;
    bench::measure("gather", "limit", ops, nullptr, [&](std::int64_t times) {
        parent.left = times;
        parent.start();
        loop.run();
    });
    bench::keep(parent.sum);
}
