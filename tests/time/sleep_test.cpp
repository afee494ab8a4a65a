#include "support/cases.hpp"

#include <ringlet/ringlet.hpp>

#include <array>
#include <vector>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

Nanoseconds since(Instant start, Clock clock = Clock::monotonic) {
    return Nanoseconds(scheduler().now(clock) - start);
}

RINGLET_CASE(Sleep, never_ends_early) {
    for (const Nanoseconds span : {0ns, 1ns, 999ns, 1000ns, 1'000'001ns, 3'000'000ns}) {
        const Instant start = scheduler().now();
        co_await sleep(span);
        EXPECT_GE(since(start), span);
    }
}

RINGLET_CASE(Sleep, of_no_or_less_time_ends_at_once) {
    co_await sleep(0s);
    co_await sleep(-1ns);
    co_await sleep(-5h);
    co_await sleep(Nanoseconds::min());
    co_await sleep(std::chrono::hours::min());
    co_await sleep_until(Deadline(Clock::monotonic, std::numeric_limits<Instant>::min()));
    co_await sleep_until(Deadline(Clock::boottime, std::numeric_limits<Instant>::min()));
    co_await sleep_until(Deadline(Clock::monotonic, 0));
}

RINGLET_CASE(Sleep, of_no_time_lets_the_others_run_once) {
    int steps = 0;
    const auto other = [&]() -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            ++steps;
            co_await sleep(0s);
        }
    };
    const auto watcher = [&]() -> Task<void> {
        for (int i = 1; i <= 3; ++i) {
            EXPECT_EQ(steps, i);
            co_await sleep(0s);
        }
    };
    co_await gather(other(), watcher());
}

RINGLET_CASE(Sleep, of_centuries_never_ends_by_itself) {
    const auto years = co_await attempt(timeout(1ms, sleep(std::chrono::years(400))));
    EXPECT_TRUE(!years && years.error() == std::errc::timed_out);
    const auto longest = co_await attempt(timeout(1ms, sleep(Nanoseconds::max())));
    EXPECT_TRUE(!longest && longest.error() == std::errc::timed_out);
    const auto hours = co_await attempt(timeout(1ms, sleep(std::chrono::hours::max())));
    EXPECT_TRUE(!hours && hours.error() == std::errc::timed_out);
    const auto none = co_await attempt(timeout(1ms, sleep_until(Deadline::none())));
    EXPECT_TRUE(!none && none.error() == std::errc::timed_out);
}

RINGLET_CASE(Sleep, leaves_no_timer_behind) {
    const auto late = co_await attempt(timeout(1ms, sleep(1h)));
    EXPECT_FALSE(late);
    EXPECT_FALSE(scheduler().has_timers());
    co_await race(sleep(1h), sleep(0s));
    EXPECT_FALSE(scheduler().has_timers());
}

RINGLET_CASE(Sleep, a_thousand_sleepers_wake_in_the_order_of_their_deadlines) {
    Instant last = 0;
    const Instant start = scheduler().now();
    const auto sleeper = [&](int number) -> Task<void> {
        const Instant at = start + (number * 7919 % 1000) * 3'000;
        co_await sleep_until(Deadline(Clock::monotonic, at));
        EXPECT_GE(scheduler().now(), at);
        EXPECT_GE(at, last);
        last = at;
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 1000; ++i) group.spawn(sleeper, i);
        co_return;
    });
}

RINGLET_CASE(Sleep, until_a_boottime_deadline_never_ends_early) {
    const Deadline deadline = Deadline::after(2ms, Clock::boottime);
    co_await sleep_until(deadline);
    EXPECT_TRUE(deadline.has_passed());
    EXPECT_FALSE(scheduler().has_timers());
}

RINGLET_CASE(Sleep, on_both_clocks_goes_side_by_side) {
    const auto on = [](Clock clock, Nanoseconds span) -> Task<void> {
        for (int i = 0; i < 5; ++i) {
            const Deadline deadline = Deadline::after(span, clock);
            co_await sleep_until(deadline);
            EXPECT_TRUE(deadline.has_passed());
        }
    };
    co_await gather(on(Clock::boottime, 1ms), on(Clock::monotonic, 700us),
                    on(Clock::boottime, 300us), on(Clock::monotonic, 0ns));
    EXPECT_FALSE(scheduler().has_timers());
}

RINGLET_CASE(Sleep, an_earlier_boottime_deadline_may_come_and_go_while_a_later_one_waits) {
    const auto later_one = []() -> Task<void> {
        co_await sleep_until(Deadline::after(4ms, Clock::boottime));
    };
    const auto comes_and_goes = []() -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            co_await sleep(500us);
            const auto cut = co_await attempt(
                timeout(100us, sleep_until(Deadline::after(1ms, Clock::boottime))));
            EXPECT_FALSE(cut);
        }
    };
    co_await gather(later_one(), comes_and_goes());
}

TEST(VirtualSleep, a_century_of_sleeps_takes_no_time_and_is_exact) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant start = scheduler().now();
        for (int i = 0; i < 1200; ++i) co_await sleep(24h * 30);
        EXPECT_EQ(since(start), 24h * 36'000);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualSleep, a_sleep_ends_exactly_at_its_deadline) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        for (const Nanoseconds span : {0ns, 1ns, 999ns, 1'000'003ns, 3'600'000'000'001ns}) {
            const Instant start = scheduler().now();
            co_await sleep(span);
            EXPECT_EQ(since(start), span);
        }
    });
    EXPECT_EQ(status, 0);
}

// A board that is suspended: boottime goes on, monotonic stands still.
TEST(VirtualSleep, a_suspended_board_s_sleep_goes_on_where_it_was) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        simulation.world().call_at(
            start + Instant{5'000'000'000},
            [](void* world) { static_cast<testing::World*>(world)->suspend(1h); },
            &simulation.world());
        co_await sleep(10s);
        EXPECT_EQ(since(start), 10s);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualSleep, a_boottime_deadline_that_passed_in_a_suspension_is_due_at_once_after_it) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Deadline deadline = Deadline::after(1h, Clock::boottime);
        simulation.world().suspend(2h);
        const Instant start = scheduler().now();
        EXPECT_TRUE(deadline.has_passed());
        co_await sleep_until(deadline);
        EXPECT_EQ(since(start), 0s);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualSleep, a_boottime_sleep_counts_a_suspension_in_its_midst) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        const Deadline deadline = Deadline::after(1h, Clock::boottime);
        simulation.world().call_at(
            start + Instant{600'000'000'000},
            [](void* world) { static_cast<testing::World*>(world)->suspend(20min); },
            &simulation.world());
        co_await sleep_until(deadline);
        EXPECT_EQ(since(start), 40min);
        EXPECT_TRUE(deadline.has_passed());
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualSleep, a_boottime_deadline_that_passes_in_a_suspension_is_met_when_the_board_wakes) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        simulation.world().call_at(
            start + Instant{600'000'000'000},
            [](void* world) { static_cast<testing::World*>(world)->suspend(8h); },
            &simulation.world());
        co_await sleep_until(Deadline::after(1h, Clock::boottime));
        EXPECT_EQ(since(start), 10min);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualSleep, a_jump_of_the_wall_clock_moves_no_sleep) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        simulation.world().jump_realtime(-24h * 365);
        co_await gather(sleep(1h), sleep_until(Deadline::after(1h, Clock::boottime)));
        EXPECT_EQ(since(start), 1h);
    });
    EXPECT_EQ(status, 0);
}

// --- slack

TEST(Slack, moves_a_deadline_up_to_the_grid_and_by_less_than_itself) {
    const Slack slack(10ns);
    for (Instant deadline = 1; deadline < 100; ++deadline) {
        const Instant moved = slack.apply(deadline);
        EXPECT_EQ(moved % 10, 0);
        EXPECT_GE(moved, deadline);
        EXPECT_LT(moved, deadline + 10);
    }
}

TEST(Slack, leaves_the_ends_of_time_alone) {
    const Slack slack(1h);
    EXPECT_EQ(slack.apply(never), never);
    EXPECT_EQ(slack.apply(never - 1), never - 1);
    EXPECT_EQ(slack.apply(0), 0);
    EXPECT_EQ(slack.apply(-5), -5);
    EXPECT_EQ(Slack(std::chrono::hours::max()).apply(17), 17);
    for (const Slack none : {Slack(), Slack(0s), Slack(-1s), Slack(1ns)}) {
        EXPECT_EQ(none.apply(1234), 1234);
    }
}

// Entries into the ring of a hundred sleepers, a millisecond apart, with a slack.
std::uint64_t entries_with(Nanoseconds slack) {
    Simulation simulation;
    const auto sleeper = [slack](Nanoseconds span) -> Task<void> {
        const Instant start = scheduler().now();
        co_await sleep(span, Slack(slack));
        EXPECT_GE(since(start), span);
        EXPECT_LT(since(start), span + std::max<Nanoseconds>(slack, 1ns));
    };
    const int status = simulation.run<support::case_limits>([&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 1; i <= 100; ++i) group.spawn(sleeper, Nanoseconds(1ms * i));
            co_return;
        });
    });
    EXPECT_EQ(status, 0);
    return simulation.entries();
}

TEST(Slack, lets_sleepers_share_wake_ups) {
    const std::uint64_t alone = entries_with(0ms);
    const std::uint64_t together = entries_with(25ms);
    EXPECT_GE(alone, 100u);
    EXPECT_LE(together, 15u);
}

TEST(Slack, lets_sleepers_share_wake_ups_kernel) {
    KernelRing ring;
    const auto opened = ring.open(Operations::ring_size(support::case_limits), 1, 1);
    if (!opened) GTEST_SKIP() << refusal(opened.error()).c_str();
    KernelSystem system;
    const auto sleeper = [](Nanoseconds span) -> Task<void> {
        const Instant start = scheduler().now();
        co_await sleep(span, Slack(50ms));
        EXPECT_GE(since(start), span);
    };
    const int status = support::case_runtime.run_on(ring, system, [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 1; i <= 100; ++i) group.spawn(sleeper, Nanoseconds(1ms * i));
            co_return;
        });
    });
    EXPECT_EQ(status, 0);
    EXPECT_LE(ring.entries(), 20u);
}

RINGLET_CASE(Slack, is_never_early) {
    for (int i = 0; i < 5; ++i) {
        const Instant start = scheduler().now();
        co_await sleep(1ms, Slack(3ms));
        EXPECT_GE(since(start), 1ms);
    }
}

}  // namespace
}  // namespace ringlet
