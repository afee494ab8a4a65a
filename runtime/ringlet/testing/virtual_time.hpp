// Steps in virtual time, for a test that drives what it tests.
//
//   co_await run_until_stalled();     // all that can happen now has happened
//   EXPECT_EQ(door.is_open(), false);
//   co_await advance(30s);            // all that happens within 30 s has happened
//   EXPECT_EQ(door.is_open(), true);
//
// Time passes by itself when nothing is left to do, so most tests need neither: they sleep().
#pragma once

#include <ringlet/task/awaiter.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/testing/world.hpp>
#include <ringlet/time/sleep.hpp>

#include <utility>

namespace ringlet::testing {

// The world of the Simulation that runs on this thread; null outside run().
inline constinit thread_local World* current_world = nullptr;

// For peers and tests inside a run: to raise signals, move clocks, order faults.
inline World& world() {
    if (current_world == nullptr) panic("there is no simulation under way", __FILE__, __LINE__);
    return *current_world;
}

// Makes a world the current one for as long as it lives.
class CurrentWorld {
public:
    explicit CurrentWorld(World& world) : outer_(std::exchange(current_world, &world)) {}
    ~CurrentWorld() { current_world = outer_; }
    CurrentWorld(const CurrentWorld&) = delete;
    CurrentWorld& operator=(const CurrentWorld&) = delete;

private:
    World* outer_;
};

class [[nodiscard]] RunUntilStalled {
public:
    using Value = void;
    static constexpr bool is_leaf = true;

    RunUntilStalled() = default;
    // Before it is awaited, there is nothing to move.
    RunUntilStalled(RunUntilStalled&&) noexcept {}

    template <bool catches>
    class Awaiter : public LeafAwaiter<Awaiter<catches>, void, catches, Timer> {
        using Base = LeafAwaiter<Awaiter<catches>, void, catches, Timer>;

    public:
        Awaiter(RunUntilStalled& what, TaskBlock& waiter) : Base(hooks, &waiter), what_(what) {}
        // The timer never fires. It tells the scheduler that this wait is one that can end.
        void start() {
            what_.timer_ = this;
            scheduler().arm(*this, Clock::monotonic, never - 1);
            world().stall_waiters().add(what_.waiter_);
        }
        void value() {}

    private:
        static void cancel(Pending& pending) {
            auto& self = static_cast<Awaiter&>(pending);
            self.what_.waiter_.unlink();
            self.disarm();
            scheduler().finish(*self.block, Outcome::cancelled);
        }
        static constexpr PendingHooks hooks{.reason = "run until stalled",
                                            .catches = catches,
                                            .cancel = cancel,
                                            .expire = [](Pending&) { std::unreachable(); }};

        RunUntilStalled& what_;
    };

private:
    struct Waiter : StallWaiter {
        explicit Waiter(RunUntilStalled& whose) : StallWaiter(stalled), what(whose) {}
        static void stalled(StallWaiter& waiter) {
            Timer& timer = *static_cast<Waiter&>(waiter).what.timer_;
            timer.disarm();
            scheduler().finish(*timer.block);
        }
        RunUntilStalled& what;
    };

    Waiter waiter_{*this};
    Timer* timer_ = nullptr;
};

// Waits until nothing but the caller can go on without time passing: all other tasks wait, and what
// they wait for comes later, or never. No time passes. Of several that wait, one goes on at a time,
// the first first. A loop of nothing else keeps time from passing for ever.
//
// Cancellation: unwinds at once; nothing is left behind.
inline RunUntilStalled run_until_stalled() {
    return RunUntilStalled();
}

// Waits until `span` has passed, and all that happens by then, at the last instant, too.
//
// Cancellation: unwinds at once; nothing is left behind.
inline Task<void> advance(Nanoseconds span) {
    RINGLET_ASSERT(span.count() >= 0);
    Sleep passing = sleep(span);
    co_await Unplaced<Sleep>{passing};
    RunUntilStalled settling;
    co_await Unplaced<RunUntilStalled>{settling};
}

}  // namespace ringlet::testing
