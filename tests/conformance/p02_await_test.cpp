// P2: co_await f(). Values, move-only results, void; many awaits; and how deep the stack gets.
#include "plain_stack.hpp"
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/base/painted_stack.hpp>
#include <ringlet/flow/gather.hpp>

namespace ringlet::conformance {
namespace {

struct Point {
    int x;
    int y;
};
Task<Point> point() {
    co_await yield();
    co_return Point{3, 4};
}
Task<Owned> owned(Census& census, int number) {
    Owned made(census, number);
    co_await yield();
    co_return std::move(made);
}
Task<Owned> hands_on(Census& census, int number) {
    Owned got = co_await owned(census, number);
    co_return std::move(got);
}

RINGLET_CASE(Await, gives_what_the_task_returned) {
    co_await yield();
    const int number = co_await at_once(42);
    EXPECT_EQ(number, 42);
    const Point where = co_await point();
    EXPECT_EQ(where.x * 10 + where.y, 34);
    const int late = co_await value_after(1ms, 43);
    EXPECT_EQ(late, 43);
}

RINGLET_CASE(Await, hands_a_move_only_result_up_without_a_copy) {
    Census census;
    {
        const Owned got = co_await hands_on(census, 7);
        EXPECT_EQ(got.number(), 7);
        EXPECT_EQ(census.born, 1);
        EXPECT_EQ(census.alive, 1);
    }
    EXPECT_EQ(census.alive, 0);
    // A result that nobody binds is destroyed with the expression.
    co_await owned(census, 8);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Await, of_a_void_task_comes_back_after_its_end) {
    Trace trace;
    const auto work = [&trace]() -> Task<void> {
        const Mark end(trace, 'e');
        trace.add('b');
        co_await yield();
    };
    co_await work();
    trace.add('a');
    EXPECT_EQ(trace.text(), "bea");
}

RINGLET_CASE(Await, starts_nothing_before_it_is_awaited) {
    Trace trace;
    const auto work = [&trace]() -> Task<int> {
        trace.add('w');
        co_await yield();
        co_return 5;
    };
    auto task = work();
    trace.add('1');
    co_await yield();
    trace.add('2');
    const int got = co_await std::move(task);
    EXPECT_EQ(got, 5);
    EXPECT_EQ(trace.text(), "12w");
}

RINGLET_CASE(Await, of_a_result_gives_its_value_or_leaves_with_its_error) {
    co_await yield();
    const Result<int> good(4);
    auto copy = good;
    const int value = co_await copy;
    EXPECT_EQ(value, 4);
    Census census;
    bool came_on = false;
    const auto leaves = [&]() -> Task<void> {
        const Alive here(census);
        co_await yield();
        co_await Result<int>(std::unexpect, std::errc::bad_message);
        came_on = true;
    };
    const auto result = co_await attempt(leaves());
    EXPECT_TRUE(failed_with(result, std::errc::bad_message));
    EXPECT_FALSE(came_on);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Await, brings_an_error_up_through_every_caller_to_the_attempt) {
    Trace trace;
    const auto inner = [&]() -> Task<int> {
        const Mark mark(trace, '1');
        co_await yield();
        co_await fail(std::errc::io_error);
        co_return 1;
    };
    const auto middle = [&]() -> Task<int> {
        const Mark mark(trace, '2');
        const int got = co_await inner();
        trace.add('!');
        co_return got;
    };
    const auto outer = [&]() -> Task<int> {
        const Mark mark(trace, '3');
        const auto got = co_await attempt(middle());
        trace.add('a');
        co_return got ? 0 : static_cast<int>(got.error().code());
    };
    const int code = co_await outer();
    EXPECT_EQ(code, static_cast<int>(std::errc::io_error));
    EXPECT_EQ(trace.text(), "12a3");
}

Task<int> nested(Census& census, int depth, bool waits) {
    const Alive here(census);
    if (depth == 0) {
        if (waits) co_await yield();
        co_return 0;
    }
    const int below = co_await nested(census, depth - 1, waits);
    co_return below + 1;
}
Task<int> nested_failure(Census& census, int depth) {
    const Alive here(census);
    if (depth == 0) {
        co_await yield();
        co_await fail(std::errc::io_error);
    }
    const int below = co_await nested_failure(census, depth - 1);
    co_return below + 1;
}

RINGLET_CASE_UNCUT(Await, goes_a_hundred_thousand_times_in_a_row) {
    long sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        const int got = co_await at_once(i % 3);
        sum += got;
    }
    EXPECT_EQ(sum, 99'999);
}

RINGLET_CASE_UNCUT(Await, goes_a_thousand_levels_deep) {
    Census census;
    const int waited = co_await nested(census, 1000, true);
    EXPECT_EQ(waited, 1000);
    const int ready = co_await nested(census, 1000, false);
    EXPECT_EQ(ready, 1000);
    const auto failed = co_await attempt(nested_failure(census, 1000));
    EXPECT_TRUE(failed_with(failed, std::errc::io_error));
    EXPECT_EQ(census.alive, 0);
}

// --- stack

// Wide enough that each run goes through every path of the loop, so that only the number differs.
Task<void> warm_up() {
    for (int i = 0; i < 1000; ++i) co_await at_once(i);
    co_await let_others_run();
    co_await sleep(1ms);
}
// What the part under test needed.
std::size_t depth_of_part = 0;

Task<int> awaits_at_once(int count) {
    co_await warm_up();
    PaintedStack stack;
    stack.paint();
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        const int got = co_await at_once(1);
        sum += got;
    }
    depth_of_part = stack.used();
    co_return sum == count ? 0 : 1;
}
Task<int> unwinds(int depth) {
    co_await warm_up();
    Census census;
    PaintedStack stack;
    stack.paint();
    const auto failed = co_await attempt(nested_failure(census, depth));
    depth_of_part = stack.used();
    co_return failed ? 1 : 0;
}
Task<int> comes_back_from(int depth) {
    co_await warm_up();
    Census census;
    PaintedStack stack;
    stack.paint();
    const int got = co_await nested(census, depth, true);
    depth_of_part = stack.used();
    co_return got == depth ? 0 : 1;
}

// So large a credit that the part under test stays in one turn, and the usual one.
Runtime<Limits{.frames = {{128, 4096}, {256, 4096}, {512, 64}, {1024, 8}},
               .inline_awaits = 1'000'000}> one_turn;
Runtime<Limits{.frames = {{128, 4096}, {256, 4096}, {512, 64}, {1024, 8}}}> many_turns;

// Bytes of stack that the part under test needs.
std::size_t stack_of(auto& runtime, Task<int> (*main)(int), int argument) {
    depth_of_part = 0;
    runtime.measure_stacks();
    const int status = runtime.run(main, argument);
    EXPECT_TRUE(status == 0 || status == exit_unavailable);
    EXPECT_LT(runtime.report().stack_bytes, 64u * 1024);
    return depth_of_part;
}

TEST(KernelAwaitStack, is_as_deep_with_a_hundred_thousand_awaits_as_with_ten) {
    RINGLET_NEEDS_PLAIN_STACK();
    stack_of(one_turn, awaits_at_once, 10);  // what is bound lazily needs stack once
    const std::size_t ten = stack_of(one_turn, awaits_at_once, 10);
    const std::size_t many = stack_of(one_turn, awaits_at_once, 100'000);
    std::printf("stack of ten awaits: %zu bytes, of 100,000: %zu\n", ten, many);
    EXPECT_EQ(ten, many);
}

TEST(KernelAwaitStack, does_not_grow_with_the_turns_either) {
    RINGLET_NEEDS_PLAIN_STACK();
    const std::size_t ten = stack_of(many_turns, awaits_at_once, 10);
    const std::size_t many = stack_of(many_turns, awaits_at_once, 1'000'000);
    EXPECT_LE(many, ten + 2048);  // the way into the kernel, which ten awaits do not take
}

TEST(KernelAwaitStack, needs_no_more_to_unwind_a_thousand_frames_than_8_kib) {
    RINGLET_NEEDS_PLAIN_STACK();
    stack_of(many_turns, unwinds, 1);
    const std::size_t one = stack_of(many_turns, unwinds, 1);
    const std::size_t many = stack_of(many_turns, unwinds, 1000);
    std::printf("stack to unwind a frame: %zu bytes, a thousand: %zu\n", one, many);
    EXPECT_LE(many, one + 8 * 1024);
    const std::size_t call = stack_of(many_turns, comes_back_from, 1);
    const std::size_t calls = stack_of(many_turns, comes_back_from, 1000);
    EXPECT_EQ(call, calls);
}

}  // namespace
}  // namespace ringlet::conformance
