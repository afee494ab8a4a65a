// P10: cancellation. Destructors run innermost first; attempt does not see it; every further await
// unwinds.
#include "plain_stack.hpp"
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/base/painted_stack.hpp>
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/generator.hpp>
#include <ringlet/flow/race.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/task/awaiter.hpp>

#include <optional>

namespace ringlet::conformance {
namespace {

// Spawns `work`, lets it come to its wait, cancels it, and awaits its end.
template <class Work>
Task<void> cancel_in_its_wait(Work& work) {
    const auto body = [&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(std::ref(work));
        co_await let_others_run();
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
    };
    co_await TaskGroup::run(body);
}

// --- unwinding

int add(const Mark&, int number, const Mark&) {
    return number;
}

RINGLET_CASE(Cancellation, unwinds_innermost_first) {
    Trace trace;
    const auto inner = [&]() -> Task<int> {
        const Mark first(trace, 'a');
        const Mark second(trace, 'b');
        co_await sleep(1h);
        trace.add('!');
        co_return 1;
    };
    const auto middle = [&]() -> Task<int> {
        const Mark local(trace, 'c');
        const int got = co_await inner();
        trace.add('!');
        co_return got;
    };
    const auto outer = [&](auto) -> Task<void> {
        const Mark local(trace, 'd');
        (void)co_await attempt(middle());
        trace.add('!');
    };
    auto work = [&]() -> Task<void> {
        const Mark local(trace, 'e');
        co_await outer(0);
    };
    co_await cancel_in_its_wait(work);
    EXPECT_EQ(trace.text(), "bacde");
}

RINGLET_CASE(Cancellation, destroys_the_temporaries_of_the_awaiting_expression_too) {
    Trace trace;
    const auto inner = [&]() -> Task<int> {
        const Mark mark(trace, 'i');
        co_await sleep(1h);
        co_return 1;
    };
    auto work = [&]() -> Task<void> {
        const Mark local(trace, 'l');
        const int sum = add(Mark(trace, 't'), co_await inner(), Mark(trace, 't'));
        EXPECT_EQ(sum, -1);
    };
    co_await cancel_in_its_wait(work);
    // Whether the right-hand temporary is made before the await is up to the compiler.
    EXPECT_TRUE(trace.text() == "ittl" || trace.text() == "itl") << "order of destruction";
}

RINGLET_CASE(Cancellation, is_not_seen_by_attempt) {
    int rounds = 0;
    auto work = [&]() -> Task<void> {
        for (;;) {
            const auto result = co_await attempt(error_after(1ms, std::errc::no_link));
            EXPECT_TRUE(failed_with(result, std::errc::no_link));
            ++rounds;
        }
    };
    const auto result = co_await attempt(timeout(8ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_GE(rounds, 1);
}

RINGLET_CASE(Cancellation, meets_an_error_that_came_first_and_the_next_await_unwinds) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        Queue<int, 1> queue;
        const auto work = [&]() -> Task<void> {
            co_await queue.put(1);
            const auto result = co_await attempt(queue.put(2));
            trace.add(result ? 'v' : 'e');
            co_await yield();
            trace.add('!');
        };
        auto handle = group.spawn(work);
        co_await let_others_run();
        queue.close();  // the put fails, but has not run yet
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_EQ(trace.text(), "e");
    });
}

// --- level-triggered

Generator<int> numbers() {
    for (int i = 0;; ++i) co_yield i;
}
struct Door {
    Task<void> close() { co_await yield(); }
};

// A task cancels itself, and then comes to an await that would be ready at once.
template <class Await>
Task<void> unwinds_at(Await await) {
    Trace trace;
    const auto body = [&](TaskGroup& group) -> Task<void> {
        TaskHandle<void>* self = nullptr;
        const auto work = [&]() -> Task<void> {
            const Mark mark(trace, 'u');
            co_await yield();
            self->cancel();
            trace.add('c');
            (void)co_await await();
            trace.add('!');
        };
        auto handle = group.spawn(work);
        self = &handle;
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_EQ(trace.text(), "cu");
    };
    co_await TaskGroup::run(body);
}

RINGLET_CASE(Cancellation, unwinds_at_a_call) {
    co_await unwinds_at([] { return at_once(1); });
}
RINGLET_CASE(Cancellation, unwinds_at_an_attempt) {
    co_await unwinds_at([] { return attempt(at_once(1)); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_result) {
    co_await unwinds_at([] { return Result<int>(1); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_sleep_of_zero) {
    co_await unwinds_at([] { return sleep(0s); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_yield) {
    co_await unwinds_at([] { return yield(); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_timeout_of_a_task) {
    co_await unwinds_at([] { return timeout(1h, at_once(1)); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_timeout_of_a_leaf) {
    co_await unwinds_at([] { return timeout(1h, sleep(0s)); });
}
RINGLET_CASE(Cancellation, unwinds_at_an_empty_gather) {
    co_await unwinds_at([] { return gather(); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_gather) {
    co_await unwinds_at([] { return gather(at_once(1), at_once(2)); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_race) {
    co_await unwinds_at([] { return race(at_once(1), at_once(2)); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_group) {
    co_await unwinds_at([] { return TaskGroup::run([](TaskGroup&) { return at_once(1); }); });
}
RINGLET_CASE(Cancellation, unwinds_at_a_generator) {
    auto source = numbers();
    const auto first = co_await source.next();
    EXPECT_EQ(first, 0);
    co_await unwinds_at([&] { return source.next(); });
    const auto second = co_await source.next();  // it was not asked, so it is whole
    EXPECT_EQ(second, 1);
}
RINGLET_CASE(Cancellation, unwinds_at_a_get_that_has_an_item) {
    Queue<int, 2> queue;
    EXPECT_TRUE(queue.try_put(1));
    co_await unwinds_at([&] { return queue.get(); });
    EXPECT_EQ(queue.size(), 1u);
}
RINGLET_CASE(Cancellation, unwinds_at_a_free_semaphore) {
    Semaphore semaphore(1);
    co_await unwinds_at([&] { return semaphore.acquire(); });
    EXPECT_EQ(semaphore.available(), 1u);
}
RINGLET_CASE(Cancellation, unwinds_at_the_join_of_an_ended_task) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto ended = group.spawn(nothing);
        co_await ended.join();
        co_await unwinds_at([&] { return ended.join(); });
    });
}
RINGLET_CASE(Cancellation, unwinds_at_a_with) {
    const auto open = []() -> Task<Door> { co_return Door(); };
    const auto body = [](Door&) { return nothing(); };
    co_await unwinds_at([&] { return with(open(), body); });
}

RINGLET_CASE(Cancellation, does_not_stop_a_shield) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        TaskHandle<void>* self = nullptr;
        const auto work = [&]() -> Task<void> {
            co_await yield();
            self->cancel();
            const int one = co_await shield(value_after(1ms, 1));
            const int two = co_await shield(at_once(2));
            trace.add(static_cast<char>('0' + one + two));
            co_await at_once(1);
            trace.add('!');
        };
        auto handle = group.spawn(work);
        self = &handle;
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_EQ(trace.text(), "3");
    });
}

RINGLET_CASE(Cancellation, leaves_fail_an_error) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        TaskHandle<void>* self = nullptr;
        bool joined = false;
        const auto work = [&]() -> Task<void> {
            co_await yield();
            self->cancel();
            co_await fail(std::errc::no_link);
        };
        const auto inner = [&](TaskGroup& failing) -> Task<void> {
            auto handle = failing.spawn(work);
            self = &handle;
            co_await sleep(1h);
            joined = true;
        };
        static_cast<void>(group);
        const auto result = co_await attempt(TaskGroup::run(inner));
        EXPECT_TRUE(failed_with(result, std::errc::no_link));
        EXPECT_FALSE(joined);
    });
}

RINGLET_CASE(Cancellation, of_oneself_lets_the_task_end_well_if_it_awaits_no_more) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        TaskHandle<int>* self = nullptr;
        const auto work = [&]() -> Task<int> {
            co_await yield();
            self->cancel();
            co_return 8;
        };
        auto handle = group.spawn(work);
        self = &handle;
        const int value = co_await handle.join();
        EXPECT_EQ(value, 8);
    });
}

// --- what destructors may do while a task unwinds

RINGLET_CASE(Cancellation, lets_destructors_spawn_cancel_and_release) {
    Census census;
    Trace trace;
    Semaphore semaphore(1);
    // What the tasks refer to stands outside the group: its body may be gone before they are.
    std::optional<TaskHandle<int>> other;
    const auto writes = [&]() -> Task<void> {
        co_await yield();
        trace.add('s');
    };
    const auto takes_over = [&]() -> Task<void> {
        const auto permit = co_await semaphore.acquire();
        trace.add('p');
    };
    const auto work = [&](TaskGroup& group) -> Task<void> {
        const auto permit = co_await semaphore.acquire();
        const OnExit spawns([&] { (void)group.spawn(writes); });
        const OnExit cancels([&] { other->cancel(); });
        const OnExit cancels_again([&] { other->cancel(); });
        co_await sleep(1h);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        other.emplace(group.spawn(forever, std::ref(census)));
        auto handle = group.spawn(work, std::ref(group));
        co_await yield();
        (void)group.spawn(takes_over);
        co_await let_others_run();
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        co_await let_others_run();
        EXPECT_EQ(census.alive, 0);
        EXPECT_EQ(trace.count('s'), 1u);
        EXPECT_EQ(trace.count('p'), 1u);
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Cancellation, lets_tasks_cancel_each_other_as_they_unwind) {
    Census census;
    std::array<std::optional<TaskHandle<void>>, 3> all;
    const auto work = [&](std::size_t mine) -> Task<void> {
        const Alive here(census);
        const OnExit cancels([&, mine] {
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (i != mine) all[i]->cancel();
            }
        });
        co_await gather(sleep(1h), forever(census));
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (std::size_t i = 0; i < all.size(); ++i) all[i].emplace(group.spawn(work, i));
        co_await let_others_run();
        all[1]->cancel();
        co_await let_others_run();
        EXPECT_TRUE(all[0]->done() && all[1]->done() && all[2]->done());
        EXPECT_EQ(census.alive, 0);
    });
}

RINGLET_CASE(Cancellation, of_a_thousand_tasks_at_once) {
    Census census;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 1000; ++i) (void)group.spawn(forever, std::ref(census));
        co_await yield();
        EXPECT_EQ(census.alive, 1000);
        group.cancel_tasks();
        co_await let_others_run();
        EXPECT_EQ(census.alive, 0);
    });
}

// --- kernel operations

// Does nothing, in the kernel.
struct Nop : OperationOf<Nop, int> {
    static constexpr const char* reason = "nop";
    void prepare(io_uring_sqe& sqe) const { ::io_uring_prep_nop(&sqe); }
    int value(int result) const { return result; }
};
// Waits for an hour, in the kernel.
struct Hour : OperationOf<Hour, int> {
    static constexpr const char* reason = "hour";
    Hour() : end{.tv_sec = scheduler().now(Clock::boottime) / 1'000'000'000 + 3600, .tv_nsec = 0} {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_timeout(&sqe, const_cast<__kernel_timespec*>(&end), 0,
                                IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME);
    }
    int value(int result) const { return result; }

    __kernel_timespec end;
};

RINGLET_CASE(Cancellation, that_comes_too_late_for_an_operation_leaves_its_result) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            const int result = co_await Nop();
            EXPECT_EQ(result, 0);
            trace.add('v');
            co_await yield();
            trace.add('!');
        };
        auto handle = group.spawn(work);
        co_await yield();
        handle.cancel();  // with its SQE prepared
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_EQ(trace.count('!'), 0u);
    });
}

RINGLET_CASE(Cancellation, of_operations_in_flight_and_in_line_leaves_none) {
    Census census;
    const auto work = [&]() -> Task<void> {
        const Alive here(census);
        co_await Hour();
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 200; ++i) (void)group.spawn(work);
        co_await sleep(1ms);
        Operations& operations = scheduler().operations();
        EXPECT_EQ(operations.in_flight(), support::case_limits.operations);
        EXPECT_EQ(operations.in_line(), 200 - support::case_limits.operations);
        group.cancel_tasks();
        co_await sleep(1ms);
        EXPECT_EQ(census.alive, 0);
        EXPECT_EQ(operations.in_flight(), 0u);
    });
    const auto late = co_await attempt(timeout(1ms, Hour()));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    const auto late_task = co_await attempt(timeout(1ms, work()));
    EXPECT_TRUE(failed_with(late_task, std::errc::timed_out));
}

constexpr Limits four_operations{.operations = 4, .frames = {{512, 256}, {1024, 32}}};
Runtime<four_operations> runtime_of_four_operations;

Task<void> forty_tasks_for_four_operations() {
    const auto work = [](int number) -> Task<void> {
        if (number % 2 == 0) co_await Nop();
        co_await Hour();
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 40; ++i) (void)group.spawn(work, i);
        co_await sleep(2ms);
        EXPECT_EQ(scheduler().operations().in_flight(), 4u);
        group.cancel_tasks();
    });
}

TEST(CancellationCredits, never_put_more_operations_in_flight_than_the_limit_simulated) {
    testing::Simulation simulation;
    EXPECT_EQ(simulation.run<four_operations>(forty_tasks_for_four_operations), 0);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.report().high_water.operations, 4u);
}

TEST(CancellationCredits, never_put_more_operations_in_flight_than_the_limit_kernel) {
    RINGLET_RUN_ON_KERNEL(runtime_of_four_operations, forty_tasks_for_four_operations);
    EXPECT_EQ(runtime_of_four_operations.report().high_water.operations, 4u);
}

// --- stack

Task<int> limits_within_limits(int depth) {
    if (depth == 0) {
        co_await sleep(1h);
        co_return 0;
    }
    const int below = co_await timeout(2h, limits_within_limits(depth - 1));
    co_return below + 1;
}
// What the part under test needed.
std::size_t depth_of_part = 0;

Task<int> cancels_limits(int depth) {
    for (int i = 0; i < 1000; ++i) co_await at_once(i);
    co_await let_others_run();
    co_await sleep(1ms);
    PaintedStack stack;
    stack.paint();
    const auto late = co_await attempt(timeout(1ms, limits_within_limits(depth)));
    depth_of_part = stack.used();
    co_return failed_with(late, std::errc::timed_out) ? 0 : 1;
}

Runtime<Limits{.frames = {{512, 3300}, {1024, 1100}, {2048, 8}}}> runtime_of_many_limits;

std::size_t stack_of_limits(int depth) {
    depth_of_part = 0;
    const int status = runtime_of_many_limits.run(cancels_limits, depth);
    EXPECT_TRUE(status == 0 || status == exit_unavailable) << status;
    return depth_of_part;
}

TEST(KernelCancellationStack, of_a_thousand_nested_timeouts_is_no_deeper_than_of_one) {
    RINGLET_NEEDS_PLAIN_STACK();
    stack_of_limits(1000);
    const std::size_t one = stack_of_limits(1);
    const std::size_t many = stack_of_limits(1000);
    std::printf("stack to cancel a timeout: %zu bytes, a thousand nested: %zu\n", one, many);
    EXPECT_LE(many, one + 1024);
}

TEST(CancellationDepth, of_a_thousand_nested_timeouts_leaves_nothing) {
    testing::Simulation simulation;
    constexpr Limits limits{.frames = {{512, 3300}, {1024, 1100}, {2048, 8}}};
    EXPECT_EQ(simulation.run<limits>(cancels_limits, 1000), 0);
}

}  // namespace
}  // namespace ringlet::conformance
