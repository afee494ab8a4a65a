// Tasks that again and again put something under a time limit which ends first: a timer is armed,
// and taken back.
#pragma once

#include "loop.hpp"

#include <memory>

namespace limit {

// `Task` has start(), which begins one round; at its end it calls ended().
template <class Task>
class Limited : public Node {
public:
    Limited() : Node{.run = &Limited::expired} { timer_.node = this; }

    void begin(std::int64_t times) {
        if (times == 0) return;
        left_ = times;
        ++running_;
        start();
    }
    void ended() {
        loop.disarm(timer_);
        if (--left_ > 0) return start();
        if (--running_ == 0) loop.stop();
    }

private:
    void start() {
        loop.arm(timer_, loop.now() + time_limit);
        static_cast<Task*>(this)->start();
    }
    static void expired(Node&) {
        std::fprintf(stderr, "an operation that ends first has timed out\n");
        std::exit(1);
    }

    static constexpr bench::Nanoseconds time_limit = 1'000'000'000;
    static inline std::int64_t running_ = 0;

    Timer timer_;
    std::int64_t left_ = 0;
};

template <class Task>
void measure_timeouts(const char* name, int count, char** values) {
    const bench::Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 100);
    const auto all = std::make_unique<Task[]>(static_cast<std::size_t>(tasks));
    bench::measure(name, "limit", arguments.number("ops", 20'000'000), nullptr,
                   [&](std::int64_t ops) {
                       for (std::int64_t i = 0; i < tasks; ++i) {
                           all[i].begin(bench::part(ops, tasks, i));
                       }
                       loop.run();
                   });
}

}  // namespace limit
