// P22: retries. The pauses are checked to the nanosecond, against the draws of the same seed.
#include "pool_hog.hpp"
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/retry.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/testing/random.hpp>

#include <cstring>
#include <vector>

namespace ringlet::conformance {
namespace {

using testing::Simulation;

constexpr std::errc refused = std::errc::connection_refused;

// A page that cannot be copied, and a server that gives it after so many refusals.
struct Server {
    explicit Server(int fail_first, std::errc why = refused) : failures(fail_first), error(why) {}
    Task<Owned> get(Census& census) {
        co_await sleep(1ms);
        ++calls;
        if (calls <= failures) co_await fail(error);
        co_return Owned(census, calls);
    }
    int failures;
    std::errc error;
    int calls = 0;
};

RINGLET_CASE(Retry, gives_the_value_of_the_first_attempt_that_does_not_fail) {
    Census census;
    Server server(2);
    const auto page = co_await retry({.attempts = 5, .first_delay = 1ms, .delay_max = 4ms},
                                     [&]() -> Task<Owned> { return server.get(census); });
    EXPECT_EQ(page.number(), 3);
    EXPECT_EQ(server.calls, 3);
}

RINGLET_CASE(Retry, makes_one_attempt_where_that_one_is_good) {
    Census census;
    Server server(0);
    RetryProgress progress;
    const auto page = co_await retry({.first_delay = 1h, .progress = &progress},
                                     [&] { return server.get(census); });
    EXPECT_EQ(page.number(), 1);
    EXPECT_EQ(progress.attempt, 1u);
    EXPECT_EQ(progress.last_error, Error());
}

RINGLET_CASE(Retry, fails_with_the_last_error_after_the_last_attempt) {
    Trace trace;
    const auto work = [&](RetryProgress& progress) -> Task<void> {
        trace.add(static_cast<char>('0' + progress.attempt));
        co_await sleep(1ms);
        co_await fail(progress.attempt == 3 ? std::errc::timed_out : refused);
    };
    const auto result = co_await attempt(retry({.attempts = 3, .first_delay = 1ms}, work));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "123");
}

RINGLET_CASE(Retry, of_one_attempt_does_not_pause) {
    Census census;
    Server server(1);
    const auto result = co_await attempt(
        retry({.attempts = 1, .first_delay = 1h}, [&] { return server.get(census); }));
    EXPECT_TRUE(failed_with(result, refused));
    EXPECT_EQ(server.calls, 1);
}

RINGLET_CASE(Retry, tells_each_attempt_its_number_and_why_the_last_one_failed) {
    unsigned next = 1;
    const auto work = [&](const RetryProgress& progress) -> Task<unsigned> {
        EXPECT_EQ(progress.attempt, next++);
        EXPECT_EQ(progress.last_error == refused, progress.attempt > 1);
        co_await yield();
        if (progress.attempt < 4) co_await fail(refused);
        co_return progress.attempt;
    };
    const unsigned last = co_await retry({.attempts = 9, .first_delay = 0ms}, work);
    EXPECT_EQ(last, 4u);
}

RINGLET_CASE(Retry, does_not_try_again_what_would_not_get_better) {
    for (const auto code : {std::errc::invalid_argument, std::errc::permission_denied,
                            std::errc::no_such_file_or_directory, std::errc::bad_message}) {
        Census census;
        Server server(9, code);
        const auto result =
            co_await attempt(retry({.attempts = 5}, [&] { return server.get(census); }));
        EXPECT_TRUE(failed_with(result, code));
        EXPECT_EQ(server.calls, 1);
    }
}

RINGLET_CASE(Retry, takes_a_predicate_of_the_user_s) {
    const auto only_bad_messages = [](Error error) { return error == std::errc::bad_message; };
    Census census;
    Server server(1, std::errc::bad_message);
    co_await retry({.first_delay = 1ms, .retries = only_bad_messages},
                   [&] { return server.get(census); });
    EXPECT_EQ(server.calls, 2);
    Server other(1);
    const auto result =
        co_await attempt(retry({.retries = only_bad_messages}, [&] { return other.get(census); }));
    EXPECT_TRUE(failed_with(result, refused));
    EXPECT_EQ(other.calls, 1);
}

RINGLET_CASE(Retry, unwinds_an_attempt_before_it_pauses) {
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const Mark mark(trace, 'e');
        trace.add('b');
        co_await sleep(1ms);
        co_await fail(refused);
    };
    (void)co_await attempt(retry({.attempts = 2, .first_delay = 1ms}, work));
    EXPECT_EQ(trace.text(), "bebe");
}

RINGLET_CASE(Retry, takes_any_awaitable) {
    Semaphore semaphore(1);
    const auto permit = co_await retry({}, [&] { return semaphore.acquire(); });
    EXPECT_TRUE(permit.is_held());
    RetryProgress progress;
    const auto late =
        co_await attempt(retry({.attempts = 2, .first_delay = 1ms, .progress = &progress},
                               [&] { return timeout(1ms, semaphore.acquire()); }));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    EXPECT_EQ(progress.attempt, 2u);
}

RINGLET_CASE(Retry, keeps_its_callable_until_the_end) {
    Census census;
    {
        auto task = [&] {
            const Alive alive(census);
            auto action = [&census, alive]() -> Task<int> {
                EXPECT_GT(census.alive, 0);
                co_await sleep(1ms);
                co_await fail(refused);
                co_return 0;
            };
            return retry({.attempts = 2, .first_delay = 1ms}, action);
        }();
        const auto result = co_await attempt(std::move(task));
        EXPECT_TRUE(failed_with(result, refused));
    }
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(Retry, inside_a_retry_multiplies) {
    int calls = 0;
    const auto inner = [&]() -> Task<void> {
        co_await sleep(100us);
        ++calls;
        co_await fail(refused);
    };
    const auto outer = [&] { return retry({.attempts = 3, .first_delay = 1ms}, inner); };
    const auto result = co_await attempt(retry({.attempts = 2, .first_delay = 1ms}, outer));
    EXPECT_TRUE(failed_with(result, refused));
    EXPECT_EQ(calls, 6);
}

// --- the deadline

RINGLET_CASE(RetryDeadline, cuts_off_the_attempt_that_is_under_way) {
    Trace trace;
    RetryProgress progress;
    const auto work = [&](const RetryProgress& now) -> Task<void> {
        const Mark mark(trace, 'e');
        if (now.attempt == 1) co_await fail(refused);
        co_await sleep(1h);
    };
    const auto result = co_await attempt(retry(
        {.first_delay = 1us, .deadline = Deadline::after(30ms), .progress = &progress}, work));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_TRUE(!result && result.error().domain() == Domain::runtime);
    EXPECT_EQ(trace.text(), "ee");
    // What had been wrong before is not lost.
    EXPECT_EQ(progress.attempt, 2u);
    EXPECT_EQ(progress.last_error, refused);
}

RINGLET_CASE(RetryDeadline, is_told_from_a_time_limit_of_the_attempt) {
    Census census;
    RetryProgress progress;
    const auto work = [&]() -> Task<int> { co_return co_await timeout(1ms, forever(census)); };
    const auto result = co_await attempt(retry(
        {.attempts = 3, .first_delay = 1ms, .deadline = Deadline::after(1h), .progress = &progress},
        work));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(progress.attempt, 3u);
    EXPECT_EQ(progress.last_error, std::errc::timed_out);
}

RINGLET_CASE(RetryDeadline, in_the_past_lets_one_attempt_run_to_its_first_wait) {
    RetryProgress progress;
    const auto late =
        co_await attempt(retry({.deadline = Deadline::after(-1ms), .progress = &progress},
                               [] { return value_after(1h, 1); }));
    EXPECT_TRUE(failed_with(late, std::errc::timed_out));
    EXPECT_EQ(progress.attempt, 1u);
    EXPECT_EQ(progress.last_error, Error());
    const int value = co_await retry({.deadline = Deadline::after(0ms)}, [] { return at_once(7); });
    EXPECT_EQ(value, 7);
}

RINGLET_CASE(RetryDeadline, waits_for_what_an_attempt_shields) {
    bool finished = false;
    const auto work = [&]() -> Task<void> {
        const auto slow = [](bool& done) -> Task<void> {
            co_await sleep(6ms);
            done = true;
        };
        co_await shield(slow(finished));
        co_await sleep(1h);
    };
    const auto result = co_await attempt(retry({.deadline = Deadline::after(1ms)}, work));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_TRUE(finished);
}

RINGLET_CASE(RetryDeadline, may_be_on_the_boot_time_clock) {
    const auto result = co_await attempt(retry({.deadline = Deadline::after(1ms, Clock::boottime)},
                                               [] { return value_after(1h, 1); }));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
}

// --- exact schedules, in virtual time

// When each attempt began, in nanoseconds since the retry did; and how it all ended.
struct Schedule {
    std::vector<Instant> starts;
    Instant end = 0;
    Result<void> result;
    RetryProgress progress;
};

// Attempts take `span` and fail, each with the error that `policy` retries.
Schedule run_schedule(std::uint64_t seed, RetryPolicy policy, Nanoseconds span,
                      Nanoseconds total = Nanoseconds::max(), Nanoseconds pause_min = {}) {
    Schedule schedule;
    Simulation simulation({.seed = seed});
    const int status = simulation.run([&]() -> Task<void> {
        const Instant begin = scheduler().now();
        const auto work = [&](RetryProgress& progress) -> Task<void> {
            {
                const support::Unsealed for_the_vector;
                schedule.starts.push_back(scheduler().now() - begin);
            }
            co_await sleep(span);
            progress.pause_min = pause_min;
            co_await fail(refused);
        };
        policy.deadline = Deadline::after(total);
        policy.progress = &schedule.progress;
        schedule.result = co_await attempt(retry(policy, work));
        schedule.end = scheduler().now() - begin;
    });
    EXPECT_EQ(status, 0) << simulation.log();
    return schedule;
}

constexpr Instant ms = 1'000'000;

TEST(RetrySchedule, without_jitter_doubles_up_to_the_longest_delay) {
    const RetryPolicy policy{
        .attempts = 7, .first_delay = 100ms, .delay_max = 1s, .jitter = Jitter::none};
    const Schedule schedule = run_schedule(0, policy, 10ms);
    // Pauses of 100, 200, 400, 800, 1000, 1000.
    const std::vector<Instant> expected{0,         110 * ms,  320 * ms, 730 * ms,
                                        1540 * ms, 2550 * ms, 3560 * ms};
    EXPECT_EQ(schedule.starts, expected);
    EXPECT_EQ(schedule.end, 3570 * ms);  // no pause after the last
    EXPECT_EQ(schedule.progress.attempt, 7u);
    EXPECT_TRUE(failed_with(schedule.result, refused));
}

// What SimulatedSystem draws for the seed: a byte a number.
std::uint64_t draw(testing::Random& random) {
    std::array<std::byte, 8> bytes;
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random.next());
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

TEST(RetrySchedule, with_full_jitter_is_the_seed_s_draws) {
    const RetryPolicy policy{.attempts = 12, .first_delay = 100ms, .delay_max = 10s};
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const Schedule schedule = run_schedule(seed, policy, 1ms);
        testing::Random random(~seed);
        Instant at = 0;
        std::vector<Instant> expected{at};
        for (unsigned n = 0; n < 11; ++n) {
            const Instant most = std::min(Instant{100 * ms} << n, Instant{10'000 * ms});
            at += 1 * ms +
                  static_cast<Instant>(draw(random) % (static_cast<std::uint64_t>(most) + 1));
            expected.push_back(at);
        }
        EXPECT_EQ(schedule.starts, expected) << "seed " << seed;
        EXPECT_EQ(schedule.end, at + 1 * ms);
    }
}

TEST(RetrySchedule, with_full_jitter_fills_the_whole_span_and_no_more) {
    const RetryPolicy policy{.attempts = 4, .first_delay = 100ms, .delay_max = 200ms};
    std::array<Instant, 3> least{never, never, never};
    std::array<Instant, 3> most{};
    std::array<Instant, 3> sum{};
    constexpr int seeds = 500;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        const Schedule schedule = run_schedule(seed, policy, 1ms);
        ASSERT_EQ(schedule.starts.size(), 4u);
        for (std::size_t n = 0; n < 3; ++n) {
            const Instant pause = schedule.starts[n + 1] - schedule.starts[n] - 1 * ms;
            least[n] = std::min(least[n], pause);
            most[n] = std::max(most[n], pause);
            sum[n] += pause;
        }
    }
    const std::array<Instant, 3> caps{100 * ms, 200 * ms, 200 * ms};
    for (std::size_t n = 0; n < 3; ++n) {
        EXPECT_GE(least[n], 0);
        EXPECT_LT(least[n], caps[n] / 20);
        EXPECT_LE(most[n], caps[n]);
        EXPECT_GT(most[n], caps[n] - caps[n] / 20);
        EXPECT_NEAR(static_cast<double>(sum[n]) / seeds, static_cast<double>(caps[n]) / 2,
                    static_cast<double>(caps[n]) / 15);
    }
}

TEST(RetrySchedule, is_the_same_for_the_same_seed_only) {
    const RetryPolicy policy{.attempts = 5};
    EXPECT_EQ(run_schedule(3, policy, 1ms).starts, run_schedule(3, policy, 1ms).starts);
    EXPECT_NE(run_schedule(3, policy, 1ms).starts, run_schedule(4, policy, 1ms).starts);
}

TEST(RetrySchedule, ends_at_the_deadline_to_the_nanosecond) {
    const RetryPolicy policy{
        .attempts = 9, .first_delay = 100ms, .delay_max = 1s, .jitter = Jitter::none};
    // Attempts at 0, 150, 400 and 850 ms, 50 ms long; the deadline falls into the fourth.
    const Schedule schedule = run_schedule(0, policy, 50ms, 870ms);
    EXPECT_EQ(schedule.starts.size(), 4u);
    EXPECT_EQ(schedule.end, 870 * ms);
    EXPECT_TRUE(failed_with(schedule.result, std::errc::timed_out));
    EXPECT_EQ(schedule.progress.attempt, 4u);
    EXPECT_EQ(schedule.progress.last_error, refused);
}

TEST(RetrySchedule, begins_no_pause_that_the_deadline_would_end) {
    const RetryPolicy policy{
        .attempts = 9, .first_delay = 100ms, .delay_max = 1s, .jitter = Jitter::none};
    // The pause would go from 450 to 850 ms.
    for (const auto total : {451ms, 600ms, 850ms}) {
        const Schedule schedule = run_schedule(0, policy, 50ms, total);
        EXPECT_EQ(schedule.starts.size(), 3u);
        EXPECT_EQ(schedule.end, 450 * ms);
        EXPECT_TRUE(failed_with(schedule.result, refused));
        EXPECT_EQ(schedule.progress.last_error, refused);
    }
    EXPECT_EQ(run_schedule(0, policy, 50ms, 851ms).starts.size(), 4u);
}

TEST(RetrySchedule, waits_as_long_as_the_other_side_asks_for) {
    const RetryPolicy policy{
        .attempts = 4, .first_delay = 1s, .delay_max = 2s, .jitter = Jitter::none};
    const Schedule schedule = run_schedule(0, policy, 1ms, Nanoseconds::max(), 1500ms);
    const std::vector<Instant> expected{0, 1501 * ms, 3502 * ms, 5503 * ms};
    EXPECT_EQ(schedule.starts, expected);
    // Longer than delay_max, too.
    EXPECT_EQ(run_schedule(0, policy, 1ms, Nanoseconds::max(), 1h).starts[1], 3'600'001 * ms);
    // But not beyond the deadline: then it is not worth waiting.
    const Schedule impatient = run_schedule(0, policy, 1ms, 30min, 1h);
    EXPECT_EQ(impatient.starts.size(), 1u);
    EXPECT_EQ(impatient.end, 1 * ms);
    EXPECT_TRUE(failed_with(impatient.result, refused));
}

TEST(RetrySchedule, forgets_what_the_other_side_asked_for_at_an_earlier_attempt) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant begin = scheduler().now();
        const auto work = [&](RetryProgress& progress) -> Task<void> {
            EXPECT_EQ(progress.pause_min, 0ns);
            if (progress.attempt == 1) progress.pause_min = 1h;
            if (progress.attempt < 3) co_await fail(refused);
        };
        co_await retry({.first_delay = 1ms, .jitter = Jitter::none}, work);
        EXPECT_EQ(scheduler().now() - begin, 3'600'000 * ms + 2 * ms);
    });
    EXPECT_EQ(status, 0);
}

TEST(RetrySchedule, goes_on_for_ever_and_does_not_overflow) {
    const RetryPolicy policy{.attempts = retry_for_ever,
                             .first_delay = 1ns,
                             .delay_max = 10'000h,
                             .jitter = Jitter::none};
    constexpr Nanoseconds ten_years = 87'600h;
    const Schedule schedule = run_schedule(0, policy, 0ns, ten_years);
    // 2^55 ns are the last that is less than 10'000 h; then eight of the longest.
    EXPECT_GT(schedule.starts.size(), 60u);
    EXPECT_EQ(schedule.starts.back() - schedule.starts[schedule.starts.size() - 2],
              Nanoseconds(10'000h).count());
    EXPECT_TRUE(failed_with(schedule.result, refused));
}

// --- cancellation and memory

TEST(RetryCancellation, ends_the_pause_at_once) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Instant begin = scheduler().now();
        RetryProgress progress;
        Census census;
        Server server(9);
        const auto result = co_await attempt(
            timeout(10ms, retry({.first_delay = 1h, .jitter = Jitter::none, .progress = &progress},
                                [&] { return server.get(census); })));
        EXPECT_TRUE(failed_with(result, std::errc::timed_out));
        EXPECT_EQ(scheduler().now() - begin, 10 * ms);
        EXPECT_EQ(progress.attempt, 1u);
        EXPECT_EQ(progress.last_error, refused);
    });
    EXPECT_EQ(status, 0);
}

TEST(RetryCancellation, is_no_failure_and_starts_no_attempt) {
    Simulation simulation;
    int calls = 0;
    const int status = simulation.run([&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto task = group.spawn([&]() -> Task<void> {
                co_await retry({.attempts = retry_for_ever}, [&]() -> Task<void> {
                    ++calls;
                    co_await sleep(1h);
                });
            });
            co_await sleep(1ms);
            task.cancel();
            const auto ended = co_await attempt(task.join());
            EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        });
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(calls, 1);
}

TEST(RetryMemory, without_a_frame_for_itself_or_an_attempt_fails_at_once) {
    Simulation simulation;
    constexpr Limits limits{.tasks = 1, .frames = {{4096, 16}}};  // one class: slots are counted
    const int status = simulation.run<limits>([]() -> Task<void> {
        int calls = 0;
        const auto work = [&]() -> Task<void> {
            ++calls;
            co_await sleep(1ms);
        };
        RetryProgress progress;
        for (unsigned spare = 0; spare < 4; ++spare) {
            const support::PoolHog hog(spare);
            const auto result =
                co_await attempt(retry({.first_delay = 1h, .progress = &progress}, work));
            if (!result) {
                EXPECT_EQ(result.error(), no_frame_error);
            }
            // One slot is the retry's, one the box's of its time limit, one the attempt's.
            EXPECT_EQ(result.has_value(), spare == 3);
            EXPECT_EQ(calls, spare == 3 ? 1 : 0);
        }
        EXPECT_EQ(progress.attempt, 1u);
    });
    EXPECT_EQ(status, 0);
}

TEST(RetryInTheAwaitTree, pauses_where_it_was_called) {
    Simulation simulation;
    (void)simulation.run([]() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            group.spawn([]() -> Task<void> {
                co_await retry({.first_delay = 1h, .jitter = Jitter::none},
                               [] { return fails_at_once(refused); });
            });
            co_await sleep(1s);
            log_await_tree();
            group.cancel_tasks();
        });
    });
    EXPECT_NE(simulation.log().find("sleep at p22_retries_test.cpp"), std::string_view::npos)
        << simulation.log();
}

TEST(RetryDeathTest, refuses_policies_that_make_no_sense) {
    const auto run_with = [](RetryPolicy policy) {
        Simulation simulation;
        (void)simulation.run([&]() -> Task<void> { co_await retry(policy, nothing); });
    };
    EXPECT_DEATH(run_with({.attempts = 0}), "attempts");
    EXPECT_DEATH(run_with({.first_delay = -1ms}), "first_delay");
    EXPECT_DEATH(run_with({.delay_max = -1ms}), "delay_max");
    EXPECT_DEATH(run_with({.retries = nullptr}), "retries");
}

}  // namespace
}  // namespace ringlet::conformance
