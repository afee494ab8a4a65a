// P23: blocking work. What holds on threads, in simulation, and with a cancellation anywhere.
#include "work/work_cases.hpp"

#include "conformance/pool_hog.hpp"

#include <csignal>
#include <string>

namespace ringlet::conformance {
namespace {

using support::with_slow_jobs;
using support::work_limits;
using testing::Simulation;

int twice(int number) {
    return 2 * number;
}
Result<int> half(int number) {
    if (number % 2 != 0) return std::unexpected(Error(std::errc::invalid_argument));
    return number / 2;
}

// --- what it gives

RINGLET_WORK_CASE(Offload, gives_what_the_callable_returns) {
    int seen = 0;
    const int value = co_await offload([] { return twice(4); });
    EXPECT_EQ(value, 8);
    co_await offload([&] { seen = value; });
    EXPECT_EQ(seen, 8);
    const int halved = co_await offload([&] { return half(value); });
    EXPECT_EQ(halved, 4);
    const auto read = [&]() -> Result<void> { return {}; };
    co_await offload(read);
}

RINGLET_WORK_CASE(Offload, gives_the_error_of_a_result_to_an_attempt) {
    const auto good = co_await attempt(offload([] { return half(6); }));
    EXPECT_TRUE(good && *good == 3);
    const auto bad = co_await attempt(offload([] { return half(7); }));
    EXPECT_TRUE(failed_with(bad, std::errc::invalid_argument));
    const auto refuse = []() -> Result<void> {
        return std::unexpected(Error(std::errc::io_error));
    };
    const auto nothing = co_await attempt(offload(refuse));
    EXPECT_TRUE(failed_with(nothing, std::errc::io_error));
}

RINGLET_WORK_CASE(Offload, lets_the_error_of_a_result_leave_the_coroutine) {
    Trace trace;
    const auto body = [&]() -> Task<void> {
        const Mark mark(trace, 'm');
        const int value = co_await offload([] { return half(1); });
        trace.add(value == 0 ? '0' : '1');
    };
    const auto ended = co_await attempt(body());
    EXPECT_TRUE(failed_with(ended, std::errc::invalid_argument));
    EXPECT_EQ(trace.text(), "m");
}

RINGLET_WORK_CASE(Offload, moves_what_can_only_be_moved) {
    Census census;
    {
        const Owned owned = co_await offload([&] { return Owned(census, 5); });
        EXPECT_EQ(owned.number(), 5);
        auto give = [moved = Owned(census, 6)]() mutable { return std::move(moved); };
        const Owned second = co_await offload(give);
        EXPECT_EQ(second.number(), 6);
        const auto third = co_await attempt(offload(std::ref(give)));
        EXPECT_TRUE(third.has_value());
    }
}

RINGLET_WORK_CASE(Offload, many_at_once_come_back_each_with_its_own_value) {
    static constexpr int count = 50;
    int sum = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < count; ++i) {
            group.spawn([&sum](int number) -> Task<void> {
                const int value = co_await offload([number] { return twice(number); });
                EXPECT_EQ(value, 2 * number);
                sum += value;
            }, i);
        }
        co_return;
    });
    EXPECT_EQ(sum, count * (count - 1));
}

RINGLET_WORK_CASE(Offload, can_be_gathered_and_raced) {
    const auto both = co_await gather(offload([] { return 1; }), offload([] { return 2; }));
    EXPECT_EQ(std::get<0>(both) + std::get<1>(both), 3);
    const auto raced = co_await race(offload([] { return 1; }), sleep(1h));
    EXPECT_TRUE(std::get<0>(raced.outcomes).has_value());
}

// Others wait and go on while jobs run, so that a cancellation finds jobs new, in line, running.
RINGLET_WORK_CASE(Offload, unwinds_well_wherever_its_jobs_stand) {
    Lane lane;
    const auto jobs = [](Lane* mine) -> Task<void> {
        Census census;  // each task has its own: jobs of several may run at once
        for (int i = 0; i < 3; ++i) {
            const Owned first = co_await offload([&census] { return Owned(census, 1); });
            const auto second = co_await attempt(
                timeout(1ms, offload(abandonable(twice, i))));
            EXPECT_TRUE(second || second.error() == std::errc::timed_out);
            if (mine == nullptr) continue;
            const Owned third = co_await offload(*mine, [&census] { return Owned(census, 3); });
            EXPECT_EQ(first.number() + third.number(), 4);
        }
    };
    const auto ticks = []() -> Task<void> {
        for (int i = 0; i < 12; ++i) co_await sleep(400us);
    };
    co_await gather(jobs(&lane), jobs(&lane), jobs(nullptr), ticks());
}

// --- lanes

// The jobs of one lane, and whether two ever ran at once.
struct Watched {
    Lane lane;
    std::atomic<int> inside = 0;
    std::atomic<int> overlaps = 0;
    int last = -1;  // a lane's jobs are one after another, so they may share it
    int disorder = 0;

    void visit(int number) {
        if (inside.fetch_add(1) != 0) ++overlaps;
        if (number <= last) ++disorder;
        last = number;
        inside.fetch_sub(1);
    }
};

RINGLET_WORK_CASE(Lanes, run_their_jobs_one_after_another_in_order) {
    Watched lanes[3];
    const auto use = [](Watched& watched, int number) -> Task<void> {
        co_await offload(watched.lane, [&watched, number] { watched.visit(number); });
    };
    const auto ended = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 30; ++i) group.spawn(use, std::ref(lanes[i % 3]), i);
        co_return;
    }));
    EXPECT_TRUE(ended.has_value());
    for (const Watched& each : lanes) {
        EXPECT_EQ(each.overlaps.load(), 0);
        EXPECT_EQ(each.disorder, 0);
        EXPECT_GE(each.last, 27);
    }
}

TEST(Lanes, can_be_moved_while_nobody_waits_for_their_jobs) {
    support::run_simulated<work_limits>([]() -> Task<void> {
        Lane first;
        co_await offload(first, [] {});
        Lane second(std::move(first));
        const int value = co_await offload(second, [] { return 5; });
        EXPECT_EQ(value, 5);
    });
}

TEST(Lanes, that_are_long_do_not_hold_up_others) {
    static constexpr Limits two{.workers = 2};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = [&]() -> Task<void> {
        Lane crowded;
        Lane quiet;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 20; ++i) {
                group.spawn([&]() -> Task<void> { co_await offload(crowded, [] {}); });
            }
            co_await sleep(1ms);  // all of them are in line
            const Instant start = simulation.world().now();
            co_await offload(quiet, [] {});
            EXPECT_EQ(simulation.world().now() - start, Nanoseconds(10ms).count());
            co_await offload([] {});
            EXPECT_EQ(simulation.world().now() - start, Nanoseconds(20ms).count());
        });
        EXPECT_EQ(simulation.world().now(), Nanoseconds(1s + 200ms).count());  // one at a time
    };
    EXPECT_EQ(simulation.run<two>(main), 0) << simulation.log();
}

TEST(Lanes, are_served_in_turn_by_one_worker) {
    static constexpr Limits one{.workers = 1};
    Simulation simulation({.job_time_min = 1ms, .job_time_max = 1ms});
    Trace trace;
    const auto main = [&]() -> Task<void> {
        Lane lanes[2];
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto use = [&trace](Lane* lane, char letter) -> Task<void> {
                const auto note = [&trace, letter] { trace.add(letter); };
                if (lane != nullptr) co_await offload(*lane, note);
                else co_await offload(note);
            };
            for (int i = 0; i < 4; ++i) group.spawn(use, &lanes[0], 'a');
            for (int i = 0; i < 4; ++i) group.spawn(use, nullptr, 'x');
            for (int i = 0; i < 2; ++i) group.spawn(use, &lanes[1], 'b');
            co_return;
        });
    };
    EXPECT_EQ(simulation.run<one>(main), 0) << simulation.log();
    EXPECT_EQ(trace.text(), "axbaxbaxax");
}

// --- cancellation

TEST(Offload, a_cancelled_job_that_has_not_begun_never_runs) {
    static constexpr Limits one{.workers = 1};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    Trace trace;
    const auto main = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto job = [&trace](char letter) -> Task<void> {
                const Mark mark(trace, '.');
                co_await offload([&] { trace.add(letter); });
            };
            group.spawn(job, 'a');
            auto second = group.spawn(job, 'b');
            group.spawn(job, 'c');
            co_await sleep(5ms);
            const Instant start = simulation.world().now();
            second.cancel();
            const auto ended = co_await attempt(second.join());
            EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
            EXPECT_EQ(simulation.world().now(), start);  // at once
        });
    };
    EXPECT_EQ(simulation.run<one>(main), 0) << simulation.log();
    EXPECT_EQ(trace.text(), ".a.c.");
    EXPECT_EQ(simulation.report().high_water.jobs, 3u);
}

TEST(Offload, a_cancelled_job_that_runs_is_waited_for_and_its_value_delivered) {
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    Trace trace;
    const auto main = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto task = group.spawn([&]() -> Task<void> {
                const Mark mark(trace, 'm');
                const int value = co_await offload([&] {
                    trace.add('j');
                    return 7;
                });
                trace.add(value == 7 ? 'v' : '?');
                co_await yield();
                trace.add('!');
            });
            co_await sleep(5ms);
            task.cancel();
            const auto ended = co_await attempt(task.join());
            EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        });
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 0) << simulation.log();
    EXPECT_EQ(trace.text(), "jvm");
}

TEST(Offload, a_time_limit_cannot_shorten_a_job_that_runs) {
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = [&]() -> Task<void> {
        const Instant start = simulation.world().now();
        const int late = co_await timeout(1ms, offload([] { return 3; }));
        EXPECT_EQ(late, 3);
        EXPECT_EQ(simulation.world().now() - start, Nanoseconds(10ms).count());
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 0) << simulation.log();
}

TEST(Offload, a_time_limit_ends_the_wait_for_a_worker) {
    static constexpr Limits one{.workers = 1};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            group.spawn([]() -> Task<void> { co_await offload([] {}); });
            co_await yield();
            const auto ended = co_await attempt(timeout(1ms, offload([] { ADD_FAILURE(); })));
            EXPECT_TRUE(failed_with(ended, std::errc::timed_out));
        });
    };
    EXPECT_EQ(simulation.run<one>(main), 0) << simulation.log();
}

// --- abandonable

RINGLET_WORK_CASE(Abandonable, gives_its_value_if_nobody_cancels_it) {
    const int value = co_await offload(abandonable(twice, 21));
    EXPECT_EQ(value, 42);
    Lane lane;
    const auto bad = co_await attempt(offload(lane, abandonable(half, 3)));
    EXPECT_TRUE(failed_with(bad, std::errc::invalid_argument));
}

RINGLET_WORK_CASE(Abandonable, owns_its_arguments_and_its_result) {
    Census census;
    {
        Owned owned(census, 9);
        const Owned back = co_await offload(
            abandonable([](Owned given) { return given; }, std::move(owned)));
        EXPECT_EQ(back.number(), 9);
    }
    EXPECT_EQ(census.alive, 0);
}

TEST(Abandonable, lets_a_cancelled_caller_go_at_once_and_keeps_its_worker_until_it_ends) {
    static constexpr Limits one{.workers = 1};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    Census census;
    int ran = 0;
    const auto main = [&]() -> Task<void> {
        const Instant start = simulation.world().now();
        struct Counter {
            int* count;
        };
        const auto left = co_await attempt(timeout(1ms, offload(abandonable(
            [](Counter counter, Owned owned) {
                ++*counter.count;
                return owned;
            },
            Counter(&ran), Owned(census, 1)))));
        EXPECT_TRUE(failed_with(left, std::errc::timed_out));
        EXPECT_EQ(simulation.world().now() - start, Nanoseconds(1ms).count());
        EXPECT_EQ(ran, 0);
        EXPECT_EQ(census.alive, 1);  // the job's
        co_await offload([&] { EXPECT_EQ(ran, 1); });
        EXPECT_EQ(simulation.world().now() - start, Nanoseconds(20ms).count());
        EXPECT_EQ(census.alive, 0);
    };
    EXPECT_EQ(simulation.run<one>(main), 0) << simulation.log();
}

TEST(Abandonable, is_waited_for_at_the_end_of_the_run) {
    Simulation simulation({.job_time_min = 5s, .job_time_max = 5s});
    const Instant start = simulation.world().now();
    const auto main = []() -> Task<int> {
        const auto left = co_await attempt(timeout(1ms, offload(abandonable(twice, 1))));
        EXPECT_FALSE(left.has_value());
        co_return 4;
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 4) << simulation.log();
    EXPECT_EQ(simulation.world().now() - start, Nanoseconds(5s).count());
    EXPECT_EQ(simulation.log(), "");
}

TEST(Abandonable, that_has_not_begun_never_runs) {
    static constexpr Limits one{.workers = 1};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            group.spawn([]() -> Task<void> { co_await offload([] {}); });
            co_await yield();
            const auto fails = [](int) { ADD_FAILURE(); };
            const auto ended = co_await attempt(timeout(1ms, offload(abandonable(fails, 1))));
            EXPECT_TRUE(failed_with(ended, std::errc::timed_out));
        });
    };
    EXPECT_EQ(simulation.run<one>(main), 0) << simulation.log();
}

TEST(Abandonable, may_outlive_its_lane) {
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = []() -> Task<void> {
        {
            Lane lane;
            const auto left = co_await attempt(timeout(1ms, offload(lane, abandonable(twice, 1))));
            EXPECT_FALSE(left.has_value());
        }
        co_await sleep(1s);
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 0) << simulation.log();
}

TEST(AbandonableDeathTest, holds_its_lane_in_place_while_it_runs) {
    const auto moves = [] {
        Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
        simulation.run<work_limits>([]() -> Task<void> {
            Lane lane;
            const auto left = co_await attempt(timeout(1ms, offload(lane, abandonable(twice, 1))));
            EXPECT_FALSE(left.has_value());
            const Lane moved(std::move(lane));
        });
    };
    EXPECT_DEATH(moves(), "is_free");
}

TEST(Abandonable, lets_its_lane_move_once_it_has_ended) {
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    const auto main = []() -> Task<void> {
        Lane lane;
        const auto left = co_await attempt(timeout(1ms, offload(lane, abandonable(twice, 1))));
        EXPECT_FALSE(left.has_value());
        co_await sleep(1s);
        Lane moved(std::move(lane));
        const int value = co_await offload(moved, [] { return 3; });
        EXPECT_EQ(value, 3);
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 0) << simulation.log();
}

TEST(AbandonableDeathTest, that_is_stuck_is_named_when_the_process_is_ended_by_force) {
    const auto stuck = [] {
        Simulation simulation({.job_time_min = 24h, .job_time_max = 24h});
        simulation.run<work_limits>([]() -> Task<void> {
            const auto left = co_await attempt(timeout(1s, offload(abandonable(twice, 1))));
            EXPECT_FALSE(left.has_value());
        });
    };
    EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(1),
                "ringlet: the stop limit has passed; ended by force with\n"
                "abandoned job: offload at p23_blocking_work_test.cpp:[0-9]+ for 11.000 s\n");
}

TEST(OffloadDeathTest, that_is_stuck_is_named_when_the_process_is_ended_by_force) {
    const auto stuck = [] {
        Simulation simulation({.job_time_min = 24h, .job_time_max = 24h});
        simulation.run<work_limits>([&]() -> Task<void> {
            simulation.world().raise(SIGTERM);
            co_await offload([] {});
        });
    };
    EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(143),
                "ringlet: the stop limit has passed; ended by force with\n"
                "main: offload, cancelled at p23_blocking_work_test.cpp:[0-9]+ for 10.000 s\n");
}

// --- bounds and refusals

TEST(TryOffload, is_refused_while_as_many_jobs_have_not_ended) {
    static constexpr Limits four{.workers = 1, .worker_jobs = 4};
    Simulation simulation({.job_time_min = 10ms, .job_time_max = 10ms});
    int ran = 0;
    const auto main = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto job = [&]() -> Task<void> { co_await try_offload([&] { ++ran; }); };
            for (int i = 0; i < 4; ++i) group.spawn(job);
            co_await sleep(5ms);
            Lane lane;
            const auto refused = co_await attempt(try_offload(lane, [] { ADD_FAILURE(); }));
            EXPECT_TRUE(failed_with(refused, RuntimeDetail::jobs));
            EXPECT_TRUE(failed_with(refused, std::errc::resource_unavailable_try_again));
            co_await offload([&] { ++ran; });  // waits instead
            EXPECT_EQ(ran, 5);
            co_await try_offload([&] { ++ran; });
        });
    };
    EXPECT_EQ(simulation.run<four>(main), 0) << simulation.log();
    EXPECT_EQ(ran, 6);
    EXPECT_EQ(simulation.report().high_water.jobs, 5u);
}

TEST(Offload, without_workers_fails_and_says_why) {
    Simulation simulation;
    const auto main = []() -> Task<void> {
        const auto plain = co_await attempt(offload([] { ADD_FAILURE(); }));
        EXPECT_TRUE(failed_with(plain, RuntimeDetail::workers));
        EXPECT_TRUE(failed_with(plain, std::errc::operation_not_supported));
        const auto owning = co_await attempt(offload(abandonable(twice, 1)));
        EXPECT_TRUE(failed_with(owning, RuntimeDetail::workers));
        EXPECT_STREQ(text(plain.error()), "there are no worker threads (Limits::workers)");
    };
    EXPECT_EQ(simulation.run(main), 0) << simulation.log();
}

TEST(Offload, needs_no_memory_where_an_abandonable_one_fails_without) {
    static constexpr Limits scarce{
        .frames = {{128, 24}, {256, 24}, {512, 24}, {1024, 24}, {8192, 8}}, .workers = 1};
    Simulation simulation;
    const auto main = []() -> Task<void> {
        const support::PoolHog hog;
        const int value = co_await offload([] { return twice(2); });
        EXPECT_EQ(value, 4);
        const auto refused = co_await attempt(offload(abandonable(twice, 2)));
        EXPECT_TRUE(failed_with(refused, RuntimeDetail::frames));
    };
    EXPECT_EQ(simulation.run<scarce>(main), 0) << simulation.log();
}

TEST(Offload, a_run_whose_threads_cannot_be_had_does_not_begin_kernel) {
    Simulation simulation;
    simulation.world().refuse_threads(EAGAIN);
    bool began = false;
    const auto main = [&]() -> Task<void> {
        began = true;
        co_return;
    };
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(simulation.run<work_limits>(main), exit_unavailable);
    const std::string words = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(words.find("worker threads cannot be started"), std::string::npos) << words;
    EXPECT_FALSE(began);
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    simulation.world().refuse_threads(0);
    EXPECT_EQ(simulation.run<work_limits>(main), 0);
    EXPECT_TRUE(began);
}

TEST(Offload, a_run_without_a_waker_does_not_begin_kernel) {
    Simulation simulation({.event_descriptors = 0});
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(simulation.run<work_limits>(nothing), exit_unavailable);
    const std::string words = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(words.find("other threads cannot wake the loop"), std::string::npos) << words;
}

TEST(Offload, goes_on_though_reading_the_waker_fails) {
    Simulation simulation({.job_time_min = 1ms, .job_time_max = 1ms});
    const auto main = [&]() -> Task<void> {
        for (int i = 0; i < 5; ++i) {
            simulation.world().fail_next(IORING_OP_READ, EIO);
            co_await offload([] {});
        }
    };
    EXPECT_EQ(simulation.run<work_limits>(main), 0) << simulation.log();
}

// --- simulation

TEST(SimulatedJobs, end_in_an_order_that_the_seed_draws_and_repeats) {
    std::string orders[12];
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        for (int run = 0; run < 2; ++run) {
            Simulation simulation({.seed = seed + 1, .job_time_max = 1ms});
            Trace trace;
            const auto main = [&]() -> Task<void> {
                co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                    for (char letter = 'a'; letter < 'g'; ++letter) {
                        group.spawn([&trace](char mine) -> Task<void> {
                            co_await offload([&] { trace.add(mine); });
                        }, letter);
                    }
                    co_return;
                });
            };
            EXPECT_EQ(simulation.run<work_limits>(main), 0);
            if (run == 1) {
                EXPECT_EQ(trace.text(), orders[seed]);
            }
            orders[seed] = trace.text();
        }
    }
    int different = 0;
    for (const std::string& order : orders) different += order != orders[0] ? 1 : 0;
    EXPECT_GE(different, 6);
}

TEST(SimulatedJobs, that_run_are_no_deadlock) {
    Simulation simulation({.job_time_min = 24h, .job_time_max = 24h});
    const auto main = []() -> Task<void> { co_await offload([] {}); };
    EXPECT_EQ(simulation.run<work_limits>(main), 0);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.log(), "");
}

TEST(SimulatedJobsDeathTest, that_use_tasks_are_caught) {
    const auto wrong = [] {
        Simulation simulation;
        simulation.run<work_limits>([]() -> Task<void> {
            co_await offload([] { auto task = nothing(); });
        });
    };
    EXPECT_DEATH(wrong(), "coroutines live inside run|current_scheduler != nullptr");
}

}  // namespace
}  // namespace ringlet::conformance
