// P14: the first to end wins; the others are cancelled and joined; what completed is handed over.
#include "support/cases.hpp"

#include "conformance/pool_hog.hpp"

#include <ringlet/ringlet.hpp>
#include <ringlet/sync/queue.hpp>

#include <array>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using support::PoolHog;
using testing::Simulation;

Task<int> value_after(Nanoseconds span, int value) {
    co_await sleep(span);
    co_return value;
}
Task<int> error_after(Nanoseconds span, std::errc error = std::errc::io_error) {
    co_await sleep(span);
    co_await fail(error);
}

RINGLET_CASE(Race, is_won_by_the_first_value) {
    const auto raced =
        co_await race(value_after(1h, 1), value_after(1ms, 2), value_after(1h, 3));
    EXPECT_EQ(raced.first, 1u);
    EXPECT_FALSE(std::get<0>(raced.outcomes));
    EXPECT_TRUE(std::get<1>(raced.outcomes) && **std::get<1>(raced.outcomes) == 2);
    EXPECT_FALSE(std::get<2>(raced.outcomes));
}

RINGLET_CASE(Race, is_won_by_an_error_that_comes_first) {
    const auto raced = co_await race(value_after(1h, 1), error_after(1ms));
    EXPECT_EQ(raced.first, 1u);
    EXPECT_FALSE(std::get<0>(raced.outcomes));
    const auto& error = std::get<1>(raced.outcomes);
    EXPECT_TRUE(error && !*error && error->error() == std::errc::io_error);
}

RINGLET_CASE(Race, of_one_is_that_one) {
    const auto raced = co_await race(value_after(1ms, 4));
    EXPECT_EQ(raced.first, 0u);
    EXPECT_EQ(**std::get<0>(raced.outcomes), 4);
}

RINGLET_CASE(Race, takes_any_awaitables_of_any_types) {
    const auto raced = co_await race(sleep(1h), value_after(1h, 1), yield(),
                                     timeout(1h, sleep(1h)), gather(sleep(1h), sleep(1h)));
    EXPECT_EQ(raced.first, 2u);
    EXPECT_TRUE(std::get<2>(raced.outcomes) && *std::get<2>(raced.outcomes));
    EXPECT_FALSE(std::get<0>(raced.outcomes));
}

RINGLET_CASE(Race, awaits_the_unwinding_of_the_losers) {
    int cleaned = 0;
    const auto loser = [&]() -> Task<void> {
        struct Resource {
            explicit Resource(int& where) : count(where) {}
            Sleep close() {
                ++count;
                return sleep(1ms);
            }
            int& count;
        };
        const auto open = [&]() -> Task<Resource> { co_return Resource(cleaned); };
        co_await with(open(), [](Resource&) -> Task<void> { co_await sleep(1h); });
    };
    const Instant start = scheduler().now();
    const auto raced = co_await race(loser(), sleep(500us), loser());
    EXPECT_EQ(raced.first, 1u);
    EXPECT_EQ(cleaned, 2);
    EXPECT_GE(scheduler().now() - start, 1'500'000);
}

RINGLET_CASE(Race, hands_over_both_that_complete_in_one_turn) {
    const Deadline deadline = Deadline::after(1ms);
    const auto until_then = [&](int value) -> Task<int> {
        co_await sleep_until(deadline);
        co_return value;
    };
    const auto raced = co_await race(until_then(1), until_then(2), value_after(1h, 3));
    EXPECT_LT(raced.first, 2u);
    // Both timers expired in one turn. A sleep that has ended is not taken back: the loser ran on.
    EXPECT_TRUE(std::get<0>(raced.outcomes) && **std::get<0>(raced.outcomes) == 1);
    EXPECT_TRUE(std::get<1>(raced.outcomes) && **std::get<1>(raced.outcomes) == 2);
    EXPECT_FALSE(std::get<2>(raced.outcomes));
}

// Not cancelled everywhere: then another may be first.
RINGLET_CASE_UNCUT(Race, hands_over_a_loser_that_could_not_be_stopped) {
    const auto raced =
        co_await race(shield(value_after(50ms, 1)), value_after(500us, 2),
                      shield(error_after(1ms)));
    EXPECT_EQ(raced.first, 1u);
    EXPECT_TRUE(std::get<0>(raced.outcomes) && **std::get<0>(raced.outcomes) == 1);
    const auto& error = std::get<2>(raced.outcomes);
    EXPECT_TRUE(error && !*error && error->error() == std::errc::io_error);
}

RINGLET_CASE(Race, takes_an_array) {
    std::array<Task<int>, 3> tasks{value_after(1h, 0), value_after(1ms, 1), value_after(1h, 2)};
    const auto raced = co_await race(std::move(tasks));
    EXPECT_EQ(raced.first, 1u);
    EXPECT_FALSE(raced.outcomes[0]);
    EXPECT_EQ(**raced.outcomes[1], 1);
    EXPECT_FALSE(raced.outcomes[2]);
}

RINGLET_CASE(Race, takes_a_span_and_writes_the_outcomes_beside_it) {
    std::array<Task<int>, 3> tasks{value_after(1h, 0), error_after(1ms), value_after(1h, 2)};
    std::array<std::optional<Result<int>>, 4> places;
    places[3] = 99;
    const auto raced = co_await race(std::span<Task<int>>(tasks),
                                     std::span<std::optional<Result<int>>>(places));
    EXPECT_EQ(raced.first, 1u);
    EXPECT_EQ(raced.outcomes.size(), 3u);
    EXPECT_EQ(raced.outcomes.data(), places.data());
    EXPECT_FALSE(places[0]);
    EXPECT_TRUE(places[1] && !*places[1]);
    EXPECT_EQ(**places[3], 99);
}

RINGLET_CASE(Race, that_is_cancelled_cancels_all_and_joins_them) {
    int ended = 0;
    const auto branch = [&]() -> Task<void> {
        struct Guard {
            int& count;
            ~Guard() { ++count; }
        } guard{ended};
        co_await sleep(1h);
    };
    const auto work = [&]() -> Task<void> {
        co_await race(branch(), branch(), branch());
    };
    const auto late = co_await attempt(timeout(50ms, work()));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_EQ(ended, 3);
}

RINGLET_CASE(Race, that_is_cancelled_hands_over_what_completed_and_then_unwinds) {
    bool handed_over = false;
    const auto caller = [&]() -> Task<void> {
        const auto raced = co_await race(value_after(1h, 1), shield(value_after(2ms, 2)));
        EXPECT_EQ(raced.first, 1u);
        EXPECT_EQ(**std::get<1>(raced.outcomes), 2);
        EXPECT_FALSE(std::get<0>(raced.outcomes));
        handed_over = true;
        co_await yield();
        ADD_FAILURE() << "a cancelled task went on";
    };
    const auto late = co_await attempt(timeout(1ms, caller()));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_TRUE(handed_over);
}

RINGLET_CASE(Race, goes_into_a_race) {
    const auto inner = []() -> Task<int> {
        const auto raced = co_await race(value_after(1h, 1), value_after(1ms, 2));
        co_return **std::get<1>(raced.outcomes);
    };
    const auto raced = co_await race(inner(), value_after(1h, 3));
    EXPECT_EQ(raced.first, 0u);
    EXPECT_EQ(**std::get<0>(raced.outcomes), 2);
}

// Items are in a queue, or were handed over: never neither, never both.
struct Items {
    Queue<int, 4> left, right;
    int put = 0;
    int got = 0;
    ~Items() {
        while (left.try_get()) ++got;
        while (right.try_get()) ++got;
        EXPECT_EQ(put, got);
    }
};

RINGLET_CASE(Race, of_two_queues_loses_no_item) {
    Items items;
    const auto feeder = [&]() -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            co_await sleep(200us);
            // Both in one turn.
            items.put += items.left.try_put(1) ? 1 : 0;
            items.put += items.right.try_put(2) ? 1 : 0;
        }
    };
    const auto taker = [&]() -> Task<void> {
        int taken = 0;
        while (taken < 6) {
            const auto raced = co_await race(items.left.get(), items.right.get());
            const auto& left = std::get<0>(raced.outcomes);
            const auto& right = std::get<1>(raced.outcomes);
            const int here = (left && *left ? 1 : 0) + (right && *right ? 1 : 0);
            EXPECT_GE(here, 1);
            taken += here;
            items.got += here;
        }
    };
    co_await gather(feeder(), taker());
    EXPECT_EQ(items.got, 6);
}

TEST(VirtualRace, an_error_at_one_millisecond_beats_a_value_at_three) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant start = scheduler().now();
        const auto raced = co_await race(value_after(3ms, 1), timeout(1ms, sleep(1h)));
        EXPECT_EQ(raced.first, 1u);
        EXPECT_EQ(scheduler().now() - start, 1'000'000);
    });
    EXPECT_EQ(status, 0);
}

TEST(RaceMemory, without_frames_it_fails_or_says_so_in_an_outcome_and_leaks_nothing) {
    Simulation simulation;
    const int status = simulation.run<support::scarce_limits>([]() -> Task<void> {
        unsigned succeeded = 0;
        for (unsigned spare = 0; spare < 12; ++spare) {
            const PoolHog hog(spare);
            const auto end = co_await attempt(race(value_after(1ms, 1), value_after(1h, 2)));
            if (!end) {
                EXPECT_EQ(end.error(), std::errc::not_enough_memory);
                continue;
            }
            const auto& first = std::get<0>(end->outcomes);
            if (first && *first) ++succeeded;
        }
        EXPECT_GT(succeeded, 0u);
        EXPECT_LT(succeeded, 12u);
    });
    EXPECT_EQ(status, 0);
}

TEST(RaceDeathTest, of_an_empty_span_is_refused) {
    const auto make = [] {
        Simulation simulation;
        simulation.run([]() -> Task<void> {
            co_await race(std::span<Task<int>>(), std::span<std::optional<Result<int>>>());
        });
    };
    EXPECT_DEATH(make(), "assertion failed");
}

}  // namespace
}  // namespace ringlet
