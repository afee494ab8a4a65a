#include "support/cases.hpp"

#include "conformance/plain_stack.hpp"
#include "conformance/pool_hog.hpp"

#include <ringlet/ringlet.hpp>

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <dirent.h>
#include <unistd.h>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

constexpr Limits run_limits{.frames = {{128, 8}, {256, 8}, {512, 4}}};
Runtime<run_limits> kernel_runtime;

// Runs on the kernel; skips the test where there is no io_uring.
#define EXPECT_STATUS(expected, ...)                                    \
    do {                                                                \
        const int got = kernel_runtime.run(__VA_ARGS__);                \
        if (got == exit_unavailable) GTEST_SKIP() << "no io_uring";     \
        EXPECT_EQ(got, expected);                                       \
    } while (false)

Task<void> nothing() {
    co_return;
}
Task<int> gives(int value) {
    co_await yield();
    co_return value;
}
Task<void> fails() {
    co_await sleep(0s);
    co_await fail(std::errc::io_error);
}

std::string said(const std::function<void()>& body) {
    ::testing::internal::CaptureStderr();
    body();
    return ::testing::internal::GetCapturedStderr();
}

unsigned open_descriptors() {
    unsigned count = 0;
    DIR* const folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
}

TEST(KernelRun, gives_main_s_value_as_the_exit_status) {
    EXPECT_STATUS(0, nothing);
    EXPECT_STATUS(0, gives, 0);
    EXPECT_STATUS(7, gives, 7);
    EXPECT_STATUS(-3, gives, -3);
}

TEST(KernelRun, gives_1_for_an_error_and_logs_it) {
    const std::string words = said([] { EXPECT_STATUS(1, fails); });
    EXPECT_TRUE(IsSkipped() || words == "error: Input/output error\n") << words;
}

TEST(KernelRun, hands_its_arguments_to_main) {
    int seen = 0;
    const auto main = [&](int by_value, int& by_reference) -> Task<void> {
        by_reference = by_value;
        co_return;
    };
    EXPECT_STATUS(0, main, 5, seen);
    EXPECT_EQ(seen, 5);
}

TEST(KernelRun, refuses_to_nest_and_goes_on) {
    const auto main = []() -> Task<int> {
        co_await yield();
        co_return kernel_runtime.run(nothing) == exit_nested_run ? 4 : 5;
    };
    EXPECT_STATUS(4, main);
}

TEST(KernelRun, refuses_a_second_thread_meanwhile) {
    static Runtime<Limits{}> other;
    const auto main = []() -> Task<int> {
        const support::Unsealed for_the_thread;
        int status = 0;
        std::thread([&status] { status = other.run(nothing); }).join();
        co_await yield();
        co_return status == exit_nested_run ? 4 : 5;
    };
    EXPECT_STATUS(4, main);
}

TEST(KernelRun, fails_if_main_s_own_frame_has_no_room) {
    static Runtime<Limits{.frames = {{64, 1}}}> tiny;
    const auto main = []() -> Task<void> {
        char big[512];
        big[0] = 0;
        co_await yield();
        EXPECT_EQ(big[0], 0);
    };
    int status = 0;
    const std::string words = said([&] { status = tiny.run(main); });
    if (status == exit_unavailable) GTEST_SKIP() << "no io_uring";
    EXPECT_EQ(status, 1);
    EXPECT_NE(words.find("is larger than the largest frame class of Limits (64 bytes)\n"
                         "error: the frame pool is full (Limits::frames)\n"),
              std::string::npos)
        << words;
    EXPECT_EQ(tiny.report().oversized_frames, 1u);
}

TEST(KernelRun, leaves_nothing_open_however_often_it_is_called) {
    EXPECT_STATUS(0, nothing);
    const unsigned before = open_descriptors();
    for (int i = 0; i < 50; ++i) EXPECT_STATUS(i, gives, i);
    EXPECT_EQ(open_descriptors(), before);
}

TEST(KernelRun, gives_signals_back_their_old_treatment) {
    EXPECT_STATUS(0, nothing);
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGTERM), 0);
    EXPECT_EQ(sigismember(&blocked, SIGINT), 0);
    EXPECT_EQ(sigismember(&blocked, SIGUSR1), 0);
    // One that was blocked before stays so.
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
    EXPECT_STATUS(0, nothing);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&blocked, SIGTERM), 0);
    ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

TEST(KernelRun, opens_the_seal_again_after_each_run) {
    EXPECT_STATUS(1, fails);
    EXPECT_STATUS(0, nothing);
    delete new int(3);  // would be counted
}

// --- Storage

// What a small firmware pays besides its frames.
constexpr Limits small_limits{.tasks = 16, .operations = 32, .frames = {{128, 32}, {256, 16}}};
static_assert(sizeof(Runtime<small_limits>) - small_limits.frame_storage_bytes() < 16 * 1024);

// --- RunReport

TEST(RunReport, tells_what_was_used_at_most) {
    Simulation simulation;
    const auto child = []() -> Task<void> { co_await sleep(1ms); };
    const auto main = [&]() -> Task<void> {
        for (unsigned wave : {2u, 5u, 3u}) {
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                for (unsigned i = 0; i < wave; ++i) group.spawn(child);
                co_return;
            });
        }
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
    const RunReport& report = simulation.report();
    EXPECT_EQ(report.high_water.tasks, 5u);
    EXPECT_EQ(report.frame_classes, 6u);
    EXPECT_EQ(report.oversized_frames, 0u);
    EXPECT_FALSE(report.completions_overflowed);
    unsigned frames = 0;
    for (unsigned i = 0; i < report.frame_classes; ++i) {
        const FrameClassUse& use = report.frames[i];
        EXPECT_EQ(use.live, 0u);
        EXPECT_LE(use.live_max, use.count);
        EXPECT_LE(use.largest, use.bytes);
        EXPECT_EQ(use.refused, 0u);
        frames += use.live_max;
    }
    EXPECT_GE(frames, 10u);  // five blocks, and their frames
    EXPECT_GE(report.high_water.frame_bytes, 10 * report.frames[0].bytes);
    EXPECT_LE(report.high_water.frame_bytes, support::case_limits.frame_storage_bytes());
    EXPECT_EQ(report.high_water.timers, 5u);
    EXPECT_EQ(report.stack_bytes, 0u);  // nobody asked
}

// A frame of the stack that is as large, and written to its end.
template <unsigned bytes>
[[gnu::noinline]] unsigned uses_the_stack() {
    volatile unsigned char local[bytes];
    for (volatile unsigned char& each : local) each = 1;
    return local[0];
}

TEST(KernelReport, tells_of_the_stack_if_it_is_measured) {
    RINGLET_NEEDS_PLAIN_STACK();
    constexpr Limits few{.frames = {{256, 4}}};
    static Runtime<few> runtime;
    Simulation simulation;
    testing::SimulatedRing ring(simulation.world(), Operations::ring_size(few));
    testing::SimulatedSystem system(simulation.world());
    const auto shallow = []() -> Task<void> { co_await yield(); };
    const auto deep = []() -> Task<void> {
        co_await yield();
        uses_the_stack<20'000>();
    };
    runtime.measure_stacks();
    EXPECT_EQ(runtime.run_on(ring, system, shallow), 0);
    const RunReport little = runtime.report();
    EXPECT_GT(little.stack_bytes, 0u);
    EXPECT_EQ(runtime.run_on(ring, system, deep), 0);
    const RunReport much = runtime.report();
    EXPECT_GE(much.stack_bytes, 20'000u);
    EXPECT_GT(much.stack_bytes, little.stack_bytes);
    EXPECT_LE(much.stack_bytes, much.stack_bytes_seen);
}

TEST(KernelReport, sees_no_further_than_it_painted) {
    RINGLET_NEEDS_PLAIN_STACK();
    constexpr std::size_t beyond = 300'000;
    PaintedStack stack;
    EXPECT_EQ(stack.used(), 0u);
    stack.paint();
    EXPECT_GT(stack.painted(), 0u);
    EXPECT_LT(stack.used(), stack.painted());
    uses_the_stack<beyond>();
    EXPECT_EQ(stack.used(), stack.painted());
}

TEST(KernelReport, looks_at_no_stack_but_the_main_threads) {
    PaintedStack stack;
    std::thread([&] { stack.paint(); }).join();
    EXPECT_EQ(stack.painted(), 0u);
    EXPECT_EQ(stack.used(), 0u);
}

TEST(RunReport, finds_the_deepest_of_equal_stacks) {
    std::array<std::byte, 300> stacks{};
    EXPECT_EQ(deepest_use(stacks, 3), 0u);
    EXPECT_EQ(deepest_use({}, 0), 0u);
    stacks[99] = std::byte{1};
    EXPECT_EQ(deepest_use(stacks, 3), 1u);
    stacks[160] = std::byte{1};
    EXPECT_EQ(deepest_use(stacks, 3), 40u);
}

TEST(KernelReport, measures_the_stacks_of_workers) {
    RINGLET_NEEDS_PLAIN_STACK();
    constexpr Limits with_worker{.frames = {{256, 4}, {512, 2}}, .workers = 2};
    static Runtime<with_worker> runtime;
    const auto main = []() -> Task<void> {
        co_await offload([] { uses_the_stack<9'000>(); });
    };
    runtime.measure_stacks();
    if (runtime.run(main) == exit_unavailable) GTEST_SKIP() << "no io_uring";
    EXPECT_GE(runtime.report().worker_stack_bytes, 9'000u);
    EXPECT_LT(runtime.report().worker_stack_bytes, worker_stack_room(65'536));
}

TEST(RunReport, counts_what_was_refused) {
    Simulation simulation;
    const auto main = []() -> Task<void> {
        const support::PoolHog hog;
        const auto failed = co_await attempt(gives(1));
        EXPECT_FALSE(failed);
    };
    EXPECT_EQ(simulation.run<support::scarce_limits>(main), 0);
    std::uint64_t refused = 0;
    for (const FrameClassUse& use : simulation.report().frames) refused += use.refused;
    EXPECT_GE(refused, 1u);
}

TEST(RunReport, is_of_the_last_run_alone) {
    Simulation simulation;
    const auto busy = []() -> Task<void> {
        co_await gather(sleep(1ms), sleep(1ms), sleep(1ms), sleep(1ms));
    };
    EXPECT_EQ(simulation.run(busy), 0);
    const unsigned before = simulation.report().frames[1].live_max;
    EXPECT_EQ(simulation.run(nothing), 0);
    EXPECT_LT(simulation.report().frames[1].live_max, before);
}

// --- in simulation

TEST(SimulatedRun, is_stopped_by_signals_as_a_real_one) {
    for (const int number : {SIGINT, SIGTERM}) {
        Simulation simulation;
        const auto main = [&]() -> Task<void> {
            simulation.world().raise(number);
            co_await sleep(1h);
            ADD_FAILURE() << "it was not cancelled";
        };
        EXPECT_EQ(simulation.run(main), exit_signal_base + number);
        EXPECT_FALSE(simulation.deadlocked());
    }
}

TEST(SimulatedRun, a_value_that_main_still_gives_comes_before_the_signal) {
    Simulation simulation;
    const auto main = [&](int value) -> Task<int> {
        simulation.world().raise(SIGTERM);
        co_await shield(sleep(1s));
        co_return value;
    };
    EXPECT_EQ(simulation.run(main, 9), 9);
    EXPECT_EQ(simulation.run(main, 0), 143);
}

TEST(SimulatedRun, a_stop_takes_as_long_as_the_clean_up_and_no_longer) {
    Simulation simulation;
    const Instant start = simulation.world().now();
    const auto main = [&]() -> Task<void> {
        simulation.world().raise(SIGTERM);
        const auto clean_up = []() -> Task<void> { co_await sleep(9s); };
        co_await shield(clean_up());
        co_await sleep(1h);
    };
    EXPECT_EQ(simulation.run(main), 143);
    EXPECT_EQ(simulation.world().now() - start, Nanoseconds(9s).count());
}

TEST(SimulatedRunDeathTest, a_stop_that_takes_too_long_ends_by_force_and_shows_the_tree) {
    const auto stuck = [] {
        Simulation simulation;
        const auto main = [&]() -> Task<void> {
            simulation.world().raise(SIGTERM);
            co_await shield(sleep(11s));
        };
        simulation.run(main);
    };
    EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(143),
                "the stop limit has passed; ended by force with\n"
                "main: shield, cancelled at run_test.cpp:[0-9]+ for 10.000 s\n"
                "  task: sleep at run_test.cpp:[0-9]+ for 10.000 s\n");
}

TEST(SimulatedRun, a_deadlock_is_told_with_what_each_task_waits_for) {
    Simulation simulation;
    const auto forever = []() -> Task<void> { co_await sleep_until(Deadline::none()); };
    const auto main = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            group.spawn(forever).named("consumer");
            group.spawn(forever).named("producer");
            co_await sleep(5s);
        });
    };
    simulation.expect_deadlock();
    EXPECT_EQ(simulation.run(main), ringlet::testing::deadlock_status);
    EXPECT_TRUE(simulation.deadlocked());
    const std::string_view words = simulation.world().written(2);
    EXPECT_TRUE(words.starts_with("warning: nothing can wake the program any more but a signal:\n"
                                  "info: main: task group at run_test.cpp:"))
        << words;
    EXPECT_NE(words.find("info:   consumer: sleep at run_test.cpp:"), words.npos) << words;
    EXPECT_NE(words.find("info:   producer: sleep at run_test.cpp:"), words.npos) << words;
    EXPECT_NE(words.find(" for 5.000 s\n"), words.npos) << words;
}

TEST(SimulatedRun, what_only_waits_for_long_is_no_deadlock) {
    Simulation simulation;
    const auto main = []() -> Task<void> {
        co_await gather(sleep(24h * 3650), sleep_until(Deadline::after(24h, Clock::boottime)));
    };
    EXPECT_EQ(simulation.run(main), 0);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.world().written(2), "");
}

TEST(SimulatedRun, the_same_seed_gives_the_same_trace) {
    const auto main = [](int* order) -> Task<void> {
        const auto worker = [&](int number) -> Task<void> {
            for (int i = 0; i < 5; ++i) {
                co_await sleep(std::chrono::microseconds(number * 31 % 7));
                log::info("worker %d", number);
                *order = (*order * 31 + number) % 1'000'003;
            }
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 1; i <= 8; ++i) group.spawn(worker, i);
            co_return;
        });
    };
    for (const std::uint64_t seed : {0u, 1u, 77u}) {
        std::uint64_t trace = 0;
        std::uint64_t entries = 0;
        int order = 0;
        for (int run = 0; run < 3; ++run) {
            Simulation simulation({.seed = seed, .latency_max = 3us, .short_transfers = true});
            int this_order = 1;
            EXPECT_EQ(simulation.run(main, &this_order), 0);
            if (run > 0) {
                EXPECT_EQ(simulation.trace(), trace);
                EXPECT_EQ(simulation.entries(), entries);
                EXPECT_EQ(this_order, order);
            }
            trace = simulation.trace();
            entries = simulation.entries();
            order = this_order;
        }
    }
}

// A log that comes in pieces: standard error takes a few bytes at a time, and late.
TEST(SimulatedRun, the_log_is_whole_after_short_and_late_writes) {
    Simulation simulation({.seed = 5, .latency_max = 1ms, .short_transfers = true});
    const auto main = []() -> Task<void> {
        for (int i = 0; i < 100; ++i) {
            log::info("line %02d", i);
            co_await yield();
        }
    };
    EXPECT_EQ(simulation.run(main), 0);
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        char line[32];
        std::snprintf(line, sizeof line, "info: line %02d\n", i);
        expected += line;
    }
    EXPECT_EQ(simulation.world().written(2), expected);
}

TEST(SimulatedRun, goes_on_when_the_log_cannot_be_written) {
    Simulation simulation;
    simulation.world().fail_next(IORING_OP_WRITE, EIO);
    const auto main = []() -> Task<int> {
        for (int i = 0; i < 1000; ++i) {
            log::info("lost");
            co_await sleep(1ms);
        }
        co_return 6;
    };
    EXPECT_EQ(simulation.run(main), 6);
    EXPECT_EQ(simulation.world().written(2), "");
}

TEST(SimulatedRun, waits_for_room_when_the_log_s_descriptor_does_not_block) {
    Simulation simulation;
    simulation.world().fail_next(IORING_OP_WRITE, EAGAIN);
    const auto main = []() -> Task<void> {
        log::info("kept");
        co_await sleep(1ms);
    };
    EXPECT_EQ(simulation.run(main), 0);
    EXPECT_EQ(simulation.world().written(2), "info: kept\n");
}

TEST(SimulatedRun, reads_signals_anew_when_the_kernel_had_no_memory_for_it) {
    for (const int number : {ENOMEM, EAGAIN, EINTR}) {
        Simulation simulation;
        simulation.world().fail_next(IORING_OP_READ, number);  // the run's own, its first
        simulation.world().fail_next(IORING_OP_READ, number);
        const auto main = [&]() -> Task<void> {
            simulation.world().raise(SIGTERM);
            co_await sleep(1h);
            ADD_FAILURE() << "it was not cancelled";
        };
        EXPECT_EQ(simulation.run(main), exit_signal_base + SIGTERM);
        EXPECT_EQ(simulation.world().written(2), "");
    }
}

TEST(SimulatedRun, ends_while_it_waits_to_read_signals_anew) {
    Simulation simulation;
    simulation.world().fail_next(IORING_OP_READ, ENOMEM);
    EXPECT_EQ(simulation.run(gives, 5), 5);
}

TEST(SimulatedRun, logs_again_once_there_is_room) {
    for (const int number : {ENOSPC, ENOMEM, ECANCELED}) {
        Simulation simulation;
        simulation.world().fail_next(IORING_OP_WRITE, number);
        const auto main = []() -> Task<void> {
            log::info("lost");
            co_await sleep(1ms);
            log::info("kept");
        };
        EXPECT_EQ(simulation.run(main), 0);
        EXPECT_EQ(simulation.world().written(2), "info: kept\n");
    }
}

TEST(SimulatedRunDeathTest, shows_what_was_logged_before_an_assertion_failed) {
    const auto main = []() -> Task<void> {
        log::info("before");
        RINGLET_ASSERT(false);
        co_return;
    };
    EXPECT_DEATH(Simulation().run(main), "before\n.*assertion failed");
}

TEST(SimulatedRun, logs_no_more_when_nobody_reads_it) {
    Simulation simulation;
    simulation.world().fail_next(IORING_OP_WRITE, EPIPE);
    const auto main = []() -> Task<void> {
        log::info("lost");
        co_await sleep(1ms);
        log::info("lost, too");
    };
    EXPECT_EQ(simulation.run(main), 0);
    EXPECT_EQ(simulation.world().written(2), "");
}

TEST(SimulatedRun, goes_on_without_signals_where_they_cannot_be_had) {
    Simulation simulation({.signal_descriptors = 0});
    EXPECT_EQ(simulation.run(gives, 5), 5);
    const std::string_view words = simulation.world().written(2);
    EXPECT_TRUE(words.starts_with("warning: signals cannot be handled: ")) << words;
}

}  // namespace
}  // namespace ringlet
