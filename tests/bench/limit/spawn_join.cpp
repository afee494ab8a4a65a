// A child from a free list is put on the ready list; when it has ended, it calls its parent back.
#include "loop.hpp"

namespace {

using limit::loop;

struct Parent;

struct Child : limit::Node {
    Parent* parent = nullptr;
    static void step(Node& node);
};

struct Parent {
    void spawn() {
        Child& child = children.take();
        child.run = &Child::step;
        child.parent = this;
        loop.ready(child);
    }
    void joined(int result) {
        sum += result;
        if (--left > 0) return spawn();
        loop.stop();
    }

    limit::FreeList<Child> children;
    std::int64_t left = 0;
    std::int64_t sum = 0;
};

void Child::step(Node& node) {
    auto& self = static_cast<Child&>(node);
    Parent& parent = *self.parent;
    parent.children.give_back(self);
    parent.joined(1);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const std::int64_t ops = arguments.number("ops", 20'000'000);
    Parent parent;
    bench::measure("spawn_join", "limit", ops, nullptr, [&](std::int64_t times) {
        parent.left = times;
        parent.spawn();
        loop.run();
    });
    bench::keep(parent.sum);
}
