// Under the limit is a child from a free list, which goes to the back of the ready list once.
#include "with_timeout.hpp"

namespace {

struct Parent;

struct Child : limit::Node {
    Parent* parent = nullptr;
    static void step(Node& node);
};

limit::FreeList<Child> children;

struct Parent : limit::Limited<Parent> {
    void start() {
        Child& child = children.take();
        child.run = &Child::step;
        child.parent = this;
        limit::loop.ready(child);
    }
};

void Child::step(Node& node) {
    auto& self = static_cast<Child&>(node);
    Parent& parent = *self.parent;
    children.give_back(self);
    parent.ended();
}

}  // namespace

int main(int argc, char** argv) {
    limit::measure_timeouts<Parent>("with_timeout_task", argc, argv);
}
