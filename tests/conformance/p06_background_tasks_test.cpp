// P6: background tasks. spawn, cancel, join, named.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/await_tree.hpp>

#include <optional>

namespace ringlet::conformance {
namespace {

RINGLET_CASE(Spawn, lets_the_task_go_on_while_its_parent_does_other_things) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<int> {
            for (int i = 0; i < 3; ++i) {
                trace.add('c');
                co_await yield();
            }
            co_return 5;
        };
        auto handle = group.spawn(work);
        EXPECT_EQ(trace.text(), "");  // it begins when its turn comes
        for (int i = 0; i < 3; ++i) {
            trace.add('p');
            co_await yield();
        }
        const int value = co_await handle.join();
        EXPECT_EQ(value, 5);
    });
    EXPECT_EQ(trace.text(), "pcpcpc");
}

RINGLET_CASE(Spawn, keeps_callable_and_arguments_alive_as_long_as_the_task) {
    Census census;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const Alive captured(census);
        auto handle = group.spawn(
            [captured](Owned owned, const Alive& kept) -> Task<int> {
                co_await let_others_run();
                static_cast<void>(kept);
                static_cast<void>(captured);
                co_return owned.number();
            },
            Owned(census, 6), Alive(census));
        const int number = co_await handle.join();
        EXPECT_EQ(number, 6);
    });
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Spawn, passes_a_reference_where_it_is_told_to) {
    int count = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto increments = [](int& number) -> Task<void> {
            ++number;
            co_await yield();
            ++number;
        };
        (void)group.spawn(increments, std::ref(count));
        co_await yield();
    });
    EXPECT_EQ(count, 2);
}

RINGLET_CASE(Join, after_the_end_gives_the_result_at_once) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto good = group.spawn(value_after, 1ms, 4);
        co_await sleep(3ms);
        EXPECT_TRUE(good.done());
        const std::uint64_t turn = scheduler().turns();
        const int value = co_await good.join();
        EXPECT_EQ(value, 4);
        EXPECT_EQ(scheduler().turns(), turn);
    });
}

RINGLET_CASE(Join, gives_the_task_s_error) {
    bool joined = false;
    const auto work = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto handle = group.spawn(error_after, 1ms, std::errc::no_link);
            const auto waits = [&]() -> Task<void> {
                const auto result = co_await attempt(handle.join());
                // The joiner is cancelled, too, but the error was there first.
                joined = failed_with(result, std::errc::no_link);
            };
            (void)group.spawn(waits);
            co_await sleep(1h);
        });
    };
    const auto result = co_await attempt(work());
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
}

RINGLET_CASE(Join, may_be_cancelled_and_the_task_runs_on) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(value_after, 6ms, 4);
        const auto late = co_await attempt(timeout(1ms, handle.join()));
        EXPECT_TRUE(failed_with(late, std::errc::timed_out));
        EXPECT_FALSE(handle.done());
        const int value = co_await handle.join();
        EXPECT_EQ(value, 4);
    });
}

RINGLET_CASE(Join, of_a_void_task_may_be_done_by_many_and_again_after_its_end) {
    int joined = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = []() -> Task<void> { co_await sleep(2ms); };
        auto handle = group.spawn(work);
        const auto waits = [&]() -> Task<void> {
            co_await handle.join();
            ++joined;
        };
        auto one_that_leaves = group.spawn(waits);
        for (int i = 0; i < 10; ++i) (void)group.spawn(waits);
        co_await yield();
        one_that_leaves.cancel();
        co_await handle.join();
        co_await handle.join();
        co_await let_others_run();
        EXPECT_EQ(joined, 10);
    });
}

RINGLET_CASE(Join, of_a_failed_or_cancelled_task_may_be_done_by_many) {
    int saw_cancelled = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(value_after, 1h, 1);
        const auto waits = [&]() -> Task<void> {
            const auto result = co_await attempt(handle.join());
            if (failed_with(result, std::errc::operation_canceled)) ++saw_cancelled;
        };
        for (int i = 0; i < 3; ++i) (void)group.spawn(waits);
        co_await let_others_run();
        handle.cancel();
        co_await let_others_run();
        (void)co_await attempt(handle.join());
        EXPECT_EQ(saw_cancelled, 3);
    });
}

RINGLET_CASE(Join, of_a_cancelled_task_is_an_error_that_would_end_the_joiner) {
    bool came_on = false;
    const auto work = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto handle = group.spawn(value_after, 1h, 1);
            co_await yield();
            handle.cancel();
            co_await handle.join();
            came_on = true;
        });
    };
    const auto result = co_await attempt(work());
    EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
    EXPECT_FALSE(came_on);
}

RINGLET_CASE(Cancel, before_the_first_step_runs_nothing_of_the_body) {
    Census census;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&](Alive) -> Task<void> {
            trace.add('!');
            co_await yield();
        };
        auto handle = group.spawn(work, Alive(census));
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_TRUE(handle.done());
        EXPECT_EQ(trace.text(), "");
    });
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Cancel, twice_or_after_the_end_is_harmless) {
    Census census;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto twice = group.spawn(forever, std::ref(census));
        auto ended = group.spawn(value_after, 1ms, 3);
        co_await sleep(3ms);
        twice.cancel();
        twice.cancel();
        ended.cancel();
        const auto cancelled = co_await attempt(twice.join());
        EXPECT_TRUE(failed_with(cancelled, std::errc::operation_canceled));
        twice.cancel();
        const int value = co_await ended.join();
        EXPECT_EQ(value, 3);
        ended.cancel();
    });
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Cancel, of_a_task_that_is_about_to_end_comes_too_late) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = []() -> Task<int> {
            const int got = co_await shield(value_after(1ms, 3));
            co_return got;
        };
        auto handle = group.spawn(work);
        co_await let_others_run();
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(result.has_value() && *result == 3);
    });
}

RINGLET_CASE(TaskHandle, may_outlive_the_group) {
    Census census;
    const std::size_t frames = scheduler().frames().live();
    {
        std::optional<TaskHandle<int>> good;
        std::optional<TaskHandle<int>> cut;
        std::optional<TaskHandle<void>> empty;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            good.emplace(group.spawn(value_after, 1ms, 8));
            cut.emplace(group.spawn(forever, std::ref(census)));
            empty.emplace(group.spawn(nothing));
            co_await sleep(3ms);
            cut->cancel();
        });
        EXPECT_TRUE(good->done() && cut->done() && empty->done());
        good->cancel();
        const int value = co_await good->join();
        EXPECT_EQ(value, 8);
        const auto cancelled = co_await attempt(cut->join());
        EXPECT_TRUE(failed_with(cancelled, std::errc::operation_canceled));
        co_await empty->join();
    }
    EXPECT_EQ(scheduler().frames().live(), frames);
}

RINGLET_CASE(TaskHandle, dropped_lets_the_task_run_on) {
    int count = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            co_await sleep(2ms);
            ++count;
        };
        for (int i = 0; i < 3; ++i) (void)group.spawn(work);
        co_await yield();
    });
    EXPECT_EQ(count, 3);
}

RINGLET_CASE(TaskHandle, can_be_moved_and_replaced_while_the_task_runs) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(value_after, 1ms, 1);
        auto second = group.spawn(value_after, 2ms, 2);
        auto moved = std::move(first);
        first = std::move(second);
        moved = group.spawn(value_after, 1ms, 3);
        const int three = co_await moved.join();
        const int two = co_await first.join();
        EXPECT_EQ(two * 10 + three, 23);
    });
}

RINGLET_CASE(TaskHandle, names_its_task_for_the_await_tree) {
    Trace seen;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(value_after, 4ms, 1).named("reader");
        co_await yield();
        // No walk from the top here: in a cancelled run this task is a branch of another one.
        print_await_tree(
            scheduler().running(), [](std::string_view, void* trace) {
                static_cast<Trace*>(trace)->add('l');
            },
            &seen);
        const int value = co_await handle.join();
        EXPECT_EQ(value, 1);
    });
    EXPECT_EQ(seen.text(), "l");
}

Task<void> joins_twice() {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(at_once, 1);
        co_await handle.join();
        co_await handle.join();
    });
}

TEST(JoinDeathTest, gives_a_value_once) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(
        {
            testing::Simulation simulation;
            simulation.run<support::case_limits>(joins_twice);
        },
        "taken");
}

// Each task takes two blocks for as long as it lives, and all are given back.
Task<void> thousands() {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int round = 0; round < 20; ++round) {
            for (int i = 0; i < 1000; ++i) (void)group.spawn(value_after, 1ms, i);
            while (group.size() > 0) co_await sleep(1ms);
        }
    });
}

RINGLET_CASE_UNCUT(Spawn, twenty_thousand_times_a_thousand_at_once) {
    co_await thousands();
}

}  // namespace
}  // namespace ringlet::conformance
