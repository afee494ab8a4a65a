// Seeds: a body is run for many of them, and one that fails says how to run it again.
//
//   TEST(Queue, keeps_its_order_whatever_the_seed) {           // with <ringlet/testing/gtest.hpp>
//       ringlet::testing::for_each_seed(100, [](std::uint64_t seed) {
//           ringlet::testing::Simulation simulation{seed};
//           EXPECT_EQ(simulation.run(app), 0);
//       });
//   }
//
// Without GoogleTest the body returns false for a failure:
//
//   int main() {
//       return for_each_seed(100, [](std::uint64_t seed) {
//                  Simulation simulation{seed};
//                  return simulation.run(app) == 0;
//              }).failed;
//   }
//
// From the environment: RINGLET_SEED=n runs that seed alone, RINGLET_SEEDS=n as many as that.
#pragma once

#include <ringlet/testing/replay.hpp>

#include <concepts>
#include <functional>

namespace ringlet::testing {

struct SeedsOutcome {
    std::uint64_t runs = 0;
    bool failed = false;
    std::uint64_t failed_seed = 0;  // if failed
};

// `body(seed)` is called for the seeds first, first + 1, ..., `count` of them, up to the first that
// fails: its body has let the current test fail, or has returned false. That seed and the command
// that runs it alone are printed on standard error.
template <std::invocable<std::uint64_t> Body>
SeedsOutcome for_each_seed(std::uint64_t count, Body&& body, std::uint64_t first = 0) {
    constexpr bool tells = std::same_as<std::invoke_result_t<Body&, std::uint64_t>, bool>;
    static_assert(tells || std::is_void_v<std::invoke_result_t<Body&, std::uint64_t>>,
                  "the body returns nothing, or a bool: false for a failure");
    const auto alone = chosen("RINGLET_SEED");
    if (alone) first = *alone;
    if (alone) count = 1;
    else count = chosen("RINGLET_SEEDS").value_or(count);
    SeedsOutcome outcome;
    for (std::uint64_t seed = first; outcome.runs < count; ++seed) {
        const ReplayScope scope("RINGLET_SEED", seed);
        const unsigned failures = failures_so_far();
        bool good = true;
        if constexpr (tells) good = body(seed);
        else body(seed);
        ++outcome.runs;
        if (good && failures_so_far() == failures) continue;
        outcome.failed = true;
        outcome.failed_seed = seed;
        print_replay("seed", seed);
        break;
    }
    return outcome;
}

}  // namespace ringlet::testing
