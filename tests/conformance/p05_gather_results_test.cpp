// P5: gather_results, asyncio's gather(..., return_exceptions=True): every outcome is seen.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>

namespace ringlet::conformance {
namespace {

RINGLET_CASE(GatherResults, shows_success_and_failure_side_by_side) {
    const auto all = co_await gather_results(
        value_after(3ms, 1), error_after(1ms, std::errc::io_error), at_once(3),
        fails_at_once(std::errc::no_link), sleep(1ms), fails_after(2ms, std::errc::bad_message));
    const auto& first = std::get<0>(all);
    EXPECT_TRUE(first.has_value() && *first == 1);
    EXPECT_TRUE(failed_with(std::get<1>(all), std::errc::io_error));
    const auto& third = std::get<2>(all);
    EXPECT_TRUE(third.has_value() && *third == 3);
    EXPECT_TRUE(failed_with(std::get<3>(all), std::errc::no_link));
    EXPECT_TRUE(std::get<4>(all).has_value());
    EXPECT_TRUE(failed_with(std::get<5>(all), std::errc::bad_message));
}

RINGLET_CASE(GatherResults, lets_a_failure_disturb_nobody) {
    Trace trace;
    const auto goes_on = [&]() -> Task<int> {
        for (int i = 0; i < 3; ++i) {
            co_await sleep(1ms);
            trace.add('w');
        }
        co_return 7;
    };
    const auto all = co_await gather_results(fails_at_once(std::errc::io_error), goes_on());
    EXPECT_TRUE(failed_with(std::get<0>(all), std::errc::io_error));
    const auto& second = std::get<1>(all);
    EXPECT_TRUE(second.has_value() && *second == 7);
    EXPECT_EQ(trace.text(), "www");
}

RINGLET_CASE(GatherResults, works_for_arrays_and_spans_and_for_none) {
    std::array<Task<int>, 2> two{at_once(1), error_after(1ms, std::errc::io_error)};
    const auto array = co_await gather_results(std::move(two));
    EXPECT_TRUE(array[0].has_value() && *array[0] == 1);
    EXPECT_TRUE(failed_with(array[1], std::errc::io_error));

    std::array<Task<void>, 3> three{nothing(), fails_after(1ms, std::errc::no_link), nothing()};
    std::array<Result<void>, 4> places;
    const auto span = co_await gather_results(std::span<Task<void>>(three),
                                              std::span<Result<void>>(places));
    EXPECT_EQ(span.size(), 3u);
    EXPECT_TRUE(span[0].has_value());
    EXPECT_TRUE(failed_with(span[1], std::errc::no_link));
    EXPECT_TRUE(span[2].has_value());

    const auto none = co_await gather_results();
    EXPECT_EQ(std::tuple_size_v<std::remove_cvref_t<decltype(none)>>, 0u);
    const auto empty =
        co_await gather_results(std::span<Task<int>>(), std::span<Result<int>>());
    EXPECT_TRUE(empty.empty());
}

RINGLET_CASE(GatherResults, moves_values_out_and_loses_none) {
    Census census;
    const auto make = [&census](int number) -> Task<Owned> {
        co_await sleep(1ms);
        if (number == 2) co_await fail(std::errc::io_error);
        co_return Owned(census, number);
    };
    {
        const auto all = co_await gather_results(make(1), make(2), make(3));
        const auto& first = std::get<0>(all);
        EXPECT_TRUE(first.has_value() && first->number() == 1);
        EXPECT_TRUE(failed_with(std::get<1>(all), std::errc::io_error));
        const auto& third = std::get<2>(all);
        EXPECT_TRUE(third.has_value() && third->number() == 3);
        EXPECT_EQ(census.alive, 2);
    }
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(GatherResults, cancelled_cancels_all_and_ends_after_they_have_unwound) {
    Census census;
    const auto work = [&]() -> Task<void> {
        co_await gather_results(forever(census), fails_at_once(std::errc::io_error),
                                forever(census));
    };
    const auto result = co_await attempt(timeout(2ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(GatherResults, hands_over_errors_and_values_that_came_although_it_was_cancelled) {
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const auto both = co_await gather_results(shield(value_after(200ms, 1)),
                                                  shield(error_after(200ms, std::errc::io_error)));
        const auto& first = std::get<0>(both);
        EXPECT_TRUE(first.has_value() && *first == 1);
        EXPECT_TRUE(failed_with(std::get<1>(both), std::errc::io_error));
        trace.add('g');
        co_await yield();
        trace.add('!');
    };
    const auto result = co_await attempt(timeout(50ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "g");
}

}  // namespace
}  // namespace ringlet::conformance
