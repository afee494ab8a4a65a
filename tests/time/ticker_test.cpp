#include "support/cases.hpp"

#include <ringlet/ringlet.hpp>

#include <array>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

Instant milliseconds_since(Instant start, Clock clock = Clock::monotonic) {
    return (scheduler().now(clock) - start) / 1'000'000;
}

// Ticks of 10 ms: one in time, then 35 ms in which nobody waits, then four more. Tells when each
// came, in milliseconds, and how many were missed.
struct Late {
    std::array<Instant, 5> came{};
    std::uint64_t missed = 0;
};
Late late_by_two_and_a_half(Missed policy) {
    Late late;
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(10ms, policy);
        co_await ticker.tick();
        late.came[0] = milliseconds_since(start);
        co_await sleep(35ms);
        for (std::size_t i = 1; i < late.came.size(); ++i) {
            co_await ticker.tick();
            late.came[i] = milliseconds_since(start);
        }
        late.missed = ticker.missed();
    });
    EXPECT_EQ(status, 0);
    return late;
}

TEST(Ticker, that_skips_leaves_out_what_passed_and_keeps_its_phase) {
    const Late late = late_by_two_and_a_half(Missed::skip);
    EXPECT_EQ(late.came, (std::array<Instant, 5>{10, 45, 50, 60, 70}));
    EXPECT_EQ(late.missed, 2u);
}

TEST(Ticker, that_bursts_makes_up_for_what_passed) {
    const Late late = late_by_two_and_a_half(Missed::burst);
    EXPECT_EQ(late.came, (std::array<Instant, 5>{10, 45, 45, 45, 50}));
    EXPECT_EQ(late.missed, 0u);
}

TEST(Ticker, that_restarts_begins_anew_from_now) {
    const Late late = late_by_two_and_a_half(Missed::restart);
    EXPECT_EQ(late.came, (std::array<Instant, 5>{10, 45, 55, 65, 75}));
    EXPECT_EQ(late.missed, 2u);
}

TEST(Ticker, that_is_late_by_less_than_a_period_misses_nothing) {
    for (const Missed policy : {Missed::skip, Missed::burst, Missed::restart}) {
        Simulation simulation;
        const int status = simulation.run([&]() -> Task<void> {
            const Instant start = scheduler().now();
            Ticker ticker(10ms, policy);
            co_await ticker.tick();
            co_await sleep(19'999'999ns);  // the next was due 9'999'999 ns ago
            co_await ticker.tick();
            EXPECT_EQ(milliseconds_since(start), 29);
            co_await ticker.tick();
            EXPECT_EQ(milliseconds_since(start), 30);
            EXPECT_EQ(ticker.missed(), 0u);
        });
        EXPECT_EQ(status, 0);
    }
}

TEST(Ticker, that_is_late_by_exactly_a_period_misses_one) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(10ms);
        co_await sleep(20ms);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start), 20);
        EXPECT_EQ(ticker.missed(), 1u);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start), 30);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, does_not_drift_however_long_each_tick_s_work_takes) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(7ms);
        for (int i = 1; i <= 10'000; ++i) {
            co_await ticker.tick();
            EXPECT_EQ(scheduler().now() - start, Instant{7'000'000} * i);
            co_await sleep(std::chrono::microseconds(i * 37 % 6999));
        }
        EXPECT_EQ(ticker.missed(), 0u);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, that_slept_for_years_counts_all_that_it_missed) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ticker ticker(1ms);
        co_await sleep(24h * 36'500);
        co_await ticker.tick();
        EXPECT_EQ(ticker.missed(), 3'153'600'000'000u - 1);
        const Instant start = scheduler().now();
        co_await ticker.tick();
        EXPECT_EQ(scheduler().now() - start, 1'000'000);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, of_centuries_never_ticks_and_does_not_overflow) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ticker ticker(std::chrono::years(500));
        for (int i = 0; i < 3; ++i) {
            const auto never_came = co_await attempt(timeout(24h, ticker.tick()));
            EXPECT_FALSE(never_came);
        }
        EXPECT_EQ(ticker.missed(), 0u);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, a_tick_that_was_given_up_is_skipped) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(10ms);
        const auto given_up = co_await attempt(timeout(3ms, ticker.tick()));
        EXPECT_FALSE(given_up);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start), 20);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, on_boottime_counts_a_suspension) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now(Clock::boottime);
        Ticker ticker(10ms, Missed::skip, Clock::boottime);
        co_await ticker.tick();
        simulation.world().suspend(35ms);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start, Clock::boottime), 45);
        EXPECT_EQ(ticker.missed(), 2u);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start, Clock::boottime), 50);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, on_monotonic_does_not_notice_a_suspension) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(10ms);
        co_await ticker.tick();
        simulation.world().suspend(1h);
        co_await ticker.tick();
        EXPECT_EQ(milliseconds_since(start), 20);
        EXPECT_EQ(ticker.missed(), 0u);
    });
    EXPECT_EQ(status, 0);
}

TEST(Ticker, with_slack_is_late_by_less_than_it_and_still_does_not_drift) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant start = scheduler().now();
        Ticker ticker(7ms, Missed::skip, Clock::monotonic, Slack(4ms));
        for (int i = 1; i <= 1000; ++i) {
            co_await ticker.tick();
            const Instant late = scheduler().now() - start - Instant{7'000'000} * i;
            EXPECT_GE(late, 0);
            EXPECT_LT(late, 4'000'000);
        }
        EXPECT_EQ(ticker.missed(), 0u);
    });
    EXPECT_EQ(status, 0);
}

RINGLET_CASE(Ticker, never_ticks_early) {
    const Instant start = scheduler().now();
    Ticker ticker(1ms, Missed::burst);
    for (int i = 1; i <= 5; ++i) {
        co_await ticker.tick();
        EXPECT_GE(scheduler().now() - start, Instant{1'000'000} * i);
    }
}

RINGLET_CASE(Ticker, a_burst_lets_the_others_run_between_its_ticks) {
    Ticker ticker(100us, Missed::burst);
    co_await sleep(1ms);
    int steps = 0;
    bool over = false;
    const auto bursts = [&]() -> Task<void> {
        for (int i = 0; i < 10; ++i) {
            const int before = steps;
            co_await ticker.tick();
            EXPECT_GT(steps, before);
        }
        over = true;
    };
    const auto others = [&]() -> Task<void> {
        while (!over) {
            ++steps;
            co_await yield();
        }
    };
    co_await gather(bursts(), others());
}

TEST(TickerDeathTest, a_period_must_be_above_zero) {
    const auto make = [] {
        Simulation simulation;
        simulation.run([]() -> Task<void> {
            Ticker ticker(0s);
            co_return;
        });
    };
    EXPECT_DEATH(make(), "assertion failed");
}

}  // namespace
}  // namespace ringlet
