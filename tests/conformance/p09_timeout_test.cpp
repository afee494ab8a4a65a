// P9: timeouts. A limit on a single await (a leaf) is a timer beside it; on a task it is a block
// of its own: so most is tried with both.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/generator.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>

#include <limits>

namespace ringlet::conformance {
namespace {

RINGLET_CASE(Timeout, gives_the_value_of_work_that_is_in_time) {
    const int value = co_await timeout(1h, value_after(1ms, 4));
    EXPECT_EQ(value, 4);
    co_await timeout(1h, sleep(1ms));
    const int until_then = co_await until(Deadline::after(1h), value_after(1ms, 5));
    EXPECT_EQ(until_then, 5);
    Census census;
    const auto make = [&census]() -> Task<Owned> {
        co_await yield();
        co_return Owned(census, 6);
    };
    const Owned owned = co_await timeout(1h, make());
    EXPECT_EQ(owned.number(), 6);
}

RINGLET_CASE(Timeout, is_timed_out_after_the_work_has_unwound) {
    Census census;
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const Mark mark(trace, 'w');
        co_await shield(sleep(4ms));
        co_await sleep(1h);
    };
    const auto task = co_await attempt(timeout(1ms, work()));
    trace.add('t');
    EXPECT_TRUE(failed_with(task, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "wt");
    const auto leaf = co_await attempt(timeout(1ms, sleep(1h)));
    EXPECT_TRUE(failed_with(leaf, std::errc::timed_out));
    EXPECT_TRUE(!leaf && leaf.error().domain() == Domain::runtime);
    EXPECT_TRUE(!task && task.error() == leaf.error());
}

RINGLET_CASE(Timeout, gives_the_error_of_work_that_failed_in_time) {
    const auto result = co_await attempt(timeout(1h, error_after(1ms, std::errc::no_link)));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
}

RINGLET_CASE(Timeout, gives_an_error_that_came_of_the_unwinding) {
    const auto work = []() -> Task<void> { co_await shield(error_after(4ms, std::errc::no_link)); };
    const auto result = co_await attempt(timeout(1ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
}

RINGLET_CASE(Timeout, ends_the_coroutine_that_does_not_look) {
    Census census;
    bool came_on = false;
    const auto work = [&]() -> Task<void> {
        const Alive here(census);
        co_await timeout(1ms, sleep(1h));
        came_on = true;
    };
    const auto result = co_await attempt(work());
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_FALSE(came_on);
    EXPECT_EQ(census.alive, 0);
}

// --- the length of the span

RINGLET_CASE(Timeout, of_zero_and_below_lets_the_work_run_to_its_first_wait) {
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const Mark mark(trace, 'e');
        trace.add('b');
        co_await sleep(1h);
        trace.add('!');
    };
    for (const auto span : {0ms, -1ms, -1'000'000'000ms}) {
        trace.clear();
        const auto result = co_await attempt(timeout(span, work()));
        EXPECT_TRUE(failed_with(result, std::errc::timed_out));
        EXPECT_EQ(trace.text(), "be");
        const auto leaf = co_await attempt(timeout(span, sleep(1h)));
        EXPECT_TRUE(failed_with(leaf, std::errc::timed_out));
    }
}

RINGLET_CASE(Timeout, of_zero_and_below_keeps_what_is_there_at_once) {
    for (const auto span : {0ms, -1ms}) {
        const int value = co_await timeout(span, at_once(7));
        EXPECT_EQ(value, 7);
        co_await timeout(span, nothing());
        const auto error = co_await attempt(timeout(span, fails_at_once(std::errc::no_link)));
        EXPECT_TRUE(failed_with(error, std::errc::no_link));
    }
    co_await yield();
}

RINGLET_CASE(Timeout, of_the_least_and_the_greatest_span_is_no_special_case) {
    const auto least = co_await attempt(timeout(Nanoseconds::min(), sleep(1h)));
    EXPECT_TRUE(failed_with(least, std::errc::timed_out));
    const auto hours = std::chrono::hours(std::numeric_limits<std::int64_t>::min() / 3600);
    const auto centuries_ago = co_await attempt(timeout(hours, value_after(1h, 1)));
    EXPECT_TRUE(failed_with(centuries_ago, std::errc::timed_out));
    const int greatest = co_await timeout(Nanoseconds::max(), value_after(1ms, 3));
    EXPECT_EQ(greatest, 3);
    co_await timeout(std::chrono::hours::max(), sleep(1ms));
    co_await timeout(std::chrono::years(100'000), sleep(1ms));
    co_await until(Deadline::none(), sleep(1ms));
    const auto past = co_await attempt(until(Deadline(Clock::monotonic, 0), sleep(1h)));
    EXPECT_TRUE(failed_with(past, std::errc::timed_out));
}

RINGLET_CASE(Timeout, works_on_the_boot_time_clock) {
    const auto late =
        co_await attempt(until(Deadline::after(1ms, Clock::boottime), value_after(1h, 1)));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    const int value = co_await until(Deadline::after(1h, Clock::boottime), value_after(1ms, 1));
    EXPECT_EQ(value, 1);
    const auto leaf = co_await attempt(until(Deadline::after(1ms, Clock::boottime), sleep(1h)));
    EXPECT_TRUE(failed_with(leaf, std::errc::timed_out));
}

TEST(VirtualTimeout, comes_after_its_span_and_not_before) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        const Instant start = scheduler().now();
        const auto work = []() -> Task<void> { co_await sleep(24h); };
        (void)co_await attempt(timeout(7ms, work()));
        EXPECT_EQ(scheduler().now() - start, 7'000'000);
        (void)co_await attempt(timeout(3ms, sleep(24h)));
        EXPECT_EQ(scheduler().now() - start, 10'000'000);
        const Deadline both = Deadline::after(5ms);
        co_await until(both, sleep(2ms));
        (void)co_await attempt(until(both, sleep(24h)));
        EXPECT_EQ(scheduler().now() - start, 15'000'000);
        // Nothing of an ended timeout is left to come.
        co_await timeout(1h, sleep(1ms));
        co_await sleep(2h);
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

// --- nested

RINGLET_CASE(Timeout, nested_reports_the_one_that_expired) {
    Trace trace;
    const auto inner = [&](std::chrono::milliseconds span) -> Task<void> {
        const auto result = co_await attempt(timeout(span, value_after(1h, 1)));
        trace.add(failed_with(result, std::errc::timed_out) ? 'i' : '?');
    };
    co_await timeout(1h, inner(1ms));
    EXPECT_EQ(trace.text(), "i");
    trace.clear();
    const auto outer = co_await attempt(timeout(1ms, inner(1h)));
    EXPECT_TRUE(failed_with(outer, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "");
}

RINGLET_CASE(Timeout, nested_on_one_leaf_reports_the_shorter) {
    const Deadline start = Deadline::after(0s);
    const auto shorter_inside = co_await attempt(timeout(1h, timeout(1ms, sleep(1h))));
    EXPECT_TRUE(failed_with(shorter_inside, std::errc::timed_out));
    const auto shorter_outside = co_await attempt(timeout(1ms, timeout(1h, sleep(1h))));
    EXPECT_TRUE(failed_with(shorter_outside, std::errc::timed_out));
    const auto inside_attempt = co_await timeout(1h, attempt(timeout(1ms, sleep(1h))));
    EXPECT_TRUE(failed_with(inside_attempt, std::errc::timed_out));
    EXPECT_TRUE(start.has_passed());
}

// The inner one expires; while its work unwinds, shielded, the outer one expires, too. The code
// between sees nothing, and the outer one reports.
RINGLET_CASE(Timeout, whose_outer_one_expires_while_it_unwinds_says_nothing) {
    Trace trace;
    const auto work = []() -> Task<void> {
        co_await shield(sleep(8ms));
        co_await sleep(1h);
    };
    const auto between = [&]() -> Task<void> {
        const auto inner = co_await attempt(timeout(1ms, work()));
        trace.add(inner ? 'v' : '!');
    };
    const auto outer = co_await attempt(timeout(3ms, between()));
    EXPECT_TRUE(failed_with(outer, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "");
}

Task<int> limits_within_limits(int depth) {
    if (depth == 0) {
        co_await sleep(1h);
        co_return 0;
    }
    const int below = co_await timeout(std::chrono::hours(depth), limits_within_limits(depth - 1));
    co_return below + 1;
}

RINGLET_CASE_UNCUT(Timeout, goes_hundreds_of_levels_deep) {
    const auto late = co_await attempt(timeout(1ms, limits_within_limits(400)));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
}

// --- what comes at the same time

TEST(VirtualTimeout, keeps_a_result_that_came_in_the_turn_of_the_expiry) {
    testing::Simulation simulation;
    const auto main = [&simulation]() -> Task<void> {
        // Both are late, since this task holds the loop: the result was due first.
        const auto holds_the_loop = [&]() -> Task<void> {
            co_await sleep(1ms);
            simulation.world().advance(1s);
        };
        const auto on_task =
            co_await gather_results(timeout(5ms, value_after(4ms, 3)), holds_the_loop());
        const auto& value = std::get<0>(on_task);
        EXPECT_TRUE(value.has_value() && *value == 3);
        const auto on_leaf = co_await gather_results(timeout(5ms, sleep(4ms)), holds_the_loop());
        EXPECT_TRUE(std::get<0>(on_leaf).has_value());
        const auto equal = co_await attempt(timeout(5ms, sleep(5ms)));
        EXPECT_TRUE(equal.has_value());
        // But work that would have to wait once more has not come in time.
        const auto twice = []() -> Task<void> {
            co_await sleep(4ms);
            co_await sleep(1ms);
        };
        const auto waits_more = co_await gather_results(timeout(5ms, twice()), holds_the_loop());
        EXPECT_TRUE(failed_with(std::get<0>(waits_more), std::errc::timed_out));
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

RINGLET_CASE(Timeout, on_the_join_of_a_task_leaves_its_result_to_be_joined) {
    co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(value_after, 5ms, 4);
        for (;;) {
            const auto value = co_await attempt(timeout(1ms, handle.join()));
            if (value) {
                EXPECT_EQ(*value, 4);
                break;
            }
            EXPECT_TRUE(failed_with(value, std::errc::timed_out));
        }
    });
}

// --- fairness: a task that never waits must not hold up its own timeout


// Steps until its timeout ends it; fails if that has not come after far too many.
template <class Step>
Task<void> loops_on(Step& step) {
    for (int i = 0; i < 20'000'000; ++i) (void)co_await step();
    co_await fail(std::errc::result_out_of_range);
}

// On the kernel only, since virtual time stands still while the program is busy.
#define TIMEOUT_ENDS_A_LOOP_OF(name, awaitable)                                              \
    static Task<void> loop_of_##name() {                                                     \
        auto step = [] { return awaitable; };                                                \
        const Instant start = scheduler().now();                                             \
        const auto result = co_await attempt(timeout(2ms, loops_on(step)));                  \
        EXPECT_TRUE(failed_with(result, std::errc::timed_out));                              \
        EXPECT_LT(scheduler().now() - start, 2'000'000'000);                                 \
    }                                                                                        \
    TEST(TimeoutFairness, ends_a_loop_of_##name##_kernel) {                                  \
        RINGLET_RUN_ON_KERNEL(support::case_runtime, loop_of_##name);                        \
    }

TIMEOUT_ENDS_A_LOOP_OF(calls, at_once(1))
TIMEOUT_ENDS_A_LOOP_OF(attempts_that_fail, attempt(fails_at_once(std::errc::no_link)))
TIMEOUT_ENDS_A_LOOP_OF(results, Result<int>(1))
TIMEOUT_ENDS_A_LOOP_OF(timeouts, timeout(1h, at_once(1)))
TIMEOUT_ENDS_A_LOOP_OF(timeouts_on_leaves, timeout(1h, yield()))
TIMEOUT_ENDS_A_LOOP_OF(groups, TaskGroup::run([](TaskGroup&) { return at_once(1); }))
TIMEOUT_ENDS_A_LOOP_OF(gathers, gather(at_once(1), nothing()))
TIMEOUT_ENDS_A_LOOP_OF(empty_gathers, gather())
TIMEOUT_ENDS_A_LOOP_OF(calls_without_a_frame,
                       attempt(Task<int>::promise_type::get_return_object_on_allocation_failure()))

// With shield a cancelled loop may go on for ever; but it lets others run.
TEST(TimeoutFairness, lets_others_run_beside_a_loop_of_shields_kernel) {
    const auto main = []() -> Task<void> {
        bool over = false;
        const auto loops = [&]() -> Task<void> {
            while (!over) co_await shield(at_once(1));
        };
        const auto ends_it = [&]() -> Task<void> {
            co_await sleep(2ms);
            over = true;
        };
        co_await gather(loops(), ends_it());
    };
    RINGLET_RUN_ON_KERNEL(support::case_runtime, main);
}

// The credit of Limits::inline_awaits, which runs out somewhere in these, changes nothing else.
RINGLET_CASE_UNCUT(TimeoutFairness, lets_each_of_many_expired_timeouts_run_to_its_first_wait) {
    int begun = 0;
    int timed_out = 0;
    const auto work = [&]() -> Task<void> {
        ++begun;
        co_await sleep(1h);
    };
    for (int i = 0; i < 300; ++i) {
        co_await at_once(1);
        const auto result = co_await attempt(timeout(0s, work()));
        if (failed_with(result, std::errc::timed_out)) ++timed_out;
    }
    EXPECT_EQ(begun, 300);
    EXPECT_EQ(timed_out, 300);
}

RINGLET_CASE_UNCUT(TimeoutFairness, keeps_each_of_many_values_that_were_there_at_once) {
    int kept = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto result = co_await attempt(timeout(0s, at_once(i)));
        if (result && *result == i) ++kept;
    }
    EXPECT_EQ(kept, 1000);
}

}  // namespace
}  // namespace ringlet::conformance
