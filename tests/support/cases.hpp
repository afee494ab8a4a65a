// A case is a coroutine that runs on the kernel's ring and on the simulated one, and then with a
// cancellation at each of its suspension points.
//
//   RINGLET_CASE(Queue, hands_items_over_in_order) {
//       ...co_await...; EXPECT_EQ(...);
//   }
//
// makes the tests Queue.hands_items_over_in_order_kernel, ..._simulated and ..._cancelled.
// Inside: EXPECT_*, never ASSERT_* (it returns), and every co_await is bound to a const first.
// Expectations must hold, too, in a run that is cancelled somewhere.
#pragma once

#include <ringlet/testing/exploration.hpp>
#include <ringlet/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace ringlet::support {

using Case = Task<void> (*)();

// What cases get: ample, so that a case about a full bound names its own limits.
inline constexpr Limits case_limits{
    .tasks = 1200,
    .operations = 64,
    .descriptors = 64,
    .frames = {{128, 4096}, {256, 4096}, {512, 2048}, {1024, 256}, {2048, 64}, {8192, 16}}};

inline Runtime<case_limits> case_runtime;

// Opens the seal for as long as it lives: for test code that allocates inside a run.
class Unsealed {
public:
    Unsealed() { seal(false); }
    ~Unsealed() { seal(true); }
    Unsealed(const Unsealed&) = delete;

private:
    static void seal(bool closed) {
        if (seal_handler != nullptr) seal_handler(closed);
    }
};

// Skips the test where there is no io_uring, and says why.
#define RINGLET_RUN_ON_KERNEL(runtime, ...)                                          \
    do {                                                                             \
        const int ringlet_status = (runtime).run(__VA_ARGS__);                       \
        if (ringlet_status == ringlet::exit_unavailable) GTEST_SKIP() << "no io_uring"; \
        EXPECT_EQ(ringlet_status, 0);                                                \
        EXPECT_FALSE((runtime).report().completions_overflowed);                     \
    } while (false)

template <Limits limits = case_limits>
void run_simulated(Case body, const testing::SimulationOptions& options = {}) {
    testing::Simulation simulation(options);
    const int status = simulation.run<limits>(body);
    EXPECT_EQ(status, 0) << simulation.world().written(2);
    EXPECT_FALSE(simulation.deadlocked()) << simulation.world().written(2);
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_FALSE(simulation.report().completions_overflowed);
}

template <Limits limits = case_limits>
void run_cancelled(const char* name, Case body, const testing::SimulationOptions& options = {}) {
    const auto found = testing::explore_cancellation<limits>(body, options);
    std::printf("%s: cancelled at %u suspension points\n", name, found.points);
    EXPECT_GT(found.points, 0u) << "the case never waits";
    EXPECT_EQ(found.undisturbed_failures, 0u);
    EXPECT_GT(found.cancelled, 0u);
    EXPECT_EQ(found.stuck, 0u);
    EXPECT_EQ(found.leaked, 0u);
}

}  // namespace ringlet::support

// A case that shall not be cancelled everywhere: on both rings only.
#define RINGLET_CASE_UNCUT(suite, name)                                         \
    static ringlet::Task<void> suite##_##name();                                \
    TEST(suite, name##_kernel) {                                                \
        RINGLET_RUN_ON_KERNEL(ringlet::support::case_runtime, suite##_##name);  \
    }                                                                           \
    TEST(suite, name##_simulated) {                                             \
        ringlet::support::run_simulated(suite##_##name);                        \
    }                                                                           \
    static ringlet::Task<void> suite##_##name()

#define RINGLET_CASE(suite, name)                                               \
    static ringlet::Task<void> suite##_##name();                                \
    TEST(suite, name##_cancelled) {                                             \
        ringlet::support::run_cancelled(#suite "." #name, suite##_##name);      \
    }                                                                           \
    RINGLET_CASE_UNCUT(suite, name)
