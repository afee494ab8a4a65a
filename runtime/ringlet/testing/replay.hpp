// Replay: how a failed run is run again, and nothing else with it.
//
// What draws or chooses a run (a seed, a point to cancel at) reads its choice from an environment
// variable, and keeps a ReplayScope while the run goes on. replay_command() then is the line for a
// shell that makes the same choices: the variables, the program, its arguments. If the process dies
// meanwhile (an assertion, a sanitizer's finding), that line is its last word.
//
//   RINGLET_SEED=7 RINGLET_POINT=12 /build/tests/sync_queue_test --gtest_filter=Queue.closes
//
// A test framework makes itself known by set_test_framework(), as <ringlet/testing/gtest.hpp> does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringlet::testing {

struct TestFramework {
    // How often the current test has failed by now.
    unsigned (*failures)();
    // Lets the current test fail with these words.
    void (*fail)(std::string_view words);
    // Calls `run(context)`; what fails in it does not let the test fail. How often it did.
    unsigned (*set_aside)(void (*run)(void* context), void* context);
    // The argument with which the program runs the current test alone: "--gtest_filter=Queue.a".
    std::string (*selection)();
};

// Null: there is none. The framework must live as long as the process.
void set_test_framework(const TestFramework* framework);
const TestFramework* test_framework();

// How often the current test has failed by now; without a framework nobody counts.
unsigned failures_so_far();

// The current test fails with these words; without a framework they go to standard error.
void report_failure(std::string_view words);
// Calls `run()`; what fails in it does not let the current test fail. How often it did.
template <class F>
unsigned set_failures_aside(F run) {
    const auto call = [](void* it) { (*static_cast<F*>(it))(); };
    if (test_framework() != nullptr) return test_framework()->set_aside(call, &run);
    run();
    return 0;
}

// The number in an environment variable; nothing if it is not set. What is no number ends the
// process: a replay of something else would look like a success.
std::optional<std::uint64_t> chosen(const char* variable);

// One choice of the runs that follow, until it is destroyed. They nest.
class ReplayScope {
public:
    ReplayScope(const char* variable, std::uint64_t value);  // `variable`: static text
    ~ReplayScope();
    ReplayScope(const ReplayScope&) = delete;
    ReplayScope& operator=(const ReplayScope&) = delete;

private:
    friend struct ReplayChoices;
    const char* variable_;
    std::uint64_t value_;
    const ReplayScope* outer_;
};

// For a shell: runs the current test again, or without a framework the whole program with the
// arguments it has, with all choices of now.
std::string replay_command();

// What a failure's words end with: how to run it again; empty if nothing was chosen.
std::string how_to_replay();
// The same on standard error, for a process that ends without unwinding; once.
void print_last_words();

// Says on standard error that "<what> <number> failed", and the command that runs it again.
void print_replay(const char* what, std::uint64_t number);

}  // namespace ringlet::testing
