// Random sequences of operations, on the simulation and on the kernel: a program sees the same.
//
// What is known to differ is a closed list, in docs/simulation_and_kernel.md; each entry has its
// test in known_differences_test.cpp. A sequence that differs in anything else fails here: it is
// shortened as long as it still differs, and printed with both observations and the command that
// runs it.
#include "differential/comparison.hpp"
#include "differential/generator.hpp"

#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/seeds.hpp>

#include <cstdio>

namespace ringlet::differential {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool instrumented = true;
#elif defined(__has_feature)
constexpr bool instrumented = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool instrumented = false;
#endif

Outcome run_once(KernelGround& ground, const Sequence& sequence, std::uint64_t seed,
                 std::chrono::milliseconds patience = std::chrono::seconds(2)) {
    Comparison comparison(ground, seed, patience);
    return comparison.run(sequence);
}

// Leaves out step after step, from the end, while the rest still differs.
Sequence shortened(KernelGround& ground, Sequence sequence, std::uint64_t seed) {
    constexpr std::chrono::milliseconds patience{100};  // many runs, and most wait for nothing
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = sequence.size(); i-- > 0;) {
            Sequence shorter = sequence;
            const Step left_out{.verb = Verb::nop};
            if (shorter[i].verb == Verb::nop) continue;
            shorter[i] = left_out;  // the numbers of the others stay
            if (!run_once(ground, shorter, seed, patience).difference.found) continue;
            sequence = shorter;
            again = true;
        }
    }
    return sequence;
}

std::string report(KernelGround& ground, const Sequence& sequence, std::uint64_t seed) {
    const Sequence kept = shortened(ground, sequence, seed);
    const Difference difference = run_once(ground, kept, seed).difference;
    std::string out = "sequence " + std::to_string(seed) + " differs in step " +
                      std::to_string(difference.step) + ". Simulation:\n" + difference.simulated +
                      "kernel:\n" + difference.kernel + "of this, shortened:\n";
    for (unsigned i = 0; i < kept.size(); ++i) {
        if (kept[i].verb != Verb::nop) out += "    " + text(kept[i], i) + "\n";
    }
    return out;
}

class KernelAndSimulation : public ::testing::Test {
protected:
    void SetUp() override {
        if (!ground.refused.empty()) GTEST_SKIP() << ground.refused;
    }

    // A difference that does not come again was the machine's load, which delays what the loopback
    // delivers; it is counted, and must stay rare.
    void compare_many(Subject subject, unsigned count) {
        if (instrumented) count /= 10;
        unsigned long steps = 0;
        unsigned long skipped = 0;
        unsigned passing = 0;
        const auto outcome = testing::for_each_seed(
            count,
            [&](std::uint64_t seed) {
                const Sequence sequence = Generator(subject, seed).make();
                const Outcome first = run_once(ground, sequence, seed);
                steps += first.steps;
                skipped += first.skipped;
                if (!first.difference.found) return;
                for (int tries = 0; tries < 2; ++tries) {
                    if (run_once(ground, sequence, seed).difference.found) continue;
                    ++passing;
                    return;
                }
                ADD_FAILURE() << report(ground, sequence, seed);
            },
            1);
        std::printf("%llu sequences, %lu steps, %lu left out, %u differences that did not return\n",
                    static_cast<unsigned long long>(outcome.runs), steps, skipped, passing);
        EXPECT_LE(passing, 2 + count / 200);
    }

    KernelGround ground;
};

TEST_F(KernelAndSimulation, pipes_are_the_same) {
    compare_many(Subject::pipes, 1500);
}

TEST_F(KernelAndSimulation, files_are_the_same) {
    compare_many(Subject::files, 2000);
}

TEST_F(KernelAndSimulation, tcp_is_the_same) {
    compare_many(Subject::tcp, 2000);
}

TEST_F(KernelAndSimulation, unix_streams_are_the_same) {
    compare_many(Subject::unix_streams, 1500);
}

TEST_F(KernelAndSimulation, datagrams_are_the_same) {
    compare_many(Subject::datagrams, 1500);
}

TEST_F(KernelAndSimulation, all_together_is_the_same) {
    compare_many(Subject::mixed, 1500);
}

}  // namespace
}  // namespace ringlet::differential
