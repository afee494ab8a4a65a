// Cases with workers and a mailbox: as RINGLET_CASE (support/cases.hpp), and the simulated ones
// with several seeds, so that jobs end in several orders.
#pragma once

#include "support/cases.hpp"

#include "conformance/probes.hpp"

#include <ringlet/ringlet.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <atomic>

namespace ringlet::support {

inline constexpr Limits work_limits{
    .tasks = 128,
    .operations = 32,
    .descriptors = 8,
    .frames = {{128, 512}, {256, 512}, {512, 256}, {1024, 64}, {8192, 4}},
    .workers = 3,
    .worker_jobs = 8,
    .posts = 16};

inline Runtime<work_limits> work_runtime;

constexpr testing::SimulationOptions with_slow_jobs(std::uint64_t seed = 0) {
    using namespace std::chrono_literals;
    return {.seed = seed, .job_time_min = seed == 0 ? 1ms : 0ms, .job_time_max = 1ms * seed};
}

inline void run_with_seeds(Case body) {
    testing::for_each_seed(20, [&](std::uint64_t seed) {
        run_simulated<work_limits>(body, with_slow_jobs(seed));
    });
}

// Jobs of kernel tests wait here until the loop lets them go. Not for simulation.
class Gate {
public:
    void pass() const { open_.wait(false); }
    void open() {
        open_ = true;
        open_.notify_all();
    }

private:
    std::atomic<bool> open_ = false;
};

// A runtime in a simulated world of its own, to which a test can post.
template <Limits limits>
class SimulatedRuntime {
public:
    explicit SimulatedRuntime(const testing::SimulationOptions& options = {})
        : world_(options), system_(world_), ring_(world_, Operations::ring_size(limits)) {}

    testing::World& world() { return world_; }
    template <class F, class... Arguments>
    int run(F&& function, Arguments&&... arguments) {
        return runtime().run_on(ring_, system_, std::forward<F>(function),
                                std::forward<Arguments>(arguments)...);
    }
    template <class F, class... Arguments>
    auto block_on(F&& function, Arguments&&... arguments) {
        return runtime().block_on_with(ring_, system_, std::forward<F>(function),
                                       std::forward<Arguments>(arguments)...);
    }
    template <class F>
    Result<void> post(F&& callable) {
        return runtime().post(std::forward<F>(callable));
    }
    const RunReport& report() const { return runtime().report(); }

private:
    static Runtime<limits>& runtime() {
        static Runtime<limits> its_runtime;
        return its_runtime;
    }

    testing::World world_;
    testing::SimulatedSystem system_;
    testing::SimulatedRing ring_;
};

// Lets the loop turn until another thread has done something.
template <class Condition>
Task<void> until_true(Condition condition) {
    using namespace std::chrono_literals;
    for (;;) {
        if (condition()) co_return;
        co_await sleep(100us);
    }
}

}  // namespace ringlet::support

#define RINGLET_WORK_CASE(suite, name)                                                    \
    static ringlet::Task<void> suite##_##name();                                          \
    TEST(suite, name##_kernel) {                                                          \
        RINGLET_RUN_ON_KERNEL(ringlet::support::work_runtime, suite##_##name);            \
    }                                                                                     \
    TEST(suite, name##_simulated) { ringlet::support::run_with_seeds(suite##_##name); }   \
    TEST(suite, name##_cancelled) {                                                       \
        using namespace ringlet::support;                                                 \
        run_cancelled<work_limits>(suite##_##name, with_slow_jobs());                     \
        run_cancelled<work_limits>(suite##_##name, with_slow_jobs(3));                    \
    }                                                                                     \
    TEST(suite, name##_faulted) {                                                         \
        using namespace ringlet::support;                                                 \
        run_faulted<work_limits>(suite##_##name, with_slow_jobs());                       \
    }                                                                                     \
    static ringlet::Task<void> suite##_##name()
