// P3: forgetting the await. What the compiler says to it is in tests/tools/compile_fail_test.py.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>

#include <optional>

namespace ringlet::conformance {
namespace {

Task<int> counts(Census& census, Alive) {
    const Alive here(census);
    co_await yield();
    co_return census.born;
}

RINGLET_CASE(ForgottenAwait, runs_nothing_and_leaves_nothing) {
    Census census;
    const std::size_t frames = scheduler().frames().live();
    {
        auto task = counts(census, Alive(census));
        EXPECT_TRUE(task.has_frame());
        EXPECT_EQ(scheduler().frames().live(), frames + 1);
        EXPECT_EQ(census.alive, 1);  // its argument
        co_await yield();
    }
    EXPECT_EQ(census.alive, 0);
    EXPECT_EQ(scheduler().frames().live(), frames);
}

RINGLET_CASE(ForgottenAwait, of_what_wraps_a_task_runs_nothing_either) {
    Census census;
    const std::size_t frames = scheduler().frames().live();
    {
        [[maybe_unused]] auto limited = timeout(1s, counts(census, Alive(census)));
        [[maybe_unused]] auto shielded = shield(counts(census, Alive(census)));
        [[maybe_unused]] auto tried = attempt(counts(census, Alive(census)));
        [[maybe_unused]] auto all =
            gather(counts(census, Alive(census)), counts(census, Alive(census)));
        co_await yield();
        EXPECT_EQ(census.alive, 5);
    }
    EXPECT_EQ(census.alive, 0);
    EXPECT_EQ(scheduler().frames().live(), frames);
}

RINGLET_CASE(ForgottenAwait, may_be_made_good_later) {
    Census census;
    auto task = counts(census, Alive(census));
    co_await let_others_run();
    const int born = co_await std::move(task);
    EXPECT_GE(born, 2);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(ForgottenAwait, never_comes_when_the_holder_is_cancelled) {
    Census census;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto holds = [&]() -> Task<void> {
            auto task = counts(census, Alive(census));
            co_await sleep(1h);
            co_await std::move(task);
        };
        auto handle = group.spawn(holds);
        co_await let_others_run();
        EXPECT_EQ(census.alive, 1);
        handle.cancel();
        const auto ended = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        EXPECT_EQ(census.alive, 0);
    });
}

RINGLET_CASE(ForgottenAwait, moves_with_the_task) {
    Census census;
    auto first = counts(census, Alive(census));
    auto second = std::move(first);
    std::optional<Task<int>> kept(std::move(second));
    co_await yield();
    const int born = co_await std::move(*kept);
    EXPECT_GE(born, 2);
    kept.reset();
    EXPECT_EQ(census.alive, 0);
}

Task<void> awaits_twice() {
    auto task = at_once(1);
    co_await std::move(task);
    co_await std::move(task);
}

TEST(ForgottenAwaitDeathTest, has_an_opposite_a_second_await_is_an_assertion) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(
        {
            testing::Simulation simulation;
            simulation.run<support::case_limits>(awaits_twice);
        },
        "a Task is awaited once|frame_ != nullptr");
}

}  // namespace
}  // namespace ringlet::conformance
