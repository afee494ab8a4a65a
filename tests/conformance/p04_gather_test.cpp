// P4: gather. Several awaits side by side, all of them needed.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>

namespace ringlet::conformance {
namespace {

RINGLET_CASE(Gather, gives_results_in_the_order_of_its_arguments) {
    Trace trace;
    const auto work = [&trace](std::chrono::milliseconds span, char name) -> Task<char> {
        co_await sleep(span);
        trace.add(name);
        co_return name;
    };
    const auto all = co_await gather(work(6ms, 'a'), work(2ms, 'b'), work(4ms, 'c'));
    EXPECT_EQ(std::get<0>(all), 'a');
    EXPECT_EQ(std::get<1>(all), 'b');
    EXPECT_EQ(std::get<2>(all), 'c');
    EXPECT_EQ(trace.text(), "bca");
}

RINGLET_CASE(Gather, starts_its_branches_in_the_order_of_its_arguments) {
    Trace trace;
    const auto work = [&trace](char name) -> Task<void> {
        trace.add(name);
        co_await yield();
        trace.add(name);
    };
    co_await gather(work('a'), work('b'), work('c'));
    EXPECT_EQ(trace.text(), "abcabc");
}

RINGLET_CASE(Gather, takes_tasks_and_leaves_of_any_type_side_by_side) {
    Census census;
    const auto make = [&census]() -> Task<Owned> {
        co_await yield();
        co_return Owned(census, 3);
    };
    {
        const auto all = co_await gather(sleep(1ms), make(), at_once(5), nothing(),
                                         timeout(1s, value_after(1ms, 9)), attempt(at_once(2)));
        static_assert(std::is_same_v<std::tuple_element_t<0, std::remove_const_t<decltype(all)>>,
                                     std::monostate>);
        EXPECT_EQ(std::get<1>(all).number(), 3);
        EXPECT_EQ(std::get<2>(all), 5);
        EXPECT_EQ(std::get<4>(all), 9);
        EXPECT_TRUE(std::get<5>(all).has_value());
    }
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Gather, of_nothing_gives_nothing_at_once) {
    co_await yield();
    const auto none = co_await gather();
    EXPECT_EQ(std::tuple_size_v<std::remove_cvref_t<decltype(none)>>, 0u);
    std::array<Task<int>, 0> no_tasks{};
    const auto no_array = co_await gather(std::move(no_tasks));
    EXPECT_TRUE(no_array.empty());
    const auto no_span = co_await gather(std::span<Task<int>>(), std::span<int>());
    EXPECT_TRUE(no_span.empty());
    const auto no_voids =
        co_await gather(std::span<Task<void>>(), std::span<std::monostate>());
    EXPECT_TRUE(no_voids.empty());
}

RINGLET_CASE(Gather, of_an_array_gives_an_array) {
    std::array<Task<int>, 3> tasks{value_after(3ms, 1), value_after(1ms, 2), at_once(3)};
    const auto all = co_await gather(std::move(tasks));
    EXPECT_EQ(all[0] * 100 + all[1] * 10 + all[2], 123);
    std::array<Task<void>, 2> voids{nothing(), nothing()};
    const auto done = co_await gather(std::move(voids));
    EXPECT_EQ(done.size(), 2u);
}

RINGLET_CASE(Gather, of_a_span_writes_to_the_places_it_was_given) {
    std::array<Task<int>, 4> tasks{value_after(2ms, 1), at_once(2), value_after(1ms, 3),
                                   at_once(4)};
    std::array<int, 6> places{9, 9, 9, 9, 9, 9};
    const auto written = co_await gather(std::span<Task<int>>(tasks), std::span<int>(places));
    EXPECT_EQ(written.size(), 4u);
    EXPECT_EQ(written.data(), places.data());
    EXPECT_EQ(places, (std::array<int, 6>{1, 2, 3, 4, 9, 9}));
}

RINGLET_CASE(Gather, of_a_span_that_fails_writes_nothing) {
    Census census;
    std::array<Task<int>, 3> tasks{at_once(1), error_after(1ms, std::errc::io_error),
                                   forever(census)};
    std::array<int, 3> places{9, 9, 9};
    const auto result =
        co_await attempt(gather(std::span<Task<int>>(tasks), std::span<int>(places)));
    EXPECT_TRUE(failed_with(result, std::errc::io_error));
    EXPECT_EQ(places, (std::array<int, 3>{9, 9, 9}));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Gather, ends_with_the_first_failure_after_all_have_unwound) {
    Census census;
    Trace trace;
    const auto unwinds_slowly = [&]() -> Task<int> {
        const Alive here(census);
        co_await shield(value_after(5ms, 0));
        trace.add('s');
        co_await sleep(1h);
        co_return 0;
    };
    const auto result = co_await attempt(
        gather(unwinds_slowly(), error_after(1ms, std::errc::io_error), forever(census)));
    EXPECT_TRUE(failed_with(result, std::errc::io_error));
    EXPECT_EQ(trace.text(), "s");
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Gather, gives_the_first_error_and_not_the_first_argument_s) {
    const auto result = co_await attempt(gather(error_after(4ms, std::errc::io_error),
                                                error_after(1ms, std::errc::no_link),
                                                error_after(2ms, std::errc::bad_message)));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
}

RINGLET_CASE(Gather, never_starts_the_branches_behind_one_that_had_no_chance) {
    co_await yield();
    Trace trace;
    const auto work = [&trace]() -> Task<void> {
        trace.add('w');
        co_await yield();
    };
    const auto fails_shielded = [&trace]() -> Task<void> {
        const Mark mark(trace, 'f');
        co_await fail(std::errc::io_error);
    };
    // The branch fails in its first step, before the next one has made its own.
    const auto result = co_await attempt(gather(fails_shielded(), work()));
    EXPECT_TRUE(failed_with(result, std::errc::io_error));
    EXPECT_EQ(trace.text(), "f");
}

RINGLET_CASE(Gather, drops_the_values_of_a_gather_that_failed) {
    Census census;
    const auto make = [&census]() -> Task<Owned> {
        co_await yield();
        co_return Owned(census, 3);
    };
    const auto result =
        co_await attempt(gather(make(), error_after(2ms, std::errc::io_error), make()));
    EXPECT_TRUE(failed_with(result, std::errc::io_error));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Gather, cancelled_cancels_all_and_ends_after_they_have_unwound) {
    Census census;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            const Alive here(census);
            co_await gather(forever(census), forever(census), sleep(1h));
        };
        auto handle = group.spawn(work);
        co_await let_others_run();
        EXPECT_EQ(census.alive, 3);
        handle.cancel();
        const auto ended = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        EXPECT_EQ(census.alive, 0);
    });
}

RINGLET_CASE(Gather, hands_over_what_completed_although_it_was_cancelled) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            const auto both =
                co_await gather(shield(value_after(3ms, 1)), shield(value_after(2ms, 2)));
            EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
            trace.add('g');
            co_await yield();
            trace.add('!');
        };
        auto handle = group.spawn(work);
        co_await let_others_run();
        handle.cancel();
        const auto ended = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        EXPECT_EQ(trace.text(), "g");
    });
}

RINGLET_CASE(Gather, cancelled_while_a_branch_is_about_to_fail_gives_no_value) {
    Census census;
    Trace trace;
    // What the tasks refer to stands outside the group: its body may be gone before they are.
    TaskHandle<int>* failing = nullptr;
    const auto fails = []() -> Task<int> {
        co_await let_others_run(3);
        co_await fail(std::errc::io_error);
        co_return 1;
    };
    const auto inner = [&]() -> Task<void> {
        (void)co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto handle = group.spawn(fails);
            failing = &handle;
            co_await shield(sleep(500ms));
            failing = nullptr;
        }));
    };
    const auto waits = [&]() -> Task<Owned> {
        const int never = co_await failing->join();
        co_return Owned(census, never);
    };
    const auto work = [&]() -> Task<void> {
        const auto all = co_await gather(waits());
        trace.add('!');
        EXPECT_EQ(std::get<0>(all).number(), 0);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(inner);
        co_await yield();
        auto handle = group.spawn(work);
        // Wait until the failing task has ended: its joiner is ready, with the error.
        while (failing == nullptr || !failing->done()) co_await yield();
        handle.cancel();
        const auto ended = co_await attempt(handle.join());
        EXPECT_FALSE(ended.has_value());
        EXPECT_EQ(trace.text(), "");
    });
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Gather, inside_a_gather_unwinds_from_the_inside) {
    Census census;
    const auto inner = [&]() -> Task<int> {
        const Alive here(census);
        const auto two = co_await gather(forever(census), forever(census));
        co_return std::get<0>(two);
    };
    const auto result =
        co_await attempt(gather(inner(), inner(), error_after(1ms, std::errc::io_error)));
    EXPECT_TRUE(failed_with(result, std::errc::io_error));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE_UNCUT(Gather, of_many_branches_gives_all_in_order) {
    std::array<Task<int>, 64> tasks = []<std::size_t... i>(std::index_sequence<i...>) {
        return std::array<Task<int>, 64>{
            value_after(std::chrono::milliseconds(i * 37 % 11), static_cast<int>(i))...};
    }(std::make_index_sequence<64>());
    std::array<int, 64> places{};
    const auto all = co_await gather(std::span<Task<int>>(tasks), std::span<int>(places));
    int in_order = 0;
    for (int i = 0; i < 64; ++i) in_order += all[static_cast<std::size_t>(i)] == i ? 1 : 0;
    EXPECT_EQ(in_order, 64);
}

RINGLET_CASE(Gather, gives_its_blocks_back_before_the_next_statement) {
    const std::size_t before = scheduler().frames().live();
    const auto all = co_await gather(value_after(1ms, 1), value_after(1ms, 2));
    EXPECT_EQ(std::get<0>(all), 1);
    EXPECT_EQ(scheduler().frames().live(), before);
    const auto failed = co_await attempt(gather(fails_at_once(std::errc::io_error), sleep(1h)));
    EXPECT_FALSE(failed.has_value());
    EXPECT_EQ(scheduler().frames().live(), before);
}

}  // namespace
}  // namespace ringlet::conformance
