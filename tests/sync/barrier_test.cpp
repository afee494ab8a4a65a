#include <ringlet/sync/barrier.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

Task<void> arrive(Barrier& barrier, Trace& trace) {
    const auto index = co_await barrier.wait();
    trace.add_digit(index);
}

RINGLET_CASE(Barrier, lets_all_go_on_once_the_last_has_come) {
    Barrier barrier(3);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(arrive, std::ref(barrier), std::ref(trace));
        group.spawn(arrive, std::ref(barrier), std::ref(trace));
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
        EXPECT_EQ(barrier.waiting(), 2u);
        const auto index = co_await barrier.wait();  // does not wait
        EXPECT_EQ(index, 2u);
        EXPECT_EQ(barrier.waiting(), 0u);
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "01");
    });
}

RINGLET_CASE(Barrier, can_be_used_round_after_round) {
    Barrier barrier(2);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto meet = [&](char letter) -> Task<void> {
            for (int round = 0; round < 3; ++round) {
                trace.add(letter);
                co_await barrier.wait();
            }
        };
        auto other = group.spawn(std::ref(meet), 'x');
        co_await meet('x');
        co_await other.join();
        EXPECT_EQ(trace.text(), "xxxxxx");
    });
    EXPECT_EQ(barrier.waiting(), 0u);
}

RINGLET_CASE(Barrier, of_one_party_never_waits) {
    Barrier barrier(1);
    for (int round = 0; round < 200; ++round) {  // more than go on at once
        const auto index = co_await barrier.wait();
        EXPECT_EQ(index, 0u);
    }
}

RINGLET_CASE(Barrier, a_cancelled_task_leaves_and_another_takes_its_place) {
    Barrier barrier(3);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(arrive, std::ref(barrier), std::ref(trace));
        group.spawn(arrive, std::ref(barrier), std::ref(trace));
        co_await let_others_run();
        first.cancel();
        EXPECT_EQ(barrier.waiting(), 1u);
        group.spawn(arrive, std::ref(barrier), std::ref(trace));
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
        group.spawn(arrive, std::ref(barrier), std::ref(trace));
        co_await let_others_run();
        // The last to come does not wait, so it says its number before those it has woken.
        EXPECT_EQ(trace.text(), "201");
    });
}

RINGLET_CASE(Barrier, a_wait_that_is_over_is_not_undone_by_a_cancellation) {
    Barrier barrier(2);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto pass = [&]() -> Task<void> {
            co_await barrier.wait();
            trace.add('p');
            co_await yield();
            trace.add('n');
        };
        auto task = group.spawn(pass);
        co_await let_others_run();
        co_await barrier.wait();
        task.cancel();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "p");
    });
}

RINGLET_CASE(Barrier, a_time_limit_leaves) {
    Barrier barrier(2);
    const auto alone = co_await attempt(timeout(1ms, barrier.wait()));
    EXPECT_FALSE(alone);
    EXPECT_TRUE(alone.error() == std::errc::timed_out);
    EXPECT_EQ(barrier.waiting(), 0u);
}

RINGLET_CASE(Barrier, abort_lets_every_wait_fail) {
    Barrier barrier(3);
    unsigned failed = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto try_it = [&]() -> Task<void> {
            const auto index = co_await attempt(barrier.wait());
            if (!index && index.error() == RuntimeDetail::closed) ++failed;
        };
        group.spawn(try_it);
        group.spawn(try_it);
        co_await let_others_run();
        barrier.abort();
        EXPECT_TRUE(barrier.is_aborted());
        co_await let_others_run();
        EXPECT_EQ(failed, 2u);
        co_await try_it();
        EXPECT_EQ(failed, 3u);
    });
}

// Every round gives each number once, whoever is cancelled meanwhile.
Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Barrier barrier(3);
    Crowd<12> crowd;
    std::array<unsigned, 3> given{};
    auto work = [&](Interruptible& me, unsigned) -> Task<void> {
        me.is_me();
        for (int i = 0; i < 6; ++i) {
            const auto index = co_await attempt(barrier.wait());
            if (index) ++given[*index];
            if (dice.one_in(3)) (void)co_await attempt(yield());
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        co_await crowd.storm(dice, 40);
        crowd.cancel_all();
    });
    EXPECT_TRUE(given[0] == given[1] && given[1] == given[2]) << "seed " << seed;
    EXPECT_EQ(barrier.waiting(), 0u) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Barrier, keeps_its_rounds_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

}  // namespace
}  // namespace ringlet
