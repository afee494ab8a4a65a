// Deadlocks: the report, what is none, and tests that want one.
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/simulation.hpp>

#include <support/cases.hpp>

#include <string>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;

constexpr Limits limits{.tasks = 8,
                        .operations = 8,
                        .descriptors = 8,
                        .frames = {{128, 32}, {256, 32}, {512, 32}, {1024, 16}, {8192, 4}},
                        .workers = 1};

// What fails in `run`, as GoogleTest would print it.
template <class F>
std::string failures_of(F run) {
    ::testing::TestPartResultArray results;
    {
        using Reporter = ::testing::ScopedFakeTestPartResultReporter;
        const Reporter reporter(Reporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        run();
    }
    std::string words;
    for (int i = 0; i < results.size(); ++i) words += results.GetTestPartResult(i).message();
    return words;
}

// "  alpha: mutex.lock at deadlock_test.cpp:41 for 3.000 s"
std::string line_of(unsigned depth, const char* what, unsigned line, const char* age) {
    return std::string(2 * depth, ' ') + what + " at deadlock_test.cpp:" + std::to_string(line) +
           " for " + age + " s\n";
}

// Each line is noted just before the await that stands on the next one.
struct Lines {
    unsigned alpha = 0;
    unsigned beta = 0;
    unsigned gamma = 0;
    unsigned main = 0;
};

// Two tasks that take two mutexes crosswise, and one that waits for what nobody makes.
Task<void> three_tasks(Lines& at) {
    Mutex first;
    Mutex second;
    Queue<int, 4> empty;
    const auto alpha = [&]() -> Task<void> {
        const auto one = co_await first.lock();
        co_await sleep(1s);
        at.alpha = __LINE__ + 1;
        const auto two = co_await second.lock();
    };
    const auto beta = [&]() -> Task<void> {
        const auto two = co_await second.lock();
        co_await sleep(2s);
        at.beta = __LINE__ + 1;
        const auto one = co_await first.lock();
    };
    const auto gamma = [&]() -> Task<void> {
        at.gamma = __LINE__ + 1;
        (void)co_await empty.get();
    };
    const auto body = [&](TaskGroup& group) -> Task<void> {
        group.spawn(alpha).named("alpha");
        group.spawn(beta).named("beta");
        group.spawn(gamma).named("gamma");
        co_await sleep(4s);
    };
    at.main = __LINE__ + 1;
    co_await TaskGroup::run(body);
}

// Nothing can unwind a shielded wait: its process ends when the stop limit has passed.
TEST(DeadlockDeathTest, that_cannot_be_unwound_shows_its_report_in_the_end) {
    const auto main = []() -> Task<void> {
        Event never_set;
        co_await gather(shield(never_set.wait()), sleep(1s));
    };
    const auto stuck = [&] {
        Simulation simulation;
        simulation.run<limits>(main);
    };
    EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(128 + SIGTERM),
                "main: gather, cancelled at deadlock_test.cpp:[0-9]+ for [0-9.]+ s\n"
                "  task: shield, cancelled at deadlock_test.cpp:[0-9]+ for [0-9.]+ s\n");
}

TEST(Deadlock, fails_the_test_with_the_await_tree) {
    Lines at;
    Simulation simulation;
    int status = 0;
    const std::string words = failures_of(
        [&] { status = simulation.run<limits>([&] { return three_tasks(at); }); });
    EXPECT_EQ(words, "Failed\ndeadlock: nothing can ever run again, 4.000 s after the start\n" +
                         line_of(0, "main: task group", at.main, "4.000") +
                         line_of(1, "alpha: mutex.lock", at.alpha, "3.000") +
                         line_of(1, "beta: mutex.lock", at.beta, "2.000") +
                         line_of(1, "gamma: queue.get", at.gamma, "4.000"));
    EXPECT_EQ(status, deadlock_status);
    EXPECT_TRUE(simulation.deadlocked());
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

TEST(Deadlock, tells_how_to_run_it_again_if_something_was_chosen) {
    const std::string words = failures_of([] {
        const ReplayScope scope("RINGLET_SEED", 7);
        Lines at;
        Simulation simulation{7};
        simulation.run<limits>([&] { return three_tasks(at); });
    });
    EXPECT_NE(words.find("\nto run it again:\n  RINGLET_SEED=7 /"), words.npos) << words;
    EXPECT_NE(words.find(" --gtest_filter=Deadlock.tells_how_to_run_it_again"), words.npos)
        << words;
}

TEST(Deadlock, shows_what_composites_wait_for) {
    Simulation simulation;
    unsigned line = 0;
    const auto main = [&]() -> Task<void> {
        Event never_set;
        Semaphore permits(1);
        const auto held = co_await permits.acquire();
        line = __LINE__ + 1;
        co_await gather(never_set.wait(), race(never_set.wait(), permits.acquire()));
    };
    simulation.expect_deadlock();
    EXPECT_EQ(simulation.run<limits>(main), deadlock_status);
    EXPECT_EQ(simulation.deadlock_report(),
              "deadlock: nothing can ever run again, 0.000 s after the start\n" +
                  line_of(0, "main: gather", line, "0.000") +
                  line_of(1, "task: event.wait", line, "0.000") +
                  line_of(1, "task: race", line, "0.000") +
                  line_of(2, "task: event.wait", line, "0.000") +
                  line_of(2, "task: semaphore.acquire", line, "0.000"));
}

TEST(Deadlock, is_also_an_operation_that_nobody_will_answer) {
    Simulation simulation;
    unsigned line = 0;
    const auto main = [&]() -> Task<void> {
        auto pipe = co_await ringlet::Pipe::open();
        std::array<std::byte, 8> buffer;
        line = __LINE__ + 1;
        (void)co_await pipe.reader.read(buffer);
    };
    simulation.expect_deadlock();
    EXPECT_EQ(simulation.run<limits>(main), deadlock_status);
    EXPECT_EQ(simulation.deadlock_report(),
              "deadlock: nothing can ever run again, 0.000 s after the start\n" +
                  line_of(0, "main: read", line, "0.000"));
}

TEST(Deadlock, is_none_while_a_timer_is_armed_or_a_job_runs) {
    Simulation simulation({.job_time_min = 1h, .job_time_max = 1h});
    const auto main = []() -> Task<void> {
        Event event;
        co_await gather(event.wait(), [](Event& it) -> Task<void> {
            co_await sleep(24h * 365);
            co_await offload([] {});
            it.set();
        }(event));
    };
    EXPECT_EQ(simulation.run<limits>(main), 0);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.deadlock_report(), "");
}

TEST(Deadlock, that_is_expected_and_does_not_come_fails_the_test) {
    Simulation simulation;
    const auto main = []() -> Task<void> { co_await sleep(1s); };
    simulation.expect_deadlock();
    const std::string words =
        failures_of([&] { EXPECT_EQ(simulation.run<limits>(main), 0); });
    EXPECT_NE(words.find("a deadlock was expected"), words.npos) << words;
    // For one run only.
    EXPECT_EQ(simulation.run<limits>(main), 0);
}

TEST(Deadlock, of_one_run_is_not_the_next_one_s) {
    Simulation simulation;
    Lines at;
    simulation.allow_deadlock();
    EXPECT_EQ(simulation.run<limits>([&] { return three_tasks(at); }), deadlock_status);
    EXPECT_EQ(simulation.run<limits>([]() -> Task<void> { co_await sleep(1s); }), 0);
    EXPECT_FALSE(simulation.deadlocked());
}

// The world's signals are not needed to end it.
TEST(Deadlock, ends_also_if_signals_cannot_be_read) {
    Simulation simulation;
    simulation.world().fail_next(IORING_OP_READ, EIO);
    Lines at;
    simulation.expect_deadlock();
    EXPECT_EQ(simulation.run<limits>([&] { return three_tasks(at); }), deadlock_status);
}

}  // namespace
}  // namespace ringlet::testing
