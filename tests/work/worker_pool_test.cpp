// The workers as threads of the process; what does not need threads is in conformance/p23.
#include "work/work_cases.hpp"

#include <ringlet/ring/kernel_seal.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <dirent.h>
#include <pthread.h>

namespace ringlet::support {
namespace {

using namespace std::chrono_literals;

using conformance::Census;
using conformance::failed_with;
using conformance::Owned;

#if defined(RINGLET_ADDRESS_SANITIZER) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

// Threads of this process that call themselves workers; a sanitizer may have one of its own.
unsigned threads() {
    unsigned count = 0;
    DIR* const folder = ::opendir("/proc/self/task");
    while (const dirent* entry = ::readdir(folder)) {
        std::ifstream file(std::string("/proc/self/task/") + entry->d_name + "/comm");
        std::string name;
        count += std::getline(file, name) && name == "ringlet-worker" ? 1 : 0;
    }
    ::closedir(folder);
    return count;
}

// Takes time in a job, without a clock: leaves the processor to others so many times.
void linger(int turns) {
    for (int i = 0; i < turns; ++i) std::this_thread::yield();
}

// --- threads

TEST(WorkerPool, stack_is_never_less_than_the_platform_wants) {
    EXPECT_EQ(worker_stack_room(65'536, 32'768), 65'536 + sanitizer_stack_bytes);
    EXPECT_EQ(worker_stack_room(65'536, 262'144), 262'144 + sanitizer_stack_bytes);
}

TEST(KernelWorkers, are_there_for_the_run_and_no_longer) {
    const auto main = []() -> Task<void> {
        const Unsealed for_opendir;
        EXPECT_EQ(threads(), work_limits.workers);
        co_return;
    };
    for (int i = 0; i < 5; ++i) {
        RINGLET_RUN_ON_KERNEL(work_runtime, main);
        // The kernel wakes who joins a thread before it takes that one from the list.
        for (int turns = 0; threads() > 0 && turns < 1000; ++turns) std::this_thread::yield();
        EXPECT_EQ(threads(), 0u);
    }
}

TEST(KernelWorkers, are_not_there_unless_asked_for) {
    const auto main = []() -> Task<void> {
        const Unsealed for_opendir;
        EXPECT_EQ(threads(), 0u);
        co_return;
    };
    static Runtime<Limits{}> plain;
    RINGLET_RUN_ON_KERNEL(plain, main);
}

TEST(KernelWorkers, run_jobs_beside_the_loop_on_stacks_of_the_runtime) {
    const auto main = []() -> Task<void> {
        const auto self = std::this_thread::get_id();
        const auto other = co_await offload([] { return std::this_thread::get_id(); });
        EXPECT_NE(other, self);
        const auto frame = co_await offload([] {
            return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        });
        const auto start = reinterpret_cast<std::uintptr_t>(&work_runtime);
        EXPECT_GE(frame, start);
        EXPECT_LT(frame, start + sizeof work_runtime);
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

TEST(KernelWorkers, may_use_most_of_their_stack) {
    const auto main = []() -> Task<void> {
        const int sum = co_await offload([] {
            volatile char room[40'000];
            for (volatile char& byte : room) byte = 1;
            return room[0] + room[39'999];
        });
        EXPECT_EQ(sum, 2);
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

TEST(KernelWorkersDeathTest, that_overrun_their_stack_are_stopped_there) {
    if (sanitized) GTEST_SKIP() << "a sanitizer makes stacks larger";
    const auto overrun = [] {
        const auto main = []() -> Task<void> {
            co_await offload([] {
                volatile char room[300'000];  // more than any architecture asks for
                for (std::size_t i = sizeof room; i > 0; i -= 100) room[i - 1] = 1;
            });
        };
        std::exit(work_runtime.run(main) == exit_unavailable ? exit_unavailable : 0);
    };
    EXPECT_EXIT(overrun(), [](int status) {
        return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
               (WIFEXITED(status) && WEXITSTATUS(status) == exit_unavailable);
    }, "");
}

TEST(KernelWorkers, leave_signals_to_the_loop) {
    const auto main = []() -> Task<void> {
        const sigset_t blocked = co_await offload([] {
            sigset_t now;
            ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
            return now;
        });
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM}) {
            EXPECT_EQ(sigismember(&blocked, number), 1) << number;
        }
        EXPECT_EQ(sigismember(&blocked, SIGSEGV), 0);
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
    sigset_t now;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
    EXPECT_EQ(sigismember(&now, SIGHUP), 0);  // the caller has its own again
}

TEST(KernelWorkers, are_under_the_seal) {
    if (sanitized) GTEST_SKIP() << "a sanitizer has an allocator of its own";
    const auto main = []() -> Task<void> {
        const auto allocate = [] {
            void* volatile memory = std::malloc(10'000);  // volatile, or both may be left out
            std::free(memory);
        };
        co_await offload(allocate);
        co_await offload([&] {
            const Unsealed allowed;
            allocate();
        });
    };
    ::testing::internal::CaptureStderr();
    const int status = work_runtime.run(main);
    const std::string words = ::testing::internal::GetCapturedStderr();
    if (status == exit_unavailable) GTEST_SKIP() << "no io_uring";
    EXPECT_EQ(seal_breaches(), 1u) << words;
    EXPECT_NE(words.find("seal: malloc while the runtime runs"), std::string::npos) << words;
}

// --- beside the loop

TEST(KernelWorkers, let_the_loop_turn_while_they_block) {
    static Gate gate;
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            int turns = 0;
            const auto block = []() -> Task<void> { co_await offload([] { gate.pass(); }); };
            auto blocked = group.spawn(block);
            while (turns < 1000) {
                co_await yield();
                ++turns;
            }
            EXPECT_FALSE(blocked.done());
            gate.open();
            co_await blocked.join();
        });
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

TEST(KernelWorkers, come_to_a_loop_that_never_waits) {
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            auto job = group.spawn([]() -> Task<void> { co_await offload([] {}); });
            while (!job.done()) co_await yield();
        });
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

TEST(KernelWorkers, never_begin_a_job_that_was_cancelled_in_line) {
    static Gate gate;
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            std::atomic<unsigned> blocked = 0;
            const auto block = [&]() -> Task<void> {
                co_await offload([&] {
                    ++blocked;
                    gate.pass();
                });
            };
            for (unsigned i = 0; i < work_limits.workers; ++i) group.spawn(block);
            co_await until_true([&] { return blocked == work_limits.workers; });
            const auto fails = []() -> Task<void> { co_await offload([] { ADD_FAILURE(); }); };
            auto late = group.spawn(fails);
            co_await sleep(1ms);
            late.cancel();
            const auto ended = co_await attempt(late.join());
            EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
            gate.open();
        });
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

TEST(KernelWorkers, that_run_a_job_are_waited_for_when_its_caller_is_cancelled) {
    static Gate gate;
    const auto main = []() -> Task<void> {
        bool delivered = false;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            std::atomic<bool> runs = false;
            auto task = group.spawn([&]() -> Task<void> {
                const int value = co_await offload([&] {
                    runs = true;
                    gate.pass();
                    return 5;
                });
                delivered = value == 5;
            });
            co_await until_true([&] { return runs.load(); });
            task.cancel();
            co_await sleep(1ms);
            EXPECT_FALSE(task.done());
            gate.open();
            const auto ended = co_await attempt(task.join());
            EXPECT_TRUE(ended.has_value());  // it awaited nothing more
        });
        EXPECT_TRUE(delivered);
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

// Abandons a job that has begun: `begun` becomes true in it.
template <class Job>
Task<void> leave_behind(Job job, std::atomic<bool>& begun) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn([&]() -> Task<void> { co_await offload(abandonable(job)); });
        co_await until_true([&] { return begun.load(); });
        task.cancel();
        const auto left = co_await attempt(task.join());
        EXPECT_TRUE(failed_with(left, std::errc::operation_canceled));
    });
}

TEST(KernelWorkers, stay_busy_with_an_abandoned_job_until_it_ends) {
    static constexpr Limits one{.workers = 1};
    static Runtime<one> runtime;
    static Gate gate;
    static std::atomic<bool> begun = false;
    const auto main = []() -> Task<void> {
        const auto job = [] {
            begun = true;
            gate.pass();
        };
        co_await leave_behind(job, begun);
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            auto next = group.spawn([]() -> Task<void> { co_await offload([] {}); });
            co_await sleep(2ms);
            EXPECT_FALSE(next.done());
            gate.open();
            co_await next.join();
        });
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
}

TEST(KernelWorkers, that_are_abandoned_are_waited_for_before_run_returns) {
    static Gate gate;
    static std::atomic<bool> begun = false;
    static std::atomic<bool> ended = false;
    const auto main = []() -> Task<void> {
        const auto job = [] {
            begun = true;
            gate.pass();
            linger(10'000);  // long after main
            ended = true;
        };
        co_await leave_behind(job, begun);
        gate.open();
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
    EXPECT_TRUE(ended.load());
}

// The loop is late, so that the limit and the end of the job fall into one turn.
template <class Waits>
void end_in_the_turn_of_the_limit(Waits waits) {
    static constexpr Limits one{.workers = 1};
    static Runtime<one> runtime;
    static Gate gate;
    static std::atomic<bool> begun = false;
    static constexpr PendingHooks opens{
        .reason = "opener", .catches = false, .cancel = nullptr, .expire = [](Pending&) {
            gate.open();
            std::this_thread::sleep_for(20ms);  // the job ends meanwhile
        }};
    const auto main = [waits]() -> Task<void> {
        const auto job = [] {
            begun = true;
            gate.pass();
        };
        const Deadline limit = Deadline::after(50ms);
        const Deadline after_it = Deadline::after(60ms);
        Timer opener(opens, nullptr);
        scheduler().arm(opener, after_it.clock(), after_it.at());
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto caller = group.spawn([&]() -> Task<void> {
                const auto left = co_await attempt(waits(limit, job));
                EXPECT_TRUE(failed_with(left, std::errc::timed_out));
            });
            // Here and not in until_true(): its frame's memory would hide what is read too late.
            while (!begun && !caller.done()) co_await sleep(100us);
            while (!after_it.has_passed()) linger(1);
        });
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
}

TEST(KernelWorkers, that_end_an_abandoned_job_at_once_leave_its_caller_the_time_limit) {
    end_in_the_turn_of_the_limit([](Deadline limit, auto job) {
        return until(limit, offload(abandonable(job)));
    });
}

TEST(KernelWorkers, that_end_an_abandoned_job_at_once_leave_its_caller_to_unwind) {
    end_in_the_turn_of_the_limit([](Deadline limit, auto job) -> Task<void> {
        co_await until(limit, offload(abandonable(job)));
    });
}

TEST(KernelWorkersDeathTest, that_are_stuck_are_named_when_the_process_is_ended_by_force) {
    static constexpr Limits short_stop{.workers = 1, .stop_limit_ms = 50};
    static Runtime<short_stop> runtime;
    static Gate never;
    static std::atomic<bool> begun = false;
    const auto stuck = [] {
        const auto job = [] {
            begun = true;
            never.pass();
        };
        const auto main = [job]() -> Task<void> { co_await leave_behind(job, begun); };
        if (runtime.run(main) == exit_unavailable) std::fputs("no io_uring\n", stderr);
        std::exit(1);
    };
    EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(1),
                "no io_uring|ringlet: the stop limit has passed; ended by force with\n"
                "abandoned job: offload at worker_pool_test.cpp:[0-9]+ for 0.[0-9]+ s\n");
}

TEST(KernelWorkers, are_given_many_jobs_and_give_each_back_once) {
    static constexpr Limits busy{.tasks = 64, .workers = 4};
    static Runtime<busy> runtime;
    static constexpr int tasks = 32;
    static constexpr int rounds = 300;
    const auto main = []() -> Task<void> {
        std::atomic<long> ran = 0;
        long sum = 0;
        Lane lanes[4];
        int inside[4] = {};  // of one lane, so of one job at a time: TSan would tell
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < tasks; ++i) {
                group.spawn([&](int number) -> Task<void> {
                    for (int round = 0; round < rounds; ++round) {
                        const int which = (number + round) % 5;
                        const auto job = [&, which] {
                            if (which < 4) ++inside[which];
                            ++ran;
                            return 1;
                        };
                        auto wait = which < 4 ? offload(lanes[which], job) : offload(job);
                        sum += co_await std::move(wait);
                    }
                }, i);
            }
            co_return;
        });
        EXPECT_EQ(sum, tasks * rounds);
        EXPECT_EQ(ran.load(), tasks * rounds);
        EXPECT_EQ(inside[0] + inside[1] + inside[2] + inside[3], tasks * rounds * 4 / 5);
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
}

TEST(KernelWorkers, survive_a_storm_of_cancellations) {
    static constexpr Limits stormy{.tasks = 64, .workers = 3};
    static Runtime<stormy> runtime;
    static Census census;  // abandoned jobs outlive main
    const auto main = []() -> Task<void> {
        std::atomic<int> begun = 0;
        std::atomic<int> ended = 0;
        Lane lane;
        testing::Random random(7);
        for (int round = 0; round < 100; ++round) {
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                for (int i = 0; i < 20; ++i) {
                    group.spawn([&](int number) -> Task<void> {
                        const auto job = [&] {
                            ++begun;
                            if (number % 7 == 0) linger(50);
                            ++ended;
                        };
                        const auto owning = [](Owned owned) {
                            linger(30);
                            return owned;
                        };
                        if (number % 3 == 0) co_await offload(job);
                        if (number % 3 == 1) co_await offload(lane, job);
                        if (number % 3 == 2) {
                            const Owned owned =
                                co_await offload(abandonable(owning, Owned(census, number)));
                            EXPECT_EQ(owned.number(), number);
                        }
                    }, i);
                }
                co_await sleep(std::chrono::microseconds(random.between(0, 300)));
                group.cancel_tasks();
            });
        }
        EXPECT_EQ(begun.load(), ended.load());
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
    EXPECT_EQ(census.alive, 0);
    EXPECT_GT(census.born, 0);
}

// --- system calls

// All jobs are handed over in one turn, and all have run before the loop looks again.
TEST(KernelWorkers, wake_and_are_woken_once_for_a_batch) {
    static constexpr Limits one{.workers = 1};
    static Runtime<one> runtime;
    static constexpr int batch = 64;
    const auto main = []() -> Task<void> {
        std::atomic<int> ran = 0;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < batch; ++i) {
                group.spawn([&]() -> Task<void> { co_await offload([&] { ++ran; }); });
            }
            co_await yield();  // they are submitted
            co_await yield();  // and handed over
            while (ran < batch) {}
        });
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
    EXPECT_EQ(runtime.report().worker_wakes, 1u);
    // The last job's end may come after the loop has looked.
    EXPECT_GE(runtime.report().loop_wakes, 1u);
    EXPECT_LE(runtime.report().loop_wakes, 2u);
    EXPECT_EQ(runtime.report().high_water.jobs, static_cast<unsigned>(batch));
}

// --- lanes

class Latencies {
public:
    void note(Nanoseconds span) {
        if (count_ < spans_.size()) spans_[count_++] = span.count();
    }
    double median_us() {
        std::sort(spans_.begin(), spans_.begin() + static_cast<std::ptrdiff_t>(count_));
        return static_cast<double>(spans_[count_ / 2]) / 1000;
    }

private:
    std::array<std::int64_t, 2000> spans_{};
    std::size_t count_ = 0;
};

Task<void> measure(Lane& lane, Latencies& latencies) {
    for (int i = 0; i < 2000; ++i) {
        const Instant start = scheduler().now();
        co_await offload(lane, [] { linger(1); });
        latencies.note(Nanoseconds(scheduler().now() - start));
    }
}

TEST(KernelWorkers, of_a_blocked_lane_do_not_slow_another_lane) {
    static constexpr Limits two{.workers = 2};
    static Runtime<two> runtime;
    static Gate gate;
    static Latencies alone;
    static Latencies beside;
    const auto main = []() -> Task<void> {
        Lane blocked;
        Lane other;
        std::atomic<bool> runs = false;
        co_await measure(other, alone);
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 10; ++i) {
                group.spawn([&]() -> Task<void> {
                    co_await offload(blocked, [&] {
                        runs = true;
                        gate.pass();
                    });
                });
            }
            co_await until_true([&] { return runs.load(); });
            co_await measure(other, beside);  // ends, though the other lane does not
            EXPECT_EQ(group.size(), 10u);
            gate.open();
        });
    };
    RINGLET_RUN_ON_KERNEL(runtime, main);
    const double before = alone.median_us();
    const double during = beside.median_us();
    std::printf("median latency: %.1f us alone, %.1f us beside a blocked lane, ratio %.3f\n",
                before, during, during / before);
}

}  // namespace
}  // namespace ringlet::support
