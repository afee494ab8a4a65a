// P8: attempt round one item's work: one bad item does not stop the batch.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/timeout.hpp>

namespace ringlet::conformance {
namespace {

// Items 3 and 6 are bad, in two different ways; item 8 takes too long.
Task<int> handle(Census& census, int item) {
    const Alive here(census);
    if (item == 3) co_await fail(std::errc::invalid_argument);
    if (item == 8) co_await sleep(1h);
    co_await sleep(1ms);
    if (item == 6) co_await fail(std::errc::io_error);
    co_return item;
}

RINGLET_CASE(Attempt, lets_the_batch_go_on_after_a_bad_item) {
    Census census;
    int good = 0;
    int invalid = 0;
    int broken = 0;
    int late = 0;
    for (int item = 0; item < 10; ++item) {
        const auto result = co_await attempt(timeout(20ms, handle(census, item)));
        EXPECT_EQ(census.alive, 0);
        if (result) ++good;
        if (failed_with(result, std::errc::invalid_argument)) ++invalid;
        if (failed_with(result, std::errc::io_error)) ++broken;
        if (failed_with(result, std::errc::timed_out)) ++late;
    }
    EXPECT_EQ(good, 7);
    EXPECT_EQ(invalid, 1);
    EXPECT_EQ(broken, 1);
    EXPECT_EQ(late, 1);
}

RINGLET_CASE(Attempt, gives_the_value_of_what_went_well) {
    co_await yield();
    Census census;
    const auto value = co_await attempt(value_after(1ms, 5));
    EXPECT_TRUE(value.has_value() && *value == 5);
    const auto nothing_to_give = co_await attempt(nothing());
    EXPECT_TRUE(nothing_to_give.has_value());
    const auto make = [&census]() -> Task<Owned> {
        co_await yield();
        co_return Owned(census, 6);
    };
    const auto owned = co_await attempt(make());
    EXPECT_TRUE(owned.has_value() && owned->number() == 6);
    const auto slept = co_await attempt(sleep(1ms));
    EXPECT_TRUE(slept.has_value());
}

RINGLET_CASE(Attempt, takes_one_error_and_leaves_the_next_to_its_own) {
    co_await yield();
    const auto first_of_two = []() -> Task<int> {
        const auto caught = co_await attempt(error_after(1ms, std::errc::io_error));
        EXPECT_TRUE(failed_with(caught, std::errc::io_error));
        co_await fails_at_once(std::errc::no_such_device);
        co_return 0;
    };
    const auto result = co_await attempt(first_of_two());
    EXPECT_TRUE(failed_with(result, std::errc::no_such_device));
}

RINGLET_CASE(Attempt, keeps_domain_and_detail_of_the_error) {
    co_await yield();
    const Error special(std::errc::bad_message, Domain::json, 77);
    const auto leaves = [&]() -> Task<void> { co_await fail(special); };
    const auto result = co_await attempt(leaves());
    EXPECT_FALSE(result.has_value());
    EXPECT_TRUE(!result && result.error() == special);
}

RINGLET_CASE(Attempt, works_side_by_side_in_a_gather) {
    Census census;
    const auto all = co_await gather(attempt(handle(census, 1)), attempt(handle(census, 3)),
                                     attempt(handle(census, 6)));
    EXPECT_TRUE(std::get<0>(all).has_value());
    EXPECT_TRUE(failed_with(std::get<1>(all), std::errc::invalid_argument));
    EXPECT_TRUE(failed_with(std::get<2>(all), std::errc::io_error));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Attempt, works_on_gather_group_and_timeout_themselves) {
    Census census;
    const auto both =
        co_await attempt(gather(forever(census), error_after(1ms, std::errc::io_error)));
    EXPECT_TRUE(failed_with(both, std::errc::io_error));
    const auto failed = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        (void)group.spawn(error_after, 1ms, std::errc::no_link);
        const int never = co_await forever(census);
        co_return never;
    }));
    EXPECT_TRUE(failed_with(failed, std::errc::no_link));
    const auto late = co_await attempt(timeout(1ms, forever(census)));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    const auto good = co_await attempt(gather(at_once(1), at_once(2)));
    EXPECT_TRUE(good.has_value() && std::get<1>(*good) == 2);
    EXPECT_EQ(census.alive, 0);
}

}  // namespace
}  // namespace ringlet::conformance
