// A case is a coroutine that runs on the kernel's ring and on the simulated one, there also with
// seeds, with a cancellation at each of its suspension points, and with a fault at each operation.
//
//   RINGLET_CASE(Queue, hands_items_over_in_order) {
//       ...co_await...; EXPECT_EQ(...);
//   }
//
// makes the tests Queue.hands_items_over_in_order_kernel, ..._simulated, ..._seeded, ..._cancelled
// and ..._faulted. Inside: EXPECT_*, never ASSERT_* (it returns), and every co_await is bound to a
// const first. Expectations must hold, too, in a run that is cancelled somewhere. With a fault they
// may fail; it must end nevertheless, and leave nothing behind.
//
//   RINGLET_CASE_WHOLE    counts on whole transfers: its seeds draw all but short ones
//   RINGLET_CASE_ORDERED  counts on an order or an instant that seeds may change: no ..._seeded
//   RINGLET_CASE_UNCUT    may not be cut anywhere: ..._kernel and ..._simulated alone
#pragma once

#include <ringlet/ring/kernel_seal.hpp>
#include <ringlet/testing/exploration.hpp>
#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/seeds.hpp>
#include <ringlet/testing/simulation.hpp>

#include <support/explored_points.hpp>

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

// Seeds 1 and up: in another order, and some with latencies and short transfers.
inline constexpr unsigned case_seeds = 8;

template <Limits limits = case_limits>
void run_seeded(Case body, bool short_transfers = true) {
    const auto run = [&](std::uint64_t seed) {
        testing::SimulationOptions options = testing::seeded(seed);
        options.short_transfers = options.short_transfers && short_transfers;
        run_simulated<limits>(body, options);
    };
    testing::for_each_seed(case_seeds, run, 1);
}

inline constexpr auto no_check = [](testing::Simulation&) {};

// A cancellation at each suspension point; `check` as explore_cancellation() has it.
template <Limits limits = case_limits, class Scenario, class Check = decltype(no_check)>
testing::Exploration run_cancelled(Scenario scenario,
                                   const testing::SimulationOptions& options = {},
                                   Check check = no_check) {
    const auto found = testing::explore_cancellation<limits>(scenario, options, check);
    EXPECT_TRUE(found.is_clean());
    if (!found.whole) return found;
    EXPECT_GT(found.points, 0u) << "it never waits";
    EXPECT_GT(found.cancelled, 0u);
    expect_recorded("suspension points", found.points);
    return found;
}

// A fault at each operation that can fail.
template <Limits limits = case_limits, class Scenario, class Check = decltype(no_check)>
testing::Exploration run_faulted(Scenario scenario, const testing::SimulationOptions& options = {},
                                 Check check = no_check) {
    const auto check_all = [&](testing::Simulation& simulation, const testing::PointRun& run) {
        // An expectation that fails allocates its words.
        const unsigned violations = seal_breaches();
        EXPECT_TRUE(violations == 0 || run.unmet > 0) << "allocated while the runtime ran";
        if constexpr (std::invocable<Check&, testing::Simulation&, const testing::PointRun&>)
            check(simulation, run);
        else
            check(simulation);
    };
    set_seal_reaction(SealReaction::count);
    const auto found = testing::explore_faults<limits>(scenario, options, check_all);
    set_seal_reaction(SealReaction::report);
    EXPECT_EQ(found.failed + found.undisturbed_failures, 0u);
    EXPECT_TRUE(found.hit == found.points || !found.whole)
        << "a run went another way before its fault: only " << found.hit << " met theirs";
    if (found.whole) expect_recorded("operations that can fail", found.points);
    return found;
}

}  // namespace ringlet::support

// What the variants are made of.
#define RINGLET_CASE_ON_RINGS(suite, name)                                      \
    static ringlet::Task<void> suite##_##name();                                \
    TEST(suite, name##_kernel) {                                                \
        RINGLET_RUN_ON_KERNEL(ringlet::support::case_runtime, suite##_##name);  \
    }                                                                           \
    TEST(suite, name##_simulated) {                                             \
        ringlet::support::run_simulated(suite##_##name);                        \
    }
#define RINGLET_CASE_SEEDED(suite, name) \
    TEST(suite, name##_seeded) { ringlet::support::run_seeded(suite##_##name); }
#define RINGLET_CASE_CANCELLED(suite, name) \
    TEST(suite, name##_cancelled) { ringlet::support::run_cancelled(suite##_##name); }
#define RINGLET_CASE_FAULTED(suite, name) \
    TEST(suite, name##_faulted) { ringlet::support::run_faulted(suite##_##name); }

#define RINGLET_CASE(suite, name)          \
    RINGLET_CASE_ON_RINGS(suite, name)     \
    RINGLET_CASE_SEEDED(suite, name)       \
    RINGLET_CASE_CANCELLED(suite, name)    \
    RINGLET_CASE_FAULTED(suite, name)      \
    static ringlet::Task<void> suite##_##name()

#define RINGLET_CASE_WHOLE(suite, name)                                         \
    RINGLET_CASE_ON_RINGS(suite, name)                                          \
    TEST(suite, name##_seeded) {                                                \
        ringlet::support::run_seeded(suite##_##name, false);                    \
    }                                                                           \
    RINGLET_CASE_CANCELLED(suite, name)                                         \
    RINGLET_CASE_FAULTED(suite, name)                                           \
    static ringlet::Task<void> suite##_##name()

#define RINGLET_CASE_ORDERED(suite, name)  \
    RINGLET_CASE_ON_RINGS(suite, name)     \
    RINGLET_CASE_CANCELLED(suite, name)    \
    RINGLET_CASE_FAULTED(suite, name)      \
    static ringlet::Task<void> suite##_##name()

#define RINGLET_CASE_UNCUT(suite, name) \
    RINGLET_CASE_ON_RINGS(suite, name)  \
    static ringlet::Task<void> suite##_##name()
