// Virtual time: how it passes, how a test steps through it, and clocks that are set or run wrong.
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/testing/exploration.hpp>
#include <ringlet/testing/virtual_time.hpp>
#include <ringlet/time/deadline.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>

using namespace ringlet;
using namespace std::chrono_literals;
using ringlet::testing::advance;
using ringlet::testing::explore_cancellation;
using ringlet::testing::run_until_stalled;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::world;
using ringlet::testing::World;

namespace {

Nanoseconds since(Instant start) {
    return Nanoseconds(scheduler().now() - start);
}

// Runs a coroutine to its end, in a world of its own.
template <class F>
void run_whole(F body, const SimulationOptions& options = {}) {
    Simulation simulation(options);
    EXPECT_EQ(simulation.run(body), 0) << simulation.log();
    EXPECT_EQ(simulation.log(), "");
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

// ---- time passes when nothing is left to do ----

TEST(VirtualTime, a_year_passes_in_no_time_and_to_the_nanosecond) {
    run_whole([]() -> Task<void> {
        const Instant start = scheduler().now();
        co_await sleep(365 * 24h + 1ns);
        EXPECT_EQ(since(start), 365 * 24h + 1ns);
    });
}

// ---- run_until_stalled ----

Task<void> pass_on(Queue<int, 1>& from, Queue<int, 1>& to) {
    for (;;) {
        const auto item = co_await from.get();
        if (!item) break;
        co_await to.put(*item + 1);
    }
    to.close();
}

TEST(RunUntilStalled, waits_for_all_that_can_happen_without_time_passing) {
    run_whole([]() -> Task<void> {
        Queue<int, 1> first;
        Queue<int, 1> second;
        Queue<int, 1> last;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            group.spawn(pass_on, std::ref(first), std::ref(second));
            group.spawn(pass_on, std::ref(second), std::ref(last));
            const Instant start = scheduler().now();
            co_await first.put(1);
            EXPECT_FALSE(last.try_get());
            co_await run_until_stalled();
            EXPECT_EQ(last.try_get(), 3);
            EXPECT_EQ(since(start), 0ns);
            first.close();
        });
    });
}

TEST(RunUntilStalled, waits_for_io_that_takes_no_time_but_not_for_io_that_takes_some) {
    for (const Nanoseconds latency : {0ns, 1ns}) {
        const auto body = [latency]() -> Task<void> {
            auto pipe = co_await Pipe::open();
            bool arrived = false;
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                const auto read = [](PipeReader& from, bool& flag) -> Task<void> {
                    std::array<std::byte, 8> buffer;
                    co_await from.read(buffer);
                    flag = true;
                };
                group.spawn(read, std::ref(pipe.reader), std::ref(arrived));
                world().set_latency(IORING_OP_READ, latency, latency);
                co_await pipe.writer.write_all(bytes_of("x"));
                co_await run_until_stalled();
                EXPECT_EQ(arrived, latency == 0ns);
                co_await advance(latency);
                EXPECT_TRUE(arrived);
            });
        };
        run_whole(body);
    }
}

TEST(RunUntilStalled, waits_for_what_is_planned_for_this_very_instant) {
    run_whole([]() -> Task<void> {
        bool called = false;
        world().call_at(
            scheduler().now(), [](void* flag) { *static_cast<bool*>(flag) = true; }, &called);
        co_await run_until_stalled();
        EXPECT_TRUE(called);
    });
}

TEST(RunUntilStalled, lets_several_go_on_one_at_a_time_each_in_a_quiet_world) {
    run_whole([]() -> Task<void> {
        Event event;
        bool seen = false;
        const auto see = [&]() -> Task<void> {
            co_await event.wait();
            seen = true;
        };
        const auto set = [&]() -> Task<void> {
            co_await run_until_stalled();
            EXPECT_FALSE(seen);
            event.set();
        };
        const auto look = [&]() -> Task<void> {
            co_await run_until_stalled();
            EXPECT_TRUE(seen);
        };
        co_await gather(set(), look(), see());
    });
}

TEST(RunUntilStalled, is_no_deadlock_when_all_others_wait_for_each_other) {
    run_whole([]() -> Task<void> {
        Event event;
        const auto wait = [&]() -> Task<void> { co_await event.wait(); };
        const auto drive = [&]() -> Task<void> {
            co_await run_until_stalled();
            event.set();
        };
        co_await gather(wait(), drive());
    });
}

TEST(RunUntilStalled, comes_before_a_timeout) {
    run_whole([]() -> Task<void> { co_await timeout(1ns, run_until_stalled()); });
}

TEST(RunUntilStalled, is_cancelled_at_each_of_its_suspension_points) {
    const auto scenario = []() -> Task<void> {
        co_await gather(run_until_stalled(), advance(1s), run_until_stalled());
        co_await advance(0s);
    };
    const auto found = explore_cancellation(scenario);
    EXPECT_GT(found.points, 6u);
    EXPECT_GT(found.cancelled, 6u);
    EXPECT_EQ(found.undisturbed_failures + found.stuck + found.leaked, 0u);
}

TEST(RunUntilStalledDeathTest, outside_of_a_simulation_is_a_mistake) {
    EXPECT_DEATH(static_cast<void>(world()), "there is no simulation under way");
}

TEST(RunUntilStalled, knows_the_world_of_the_run) {
    Simulation simulation;
    simulation.run([]() -> Task<void> {
        EXPECT_EQ(&world(), ringlet::testing::current_world);
        co_return;
    });
    EXPECT_EQ(ringlet::testing::current_world, nullptr);
}

// ---- advance ----

TEST(Advance, includes_all_that_happens_at_the_last_instant) {
    run_whole([]() -> Task<void> {
        int rings = 0;
        const auto bell = [&]() -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                co_await sleep(10s);
                co_await sleep(0s);
                ++rings;
            }
        };
        const auto drive = [&]() -> Task<void> {
            const Instant start = scheduler().now();
            co_await advance(9s);
            EXPECT_EQ(rings, 0);
            co_await advance(1s);  // its sleep ends before that of the bell
            EXPECT_EQ(rings, 1);
            co_await advance(20s);
            EXPECT_EQ(rings, 3);
            EXPECT_EQ(since(start), 30s);
        };
        co_await gather(drive(), bell());
    });
}

TEST(Advance, goes_the_same_way_with_the_same_seed) {
    const auto body = []() -> Task<void> {
        co_await gather(advance(3ms), sleep(3ms), advance(3ms), sleep(1ms));
    };
    const auto trace = [&](std::uint64_t seed) {
        Simulation simulation({.seed = seed, .latency_max = 1ms});
        EXPECT_EQ(simulation.run(body), 0);
        return simulation.trace();
    };
    for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(trace(seed), trace(seed));
}

TEST(AdvanceDeathTest, never_goes_back) {
    Simulation simulation;
    EXPECT_DEATH(simulation.run([]() -> Task<void> { co_await advance(-1ns); }), "span");
}

// ---- the wall clock ----

TEST(WallClock, gains_and_loses_on_the_monotonic_one) {
    for (const int drift : {500, -500, 0}) {
        World world;
        const Instant start = world.now(Clock::realtime);
        world.drift_realtime(drift);
        EXPECT_EQ(world.now(Clock::realtime), start);
        world.advance(1000s);
        EXPECT_EQ(Nanoseconds(world.now(Clock::realtime) - start), 1000s + drift * 1ms);
    }
}

TEST(WallClock, changes_its_drift_without_a_jump) {
    World world;
    const Instant start = world.now(Clock::realtime);
    world.drift_realtime(100);
    world.advance(10s);
    const Instant before = world.now(Clock::realtime);
    world.drift_realtime(-200);
    EXPECT_EQ(world.now(Clock::realtime), before);
    world.advance(10s);
    world.jump_realtime(-1h);
    EXPECT_EQ(Nanoseconds(world.now(Clock::realtime) - start), 20s + 1ms - 2ms - 1h);
}

TEST(WallClock, may_stand_still_but_never_runs_backwards_by_its_drift) {
    for (const int drift : {-1'000'000, -999'999, -1, 1'000'000}) {
        World world;
        world.drift_realtime(drift);
        Instant last = world.now(Clock::realtime);
        for (int i = 0; i < 3000; ++i) {
            world.advance(i % 3 == 0 ? 1ns : 333'333ns);
            const Instant now = world.now(Clock::realtime);
            ASSERT_GE(now, last) << drift;
            last = now;
        }
    }
}

TEST(WallClockDeathTest, never_runs_backwards) {
    World world;
    EXPECT_DEATH(world.drift_realtime(-1'000'001), "million");
}

TEST(WallClock, drifts_for_decades_without_overflow) {
    World world;
    const Instant start = world.now(Clock::realtime);
    world.drift_realtime(1'000'000);
    world.advance(50 * 365 * 24h);
    EXPECT_EQ(Nanoseconds(world.now(Clock::realtime) - start), 100 * 365 * 24h);
}

TEST(WallClock, moves_no_deadline) {
    run_whole([]() -> Task<void> {
        const Instant start = scheduler().now();
        const Instant wall = scheduler().now(Clock::realtime);
        world().drift_realtime(-100'000);
        co_await sleep(10s);
        EXPECT_EQ(since(start), 10s);
        EXPECT_EQ(Nanoseconds(scheduler().now(Clock::realtime) - wall), 9s);
        world().jump_realtime(24h);
        co_await sleep_until(Deadline(Clock::boottime, scheduler().now(Clock::boottime) + 1'000));
        EXPECT_EQ(since(start), 10s + 1us);
    });
}

}  // namespace
