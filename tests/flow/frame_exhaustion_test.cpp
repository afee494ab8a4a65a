// What happens when the frame pool is empty, at each place where a frame or a block is made.
//
// Each scenario runs with no slot free, with one, with two, and so on until it has enough. Until
// then it must fail with not_enough_memory of the frames, leave nothing behind, and do no harm.
#include "conformance/pool_hog.hpp"
#include "conformance/probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/generator.hpp>
#include <ringlet/flow/race.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>

namespace ringlet::conformance {
namespace {

// One class: so each frame and each block is one slot, whatever the compiler makes of it.
constexpr Limits one_class{.tasks = 32, .frames = {{2048, 48}}};
Runtime<one_class> runtime;

using Scenario = Task<void> (*)(Census&);

struct Seen {
    unsigned failures = 0;
    unsigned successes = 0;
};

Task<void> sweep(Scenario scenario, Seen& seen) {
    for (unsigned spare = 0; spare <= 30; ++spare) {
        Census census;
        const std::size_t before = scheduler().frames().live();
        {
            const support::PoolHog hog(spare);
            const auto result = co_await attempt(scenario(census));
            if (result) ++seen.successes;
            else if (result.error() == no_frame_error) ++seen.failures;
            else EXPECT_STREQ(text(result.error()), text(no_frame_error));
        }
        EXPECT_EQ(census.alive, 0) << "with " << spare << " slots";
        EXPECT_EQ(scheduler().frames().live(), before) << "with " << spare << " slots";
        // The program goes on.
        const auto again = co_await attempt(scenario(census));
        EXPECT_TRUE(again.has_value());
    }
}

void expect_both_ways_out(const Seen& seen) {
    EXPECT_GT(seen.failures, 0u);
    EXPECT_GT(seen.successes, 0u);
    EXPECT_EQ(seen.failures + seen.successes, 31u);
}

void sweep_on_kernel(Scenario scenario) {
    Seen seen;
    RINGLET_RUN_ON_KERNEL(runtime, sweep, scenario, seen);
    expect_both_ways_out(seen);
}

void sweep_simulated(Scenario scenario) {
    Seen seen;
    testing::Simulation simulation;
    EXPECT_EQ(simulation.run<one_class>(sweep, scenario, seen), 0);
    expect_both_ways_out(seen);
}

#define SWEEP(name)                                                                        \
    Task<void> name(Census&);                                                              \
    TEST(FrameExhaustion, is_an_error_at_##name##_kernel) { sweep_on_kernel(name); }       \
    TEST(FrameExhaustion, is_an_error_at_##name##_simulated) { sweep_simulated(name); }    \
    Task<void> name([[maybe_unused]] Census& census)

Task<int> waits(Census& census, int value) {
    const Alive here(census);
    co_await yield();
    co_return value;
}

SWEEP(a_call) {
    const Alive here(census);
    const int value = co_await waits(census, 1);
    EXPECT_EQ(value, 1);
}

SWEEP(an_attempted_call) {
    const Alive here(census);
    const auto value = co_await attempt(waits(census, 1));
    if (!value) co_await fail(value.error());
}

SWEEP(a_call_deep_down) {
    struct Deep {
        static Task<int> go(Census& census, int depth) {
            const Alive here(census);
            if (depth == 0) co_return 0;
            const int below = co_await go(census, depth - 1);
            co_return below + 1;
        }
    };
    const int depth = co_await Deep::go(census, 10);
    EXPECT_EQ(depth, 10);
}

SWEEP(a_gather) {
    const Alive here(census);
    const auto all = co_await gather(waits(census, 1), sleep(1ms), waits(census, 2), yield());
    EXPECT_EQ(std::get<0>(all) + std::get<2>(all), 3);
}

SWEEP(a_gather_of_a_span) {
    std::array<Task<int>, 5> tasks{waits(census, 0), waits(census, 1), waits(census, 2),
                                   waits(census, 3), waits(census, 4)};
    std::array<int, 5> values{};
    const auto all = co_await gather(std::span<Task<int>>(tasks), std::span<int>(values));
    EXPECT_EQ(all[4], 4);
}

// Without a block for a branch the whole fails; without a frame for a task, that is its outcome.
SWEEP(gather_results) {
    const auto all = co_await ringlet::gather_results(waits(census, 1), waits(census, 2));
    const auto& first = std::get<0>(all);
    const auto& second = std::get<1>(all);
    if (!first) co_await fail(first.error());
    if (!second) co_await fail(second.error());
}

SWEEP(a_race) {
    const auto raced = co_await race(waits(census, 1), sleep(1h), waits(census, 2));
    const auto& first = std::get<0>(raced.outcomes);
    const auto& third = std::get<2>(raced.outcomes);
    if (first && !*first) co_await fail(first->error());
    if (third && !*third) co_await fail(third->error());
    EXPECT_TRUE(raced.first == 0 || raced.first == 1 || raced.first == 2);
    const auto& second = std::get<1>(raced.outcomes);
    if (second && !*second) co_await fail(second->error());
}

SWEEP(a_timeout_of_a_task) {
    const int value = co_await timeout(1h, waits(census, 1));
    EXPECT_EQ(value, 1);
}

SWEEP(a_timeout_that_expires) {
    const auto late = co_await attempt(timeout(0s, forever(census)));
    if (!late && late.error() != std::errc::timed_out) co_await fail(late.error());
    EXPECT_FALSE(late.has_value());
}

SWEEP(a_timeout_of_a_composite) {
    const auto both = co_await timeout(1h, gather(waits(census, 1), waits(census, 2)));
    EXPECT_EQ(std::get<1>(both), 2);
    co_await timeout(1h, timeout(2h, sleep(0s)));
}

SWEEP(a_shield) {
    const int value = co_await shield(waits(census, 1));
    EXPECT_EQ(value, 1);
    co_await shield(yield());
}

struct Door {
    explicit Door(Census& where) : held(where) {}
    Task<void> close() { co_await yield(); }
    Alive held;
};
Task<Door> open_door(Census& census) {
    co_await yield();
    co_return Door(census);
}

SWEEP(a_with) {
    const auto body = [&](Door&) -> Task<int> {
        const int value = co_await waits(census, 4);
        co_return value;
    };
    const int value = co_await with(open_door(census), body);
    EXPECT_EQ(value, 4);
}

SWEEP(a_group) {
    const int value = co_await TaskGroup::run([&](TaskGroup&) -> Task<int> {
        const Alive here(census);
        co_await yield();
        co_return 3;
    });
    EXPECT_EQ(value, 3);
}

SWEEP(a_spawn) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const Alive here(census);
        for (int i = 0; i < 4; ++i) {
            auto handle = group.spawn(waits, std::ref(census), i);
            if (i % 2 == 0) continue;
            const auto joined = co_await attempt(handle.join());
            EXPECT_TRUE(joined.has_value());  // else the body does not come here
        }
    });
}

SWEEP(a_spawn_by_a_task) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto parent = [&]() -> Task<void> {
            const Alive here(census);
            (void)group.spawn(waits, std::ref(census), 1);
            co_await yield();
            (void)group.spawn(waits, std::ref(census), 2);
        };
        (void)group.spawn(parent);
        co_await sleep(1ms);
    });
}

// Sheds what does not fit, and the group goes on: only its own box and body can fail.
SWEEP(a_try_spawn) {
    int ended = 0;
    int made = 0;
    int refused = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&](Alive) -> Task<void> {
            co_await yield();
            ++ended;
        };
        for (int i = 0; i < 4; ++i) {
            auto task = group.try_spawn(work, Alive(census));
            if (task) ++made;
            else if (task.error() == no_frame_error) ++refused;
        }
        co_await sleep(1ms);
    });
    EXPECT_EQ(made + refused, 4);
    EXPECT_EQ(ended, made);
}

Generator<int> numbers(Census& census, int count) {
    const Alive here(census);
    for (int i = 0; i < count; ++i) {
        const int value = co_await waits(census, i);
        co_yield value;
    }
}

SWEEP(a_generator) {
    auto source = numbers(census, 3);
    for (int i = 0; i < 3; ++i) {
        const auto value = co_await source.next();
        EXPECT_EQ(value, i);
    }
}

SWEEP(everything_together) {
    const auto group_in_timeout = [&]() -> Task<int> {
        const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
            auto handle = group.spawn(waits, std::ref(census), 1);
            const auto two = co_await gather(waits(census, 1), shield(waits(census, 2)));
            const int one = co_await handle.join();
            co_return one + std::get<0>(two) + std::get<1>(two);
        });
        co_return value;
    };
    const int value = co_await timeout(1h, group_in_timeout());
    EXPECT_EQ(value, 4);
}

// Limits::tasks, the other bound of spawn.
Task<void> fill_up_with_tasks() {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (unsigned i = 0; i < one_class.tasks + 1; ++i) {
            auto task = group.try_spawn(nothing);
            if (i < one_class.tasks) EXPECT_TRUE(task.has_value());
            else EXPECT_TRUE(failed_with(task, RuntimeDetail::tasks));
            // Their handles are dropped at once, but they run.
        }
        co_await sleep(1ms);
        for (unsigned i = 0; i < one_class.tasks + 1; ++i) (void)group.spawn(nothing);
        co_await sleep(1h);
    }));
    EXPECT_TRUE(failed_with(result, RuntimeDetail::tasks));
    EXPECT_TRUE(failed_with(result, std::errc::not_enough_memory));
    co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(at_once, 1);
        const int one = co_await handle.join();
        EXPECT_EQ(one, 1);
    });
}

TEST(TaskExhaustion, is_an_error_of_the_tasks_and_passes) {
    constexpr Limits limits{.tasks = one_class.tasks, .frames = {{512, 128}, {1024, 8}}};
    testing::Simulation simulation;
    EXPECT_EQ(simulation.run<limits>(fill_up_with_tasks), 0);
    EXPECT_EQ(simulation.report().high_water.tasks, one_class.tasks);
}

TEST(TaskExhaustion, ends_when_the_handles_of_ended_tasks_are_dropped) {
    constexpr Limits limits{.tasks = 2};
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            auto kept = group.spawn(nothing);
            {
                auto second = group.spawn(nothing);
                co_await second.join();
                const auto third = group.try_spawn(nothing);
                EXPECT_TRUE(failed_with(third, RuntimeDetail::tasks));
            }
            const auto fourth = group.try_spawn(nothing);
            EXPECT_TRUE(fourth.has_value());
            co_await kept.join();
        });
    };
    EXPECT_EQ(simulation.run<limits>(main), 0);
}

}  // namespace
}  // namespace ringlet::conformance
