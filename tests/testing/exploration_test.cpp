// Exploration of cancellations and of faults: what is wrong at any point is found, and told.
#include <ringlet/ring/kernel_seal.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/exploration.hpp>
#include <ringlet/testing/gtest.hpp>

#include <support/explored_points.hpp>

#include <cstdlib>
#include <optional>
#include <string>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;

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

// Expectations that fail inside a run allocate their words.
class Hushed {
public:
    Hushed() { set_seal_reaction(SealReaction::count); }
    ~Hushed() {
        set_seal_reaction(SealReaction::report);
        seal_breaches();
    }
    Hushed(const Hushed&) = delete;
};

// A place in this file, for a failure's words.
std::string at(const char* what, unsigned line) {
    return std::string(" at ") + what + ", exploration_test.cpp:" + std::to_string(line);
}

class Exploration : public ::testing::Test {
    void SetUp() override { ::unsetenv("RINGLET_POINT"); }
};
using ExplorationDeathTest = Exploration;
using Found = ringlet::testing::Exploration;

// ---- cancellation ----

Task<void> three_sleeps() {
    co_await sleep(1ms);
    co_await sleep(2ms);
    co_await sleep(3ms);
}

TEST_F(Exploration, cancels_once_at_each_suspension_point) {
    unsigned runs = 0;
    const Found found = explore_cancellation(three_sleeps, {}, [&](Simulation&) { ++runs; });
    EXPECT_TRUE(found.is_clean());
    EXPECT_GE(found.points, 3u);
    EXPECT_GE(found.cancelled, 3u);
    EXPECT_EQ(runs, 1 + found.points);
}

TEST_F(Exploration, of_what_never_waits_has_only_the_points_around_it) {
    const auto nothing = []() -> Task<void> { co_return; };
    const Found whole = explore_cancellation(nothing);
    EXPECT_EQ(whole.points + 3, explore_cancellation(three_sleeps).points);
}

TEST_F(Exploration, finds_a_descriptor_that_a_cancelled_await_leaves_open) {
    unsigned line = 0;
    const auto leaky = [&]() -> Task<void> {
        const auto socket = co_await scheduler().system().socket(AF_INET, SOCK_DGRAM, 0);
        line = __LINE__ + 1;
        co_await sleep(1s);
        scheduler().system().close(socket);
    };
    Found found;
    const std::string words = failures_of([&] { found = explore_cancellation(leaky); });
    EXPECT_EQ(found.leaked, 1u);
    EXPECT_EQ(found.failed, 1u);
    EXPECT_FALSE(found.is_clean());
    EXPECT_NE(words.find(at("sleep", line) + ": descriptors are left open"), words.npos) << words;
    EXPECT_NE(words.find("\nto run it again:\n  RINGLET_POINT="), words.npos) << words;
}

// Takes an item in one step, and hands it on in another.
struct Relay {
    Queue<int, 4> in;
    unsigned delivered = 0;
    unsigned given_back = 0;

    Relay() {
        for (int i = 0; i < 3; ++i) in.try_put(i);
    }
    Task<void> run(bool careful) {
        while (const auto item = in.try_get()) {
            Custody custody{*this, careful};
            co_await sleep(1ms);
            custody.delivered = true;
            ++delivered;
        }
    }
    struct Custody {
        ~Custody() { relay.given_back += careful && !delivered ? 1 : 0; }
        Relay& relay;
        bool careful;
        bool delivered = false;
    };
};

TEST_F(Exploration, finds_an_item_that_is_lost) {
    for (const bool careful : {true, false}) {
        std::optional<Relay> relay;
        const auto scenario = [&] {
            relay.emplace();
            return relay->run(careful);
        };
        const auto check = [&](Simulation&) {
            if (!relay) return;
            const unsigned here = static_cast<unsigned>(relay->in.size());
            EXPECT_EQ(relay->delivered + relay->given_back + here, 3u) << "an item is lost";
            while (relay->in.try_get()) {}
            relay.reset();
        };
        Found found;
        const std::string words =
            failures_of([&] { found = explore_cancellation(scenario, {}, check); });
        EXPECT_EQ(words.empty(), careful) << words;
        EXPECT_EQ(found.failed, 0u);  // those that are caught do not reach the test
    }
}

TEST_F(Exploration, of_a_scenario_that_fails_undisturbed_says_so) {
    const auto failing = []() -> Task<void> {
        co_await sleep(1ms);
        co_await fail(std::errc::no_link);
    };
    Found found;
    const std::string words = failures_of([&] { found = explore_cancellation(failing); });
    EXPECT_EQ(found.undisturbed_failures, 1u);
    EXPECT_FALSE(found.is_clean());
    EXPECT_NE(words.find("undisturbed: the scenario failed"), words.npos) << words;
}

TEST_F(Exploration, runs_one_point_alone_if_the_environment_says_so) {
    ::setenv("RINGLET_POINT", "2", 1);
    unsigned runs = 0;
    const auto check = [&](Simulation&, const PointRun& run) {
        EXPECT_EQ(run.at, 2u);
        ++runs;
    };
    const Found found = explore_cancellation(three_sleeps, {}, check);
    ::unsetenv("RINGLET_POINT");
    EXPECT_EQ(runs, 1u);
    EXPECT_FALSE(found.whole);
    EXPECT_TRUE(found.is_clean());
}

// What cannot be unwound ends the process, with the point as its last words.
TEST_F(ExplorationDeathTest, of_what_a_cancellation_cannot_end_names_the_point) {
    const auto stubborn = []() -> Task<void> {
        Event never_set;
        co_await sleep(1ms);
        co_await shield(never_set.wait());
    };
    EXPECT_EXIT(explore_cancellation(stubborn), ::testing::ExitedWithCode(128 + SIGTERM),
                "shield.*\n.*event.wait.*\n(.*\n)*to run it again:\n  RINGLET_POINT=0 ");
}

// ---- faults ----

Task<void> writes_and_reads() {
    co_await write_atomic("/note", bytes_of("text"));
    std::array<std::byte, 16> buffer;
    const auto text = co_await read_file("/note", buffer);
    EXPECT_EQ(text.size(), 4u);
}

TEST_F(Exploration, lets_each_operation_fail_once) {
    const Hushed hushed;
    unsigned hit = 0;
    const Found found = explore_faults(writes_and_reads, {}, [&](Simulation&, const PointRun& run) {
        hit += run.was_cut ? 1 : 0;
    });
    EXPECT_TRUE(found.is_clean());
    EXPECT_GE(found.points, 6u);  // open, write, fsync, rename; open, read
    EXPECT_EQ(found.hit, found.points);
    EXPECT_EQ(hit, found.points);
}

TEST_F(Exploration, of_faults_does_not_count_what_the_scenario_expects) {
    const Hushed hushed;
    unsigned unmet = 0;
    const auto hopeful = []() -> Task<void> {
        const auto written = co_await attempt(write_atomic("/note", bytes_of("text")));
        EXPECT_TRUE(written.has_value());
    };
    const Found found = explore_faults(
        hopeful, {}, [&](Simulation&, const PointRun& run) { unmet += run.unmet; });
    EXPECT_TRUE(found.is_clean());
    EXPECT_EQ(unmet, found.points);
}

TEST_F(Exploration, of_faults_finds_who_waits_for_ever_for_what_failed) {
    unsigned line = 0;
    const auto scenario = [&]() -> Task<void> {
        Event written;
        const auto writer = [&]() -> Task<void> {
            const auto done = co_await attempt(write_atomic("/note", bytes_of("text")));
            if (done) written.set();  // and who tells the others if not?
        };
        const auto waiter = [&]() -> Task<void> {
            line = __LINE__ + 1;
            co_await written.wait();
        };
        co_await gather(writer(), waiter());
    };
    Found found;
    const std::string words = failures_of([&] { found = explore_faults(scenario); });
    EXPECT_GT(found.points, 0u);
    EXPECT_EQ(found.stuck, found.points);
    EXPECT_NE(words.find("it does not end\ndeadlock: "), words.npos) << words;
    EXPECT_NE(words.find("event.wait at exploration_test.cpp:" + std::to_string(line)), words.npos)
        << words;
}

TEST_F(Exploration, of_faults_finds_who_tries_for_ever) {
    unsigned line = 0;
    const auto scenario = [&]() -> Task<void> {
        const auto written = co_await attempt(write_atomic("/note", bytes_of("text")));
        line = __LINE__ + 1;
        while (!written) co_await sleep(1ms);
    };
    Found found;
    const std::string words = failures_of([&] {
        ::setenv("RINGLET_POINT", "2", 1);
        found = explore_faults(scenario);
        ::unsetenv("RINGLET_POINT");
    });
    EXPECT_EQ(found.stuck, 1u);
    EXPECT_NE(words.find(": it does not end, and comes by exploration_test.cpp:" +
                         std::to_string(line) + " again and again\n"),
              words.npos)
        << words;
}

TEST_F(Exploration, of_faults_finds_a_descriptor_left_open) {
    const auto leaky = []() -> Task<void> {
        const auto socket = co_await scheduler().system().socket(AF_INET, SOCK_DGRAM, 0);
        co_await write_atomic("/note", bytes_of("text"));
        scheduler().system().close(socket);
    };
    Found found;
    const std::string words = failures_of([&] { found = explore_faults(leaky); });
    EXPECT_EQ(found.leaked, found.points - 1);  // the socket itself is the first
    EXPECT_GT(found.leaked, 3u);
    EXPECT_NE(words.find("with a fault at operation 2 at status, file_status.cpp:"), words.npos)
        << words;
    EXPECT_NE(words.find("RINGLET_POINT=2 "), words.npos) << words;
}

// ---- the record ----

TEST(RecordedPoints, object_to_less_than_is_recorded_and_to_what_is_not_recorded) {
    const support::RecordedPoints recorded("Queue.closes_cancelled 17\nQueue.closes_faulted 0\n");
    EXPECT_EQ(recorded.objection("Queue.closes_cancelled", 17), "");
    EXPECT_EQ(recorded.objection("Queue.closes_cancelled", 18), "");
    EXPECT_EQ(recorded.objection("Queue.closes_faulted", 0), "");
    EXPECT_EQ(recorded.objection("Queue.closes_cancelled", 16),
              "Queue.closes_cancelled: 16 points were explored, but 17 are recorded in "
              "tests/support/explored_points.txt; if that is meant, run tools/record_points "
              "BUILD_FOLDER and look at what it changes");
    EXPECT_TRUE(recorded.objection("Queue.opens_cancelled", 5)
                    .starts_with("Queue.opens_cancelled: nothing is recorded in "));
}

}  // namespace
}  // namespace ringlet::testing
