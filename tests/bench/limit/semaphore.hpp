// A semaphore by hand, and tasks that acquire it, go to the back of the ready list once, and
// release it. A mutex is one with a single permit.
#pragma once

#include "loop.hpp"

namespace limit {

class Semaphore {
public:
    explicit Semaphore(int permits) : permits_(permits) {}

    // False: the node is run when it has a permit.
    bool acquire(Node& node) {
        if (permits_ > 0) {
            --permits_;
            return true;
        }
        waiting_.push(node);
        return false;
    }
    // A permit goes straight to who waits longest.
    void release() {
        if (waiting_.empty()) ++permits_;
        else loop.ready(waiting_.pop());
    }

private:
    int permits_;
    List waiting_;
};

class Holder : public Node {
public:
    explicit Holder(Semaphore& semaphore) : semaphore_(semaphore) {}

    void begin(std::int64_t times) {
        if (times == 0) return;
        left_ = times;
        ++running_;
        run = &Holder::acquire;
        loop.ready(*this);
    }

private:
    static void acquire(Node& node) {
        auto& self = static_cast<Holder&>(node);
        self.run = &Holder::acquired;
        if (self.semaphore_.acquire(self)) acquired(self);
    }
    static void acquired(Node& node) {
        node.run = &Holder::yielded;
        loop.ready(node);
    }
    static void yielded(Node& node) {
        auto& self = static_cast<Holder&>(node);
        self.semaphore_.release();
        if (--self.left_ > 0) return acquire(self);
        if (--running_ == 0) loop.stop();
    }

    static inline int running_ = 0;

    Semaphore& semaphore_;
    std::int64_t left_ = 0;
};

inline int measure_semaphore(const char* name, int permits, int count, char** values) {
    constexpr std::int64_t tasks = 10;
    const bench::Arguments arguments(count, values);
    const std::int64_t ops = arguments.number("ops", 20'000'000);
    Semaphore semaphore(permits);
    std::vector<Holder> holders(tasks, Holder(semaphore));
    bench::measure(name, "limit", ops, nullptr, [&](std::int64_t times) {
        for (std::int64_t i = 0; i < tasks; ++i) holders[i].begin(bench::part(times, tasks, i));
        loop.run();
    });
    return 0;
}

}  // namespace limit
