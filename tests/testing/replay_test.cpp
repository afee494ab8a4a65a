// Seeds and replay: what fails says how to run it again, and that command does it.
#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/seeds.hpp>
#include <ringlet/testing/simulation.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;

// A variable of the environment, for as long as it lives.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~Variable() { ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
};

class Replay : public ::testing::Test {
    void SetUp() override {
        ::unsetenv("RINGLET_SEED");
        ::unsetenv("RINGLET_SEEDS");
    }
};

using ReplayDeathTest = Replay;
using KernelReplay = Replay;  // starts processes, captures standard error

TEST_F(Replay, runs_each_seed_from_the_first_on) {
    std::vector<std::uint64_t> seen;
    const auto outcome = for_each_seed(4, [&](std::uint64_t seed) { seen.push_back(seed); }, 3);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{3, 4, 5, 6}));
    EXPECT_EQ(outcome.runs, 4u);
    EXPECT_FALSE(outcome.failed);
}

TEST_F(KernelReplay, ends_at_the_first_seed_that_fails_and_prints_the_command) {
    ::testing::internal::CaptureStderr();
    const auto outcome = for_each_seed(100, [](std::uint64_t seed) { return seed != 7; });
    const std::string words = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(outcome.failed);
    EXPECT_EQ(outcome.failed_seed, 7u);
    EXPECT_EQ(outcome.runs, 8u);
    EXPECT_TRUE(words.starts_with("seed 7 failed; to run it again:\n  RINGLET_SEED=7 /")) << words;
    EXPECT_TRUE(words.ends_with("_replay_test --gtest_filter=KernelReplay.ends_at_the_first_seed_"
                                "that_fails_and_prints_the_command\n")) << words;
}

TEST_F(Replay, takes_the_seed_or_the_number_of_seeds_from_the_environment) {
    {
        const Variable seed("RINGLET_SEED", "0x2a");
        const auto outcome = for_each_seed(100, [](std::uint64_t it) { EXPECT_EQ(it, 42u); });
        EXPECT_EQ(outcome.runs, 1u);
    }
    const Variable seeds("RINGLET_SEEDS", "1234");
    const auto outcome = for_each_seed(3, [](std::uint64_t) {});
    EXPECT_EQ(outcome.runs, 1234u);
}

TEST_F(ReplayDeathTest, refuses_a_choice_that_is_no_number) {
    for (const char* const text : {"", "seven", "7x", "-1", "99999999999999999999999"}) {
        const Variable seed("RINGLET_SEED", text);
        EXPECT_EXIT(chosen("RINGLET_SEED"), ::testing::ExitedWithCode(2), "is not a number");
    }
}

TEST_F(Replay, names_all_choices_outermost_first) {
    const ReplayScope seed("RINGLET_SEED", 7);
    {
        const ReplayScope point("RINGLET_CANCEL_AT", 12);
        EXPECT_TRUE(replay_command().starts_with("RINGLET_SEED=7 RINGLET_CANCEL_AT=12 /"));
    }
    EXPECT_TRUE(replay_command().starts_with("RINGLET_SEED=7 /"));
}

TEST_F(ReplayDeathTest, is_the_last_word_of_a_process_that_dies) {
    const auto dies = [](std::uint64_t seed) { RINGLET_ASSERT(seed != 3); };
    EXPECT_DEATH(for_each_seed(10, dies), "seed != 3\nto run it again:\n  RINGLET_SEED=3 /");
}

TEST_F(ReplayDeathTest, has_no_last_words_where_nothing_was_chosen) {
    EXPECT_DEATH(
        {
            for_each_seed(2, [](std::uint64_t) {});
            RINGLET_ASSERT(false);
        },
        "false\n$");
}

// Fails for one seed only. It is no test of its own: the next one runs it in a process of its own.
TEST(KernelReplayedByOthers, DISABLED_fails_for_seed_11) {
    for_each_seed(20, [](std::uint64_t seed) {
        std::printf("ran %llu\n", static_cast<unsigned long long>(seed));
        EXPECT_NE(seed, 11u);
    });
}

std::string output_of(const std::string& command, int& status) {
    std::string output;
    std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return output;
    for (int each = std::fgetc(pipe); each != EOF; each = std::fgetc(pipe)) {
        output += static_cast<char>(each);
    }
    status = ::pclose(pipe);
    return output;
}

TEST_F(KernelReplay, ends_at_an_expectation_and_the_printed_command_runs_its_seed_alone) {
    const Variable disabled("GTEST_ALSO_RUN_DISABLED_TESTS", "1");
    const std::string program = replay_command().substr(0, replay_command().find(' '));
    int status = 0;
    const std::string first =
        output_of(program + " '--gtest_filter=KernelReplayedByOthers.*'", status);
    EXPECT_NE(status, 0);
    EXPECT_NE(first.find("ran 10\nran 11\n"), first.npos) << first;
    EXPECT_EQ(first.find("ran 12\n"), first.npos) << first;
    const std::string mark = "to run it again:\n  ";
    const std::size_t at = first.find(mark);
    ASSERT_NE(at, first.npos) << first;
    const std::size_t begin = at + mark.size();
    const std::string printed = first.substr(begin, first.find('\n', begin) - begin);
    const std::string again = output_of(printed, status);
    EXPECT_NE(status, 0);
    EXPECT_NE(again.find("ran 11\n"), again.npos) << printed << "\n" << again;
    EXPECT_EQ(again.find("ran 10\n"), again.npos) << again;
}

TEST_F(Replay, a_simulation_takes_its_seed_alone) {
    const auto main = []() -> Task<void> { co_await gather(sleep(1ms), sleep(1ms)); };
    EXPECT_EQ(Simulation{0}.world().options().latency_max.count(), 0);
    unsigned short_ones = 0;
    for_each_seed(20, [&](std::uint64_t seed) {
        Simulation simulation{seed};
        EXPECT_EQ(simulation.world().options().seed, seed);
        EXPECT_EQ(simulation.run(main), 0);
        const std::uint64_t trace = simulation.trace();
        Simulation again{seed};
        EXPECT_EQ(again.run(main), 0);
        EXPECT_EQ(again.trace(), trace);
        short_ones += simulation.world().options().short_transfers ? 1 : 0;
    });
    EXPECT_GT(short_ones, 0u);
    EXPECT_LT(short_ones, 20u);
}

}  // namespace
}  // namespace ringlet::testing
