// The breaker's transitions, one by one and in virtual time; then calls that are cancelled.
#include "conformance/pool_hog.hpp"
#include "conformance/probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/circuit_breaker.hpp>
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/retry.hpp>

namespace ringlet {
namespace {

using namespace conformance;
using testing::Simulation;
using enum CircuitState;

constexpr std::errc refused = std::errc::connection_refused;

// One call that ends at once, with `error` or a value; gives how it ended.
Task<Result<int>> call(CircuitBreaker& breaker, std::errc error = {}) {
    const auto work = [&]() -> Task<int> {
        co_await yield();
        if (error != std::errc()) co_await fail(error);
        co_return 1;
    };
    co_return co_await attempt(breaker.call(work));
}
Task<void> fail_times(CircuitBreaker& breaker, int times) {
    for (int i = 0; i < times; ++i) {
        const auto result = co_await call(breaker, refused);
        EXPECT_TRUE(failed_with(result, refused));
    }
}
template <class T>
bool was_refused(const Result<T>& result) {
    return !result && result.error() == circuit_open_error;
}

template <class Body>
void simulate(Body body) {
    Simulation simulation;
    EXPECT_EQ(simulation.run(body), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
}

// --- 1

TEST(CircuitBreaker, opens_after_so_many_failures_in_a_row) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 3, .open_for = 10s});
        co_await fail_times(breaker, 2);
        EXPECT_EQ(breaker.state(), closed);
        co_await fail_times(breaker, 1);
        EXPECT_EQ(breaker.state(), open);
        EXPECT_EQ(breaker.until_probe(), Nanoseconds(10s));
        EXPECT_EQ(breaker.counts().failed, 3u);
        EXPECT_EQ(breaker.counts().opened, 1u);
    });
}

TEST(CircuitBreaker, begins_to_count_anew_after_a_success) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 3});
        for (int i = 0; i < 5; ++i) {
            co_await fail_times(breaker, 2);
            const auto good = co_await call(breaker);
            EXPECT_TRUE(good.has_value());
        }
        EXPECT_EQ(breaker.state(), closed);
        EXPECT_EQ(breaker.counts().failed, 10u);
        EXPECT_EQ(breaker.counts().succeeded, 5u);
    });
}

TEST(CircuitBreaker, does_not_count_errors_that_are_not_the_other_side_s) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 2});
        co_await fail_times(breaker, 1);
        for (int i = 0; i < 9; ++i) {
            const auto result = co_await call(breaker, std::errc::no_such_file_or_directory);
            EXPECT_TRUE(failed_with(result, std::errc::no_such_file_or_directory));
        }
        EXPECT_EQ(breaker.state(), closed);
        EXPECT_EQ(breaker.counts().ignored, 9u);
        co_await fail_times(breaker, 1);  // nor are they successes
        EXPECT_EQ(breaker.state(), open);
    });
}

TEST(CircuitBreaker, takes_a_predicate_of_the_user_s) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker(
            {.failures = 1, .counts = [](Error error) { return error == std::errc::io_error; }});
        co_await fail_times(breaker, 3);
        EXPECT_EQ(breaker.state(), closed);
        (void)co_await call(breaker, std::errc::io_error);
        EXPECT_EQ(breaker.state(), open);
    });
}

// --- while it is open

TEST(CircuitBreaker, refuses_calls_at_once_while_it_is_open) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 10s});
        co_await fail_times(breaker, 1);
        const Instant begin = scheduler().now();
        int calls = 0;
        const auto work = [&] {
            ++calls;
            return value_after(1ms, 1);
        };
        for (int i = 0; i < 3; ++i) {
            const auto result = co_await attempt(breaker.call(work));
            EXPECT_TRUE(was_refused(result));
        }
        EXPECT_EQ(calls, 0);
        EXPECT_EQ(scheduler().now(), begin);
        EXPECT_EQ(breaker.counts().refused, 3u);
        EXPECT_EQ(breaker.counts().failed, 1u);
    });
}

// --- 2

TEST(CircuitBreaker, is_half_open_when_its_time_has_passed_and_not_before) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 10s});
        co_await fail_times(breaker, 1);
        co_await sleep(10s - 1ns);
        EXPECT_EQ(breaker.state(), open);
        EXPECT_EQ(breaker.until_probe(), 1ns);
        const auto early = co_await call(breaker);
        EXPECT_TRUE(was_refused(early));
        co_await sleep(1ns);
        EXPECT_EQ(breaker.state(), half_open);
        EXPECT_EQ(breaker.until_probe(), 0ns);
    });
}

TEST(CircuitBreaker, lets_so_many_probes_through_at_once) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 1s, .probes = 2, .successes = 9});
        co_await fail_times(breaker, 1);
        co_await sleep(1s);
        const auto probe = [] { return value_after(10ms, 1); };
        const auto all =
            co_await gather_results(breaker.call(probe), breaker.call(probe), breaker.call(probe));
        EXPECT_TRUE(std::get<0>(all).has_value());
        EXPECT_TRUE(std::get<1>(all).has_value());
        EXPECT_TRUE(was_refused(std::get<2>(all)));
        EXPECT_EQ(breaker.state(), half_open);
        // Their places are free again.
        const auto more = co_await gather_results(breaker.call(probe), breaker.call(probe));
        EXPECT_TRUE(std::get<0>(more).has_value() && std::get<1>(more).has_value());
    });
}

// --- 3

TEST(CircuitBreaker, opens_again_when_a_probe_fails) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 3, .open_for = 10s, .successes = 2});
        co_await fail_times(breaker, 3);
        for (int i = 0; i < 4; ++i) {
            co_await sleep(10s);
            const auto good = co_await call(breaker);  // one of two that it takes
            EXPECT_TRUE(good.has_value());
            EXPECT_EQ(breaker.state(), half_open);
            co_await fail_times(breaker, 1);
            EXPECT_EQ(breaker.state(), open);
            EXPECT_EQ(breaker.until_probe(), Nanoseconds(10s));
        }
        EXPECT_EQ(breaker.counts().opened, 5u);
    });
}

TEST(CircuitBreaker, stays_open_longer_each_time_up_to_the_most) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 10s, .open_max = 60s});
        co_await fail_times(breaker, 1);
        for (const auto span : {10s, 20s, 40s, 60s, 60s}) {
            EXPECT_EQ(breaker.until_probe(), Nanoseconds(span));
            co_await sleep(span);
            co_await fail_times(breaker, 1);
        }
        co_await sleep(60s);
        const auto good = co_await call(breaker);
        EXPECT_TRUE(good.has_value());
        // Closed, it has forgotten.
        for (const auto span : {10s, 20s}) {
            co_await fail_times(breaker, 1);
            EXPECT_EQ(breaker.until_probe(), Nanoseconds(span));
            co_await sleep(span);
        }
    });
}

// --- 4

TEST(CircuitBreaker, closes_after_so_many_probes_in_a_row_that_succeed) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 2, .open_for = 1s, .successes = 3});
        co_await fail_times(breaker, 2);
        co_await sleep(1s);
        for (int i = 0; i < 2; ++i) {
            const auto good = co_await call(breaker);
            EXPECT_TRUE(good.has_value());
            EXPECT_EQ(breaker.state(), half_open);
        }
        const auto third = co_await call(breaker);
        EXPECT_TRUE(third.has_value());
        EXPECT_EQ(breaker.state(), closed);
        // Of the failures of old, none counts any more.
        co_await fail_times(breaker, 1);
        EXPECT_EQ(breaker.state(), closed);
    });
}

TEST(CircuitBreaker, learns_nothing_of_a_probe_whose_error_does_not_count) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 1s});
        co_await fail_times(breaker, 1);
        co_await sleep(1s);
        for (int i = 0; i < 3; ++i) {
            const auto result = co_await call(breaker, std::errc::permission_denied);
            EXPECT_TRUE(failed_with(result, std::errc::permission_denied));
            EXPECT_EQ(breaker.state(), half_open);
        }
        (void)co_await call(breaker);
        EXPECT_EQ(breaker.state(), closed);
    });
}

// --- calls that outlast a transition

Task<void> outlast(CircuitBreaker& breaker, std::chrono::seconds span, std::errc error) {
    const auto slow = [&]() -> Task<void> {
        co_await sleep(span);
        if (error != std::errc()) co_await fail(error);
    };
    (void)co_await attempt(breaker.call(slow));
}

TEST(CircuitBreaker, takes_no_notice_of_what_began_before_it_opened) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 2, .open_for = 10s});
        const auto others = [&]() -> Task<void> {
            co_await fail_times(breaker, 2);  // at 0 s: opens
            co_await sleep(6s);
            EXPECT_EQ(breaker.until_probe(), Nanoseconds(4s));
            co_await sleep(5s);
            const auto probe = [] { return value_after(10'000ms, 1); };
            co_await breaker.call(probe);  // from 11 s to 21 s
            EXPECT_EQ(breaker.state(), closed);
        };
        const auto watch = [&]() -> Task<void> {
            co_await sleep(15s);
            EXPECT_EQ(breaker.state(), half_open);
            const auto refused_now = co_await call(breaker);
            EXPECT_TRUE(was_refused(refused_now));  // the probe's place is still taken
        };
        co_await gather(outlast(breaker, 5s, refused),       // fails while it is open
                        outlast(breaker, 12s, refused),      // while it is half open
                        outlast(breaker, 13s, std::errc()),  // succeeds then
                        outlast(breaker, 30s, refused),      // when it is closed again
                        others(), watch());
        EXPECT_EQ(breaker.state(), closed);
        EXPECT_EQ(breaker.counts().opened, 1u);
        EXPECT_EQ(breaker.counts().failed, 5u);
        EXPECT_EQ(breaker.counts().succeeded, 2u);
        co_await fail_times(breaker, 1);
        EXPECT_EQ(breaker.state(), closed);  // the late failure is not the first of two
    });
}

TEST(CircuitBreaker, frees_no_place_for_a_probe_of_an_earlier_time) {
    simulate([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1, .open_for = 1s, .probes = 2});
        co_await fail_times(breaker, 1);
        co_await sleep(1s);
        const auto second_time = [&]() -> Task<void> {
            co_await fail_times(breaker, 1);  // opens again, while the slow probe goes on
            co_await sleep(1s);
            const auto probe = [] { return value_after(5'000ms, 1); };
            const auto both = co_await gather_results(breaker.call(probe), breaker.call(probe));
            EXPECT_TRUE(std::get<0>(both) && std::get<1>(both));
        };
        const auto watch = [&]() -> Task<void> {
            co_await sleep(4s);  // the slow probe ended at 3 s
            const auto third = co_await call(breaker);
            EXPECT_TRUE(was_refused(third));
        };
        co_await gather(outlast(breaker, 3s, refused), second_time(), watch());
        EXPECT_EQ(breaker.state(), closed);
    });
}

// --- with others

RINGLET_CASE(CircuitBreakers, give_the_value_also_one_that_can_only_be_moved) {
    Census census;
    CircuitBreaker breaker;
    const auto work = [&]() -> Task<Owned> {
        co_await sleep(1ms);
        co_return Owned(census, 6);
    };
    const Owned owned = co_await breaker.call(work);
    EXPECT_EQ(owned.number(), 6);
    co_await breaker.call([]() -> Task<void> { co_await sleep(1ms); });
    co_await breaker.call([] { return sleep(1ms); });
    EXPECT_EQ(breaker.counts().succeeded, 3u);
}

RINGLET_CASE(CircuitBreakers, end_a_retry_when_they_are_open) {
    CircuitBreaker breaker({.failures = 3, .open_for = 1h});
    RetryProgress progress;
    const auto work = [&] { return breaker.call([] { return fails_at_once(refused); }); };
    const auto result =
        co_await attempt(retry({.attempts = 9, .first_delay = 1ms, .progress = &progress}, work));
    EXPECT_TRUE(was_refused(result));
    EXPECT_EQ(progress.attempt, 4u);
    EXPECT_EQ(breaker.state(), open);
}

RINGLET_CASE(CircuitBreakers, count_time_limits_as_failures) {
    CircuitBreaker breaker({.failures = 2, .open_for = 1h});
    Census census;
    const auto work = [&] { return timeout(1ms, forever(census)); };
    for (int i = 0; i < 2; ++i) {
        const auto late = co_await attempt(breaker.call(work));
        EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    }
    EXPECT_EQ(breaker.state(), open);
}

RINGLET_CASE(CircuitBreakers, count_a_cancelled_call_neither_way) {
    CircuitBreaker breaker({.failures = 1, .open_for = 1h});
    Census census;
    const auto work = [&] { return forever(census); };
    for (int i = 0; i < 3; ++i) {
        const auto late = co_await attempt(timeout(1ms, breaker.call(work)));
        EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    }
    EXPECT_EQ(breaker.state(), closed);
    EXPECT_EQ(breaker.counts().cancelled, 3u);
    EXPECT_EQ(breaker.counts().failed + breaker.counts().succeeded, 0u);
}

RINGLET_CASE(CircuitBreakers, get_a_cancelled_probe_s_place_back) {
    CircuitBreaker breaker({.failures = 1, .open_for = 0s});
    Census census;
    const auto work = [&] { return forever(census); };
    co_await fail_times(breaker, 1);
    for (int i = 0; i < 3; ++i) {
        const auto late = co_await attempt(timeout(1ms, breaker.call(work)));
        EXPECT_TRUE(failed_with(late, std::errc::timed_out));
        EXPECT_EQ(breaker.state(), half_open);
    }
    const auto good = co_await call(breaker);
    EXPECT_TRUE(good.has_value());
    EXPECT_EQ(breaker.state(), closed);
}

// Wherever it is cancelled, its destructor asserts that no call is left, and what was let through
// is what has ended.
RINGLET_CASE(CircuitBreakers, lose_no_call_whatever_is_cancelled) {
    struct Check {
        explicit Check(CircuitBreaker& checked) : breaker(checked) {}
        ~Check() {
            const CircuitCounts& counts = breaker.counts();
            EXPECT_EQ(counts.succeeded + counts.failed + counts.ignored + counts.cancelled, begun);
        }
        CircuitBreaker& breaker;
        std::uint64_t begun = 0;
    };
    CircuitBreaker breaker({.failures = 2, .open_for = 1ms, .probes = 2, .successes = 2});
    Check check(breaker);
    const auto one = [&](int number) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            ++check.begun;
            co_await sleep(std::chrono::milliseconds(number % 3));
            if (number % 2 == 0) co_await fail(refused);
        };
        for (int i = 0; i < 3; ++i) {
            (void)co_await attempt(breaker.call(work));
            co_await sleep(1ms);
        }
    };
    co_await gather(one(1), one(2), one(3), one(4), one(6));
    EXPECT_GT(breaker.counts().opened, 0u);
}

TEST(CircuitBreaker, without_a_frame_fails_and_counts_nothing) {
    Simulation simulation;
    constexpr Limits limits{.tasks = 1, .frames = {{4096, 16}}};  // one class: slots are counted
    const int status = simulation.run<limits>([]() -> Task<void> {
        CircuitBreaker breaker({.failures = 1});
        for (unsigned spare = 0; spare < 4; ++spare) {
            const support::PoolHog hog(spare);
            const auto result = co_await attempt(breaker.call([] { return at_once(1); }));
            if (!result) {
                EXPECT_EQ(result.error(), no_frame_error);
            }
            EXPECT_EQ(result.has_value(), spare >= 2);
        }
        EXPECT_EQ(breaker.state(), closed);
        EXPECT_EQ(breaker.counts().ignored, 1u);  // its own frame, but none for at_once
    });
    EXPECT_EQ(status, 0);
}

TEST(CircuitBreakerDeathTest, refuses_options_that_make_no_sense) {
    EXPECT_DEATH(CircuitBreaker({.failures = 0}), "failures");
    EXPECT_DEATH(CircuitBreaker({.probes = 0}), "probes");
    EXPECT_DEATH(CircuitBreaker({.successes = 0}), "successes");
    EXPECT_DEATH(CircuitBreaker({.open_for = -1s}), "open_for");
    EXPECT_DEATH(CircuitBreaker({.counts = nullptr}), "counts");
}

}  // namespace
}  // namespace ringlet
