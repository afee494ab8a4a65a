#include <ringlet/sync/semaphore.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

// Enters, says so, and stays until it is told to go.
Task<void> visit(Semaphore& semaphore, const bool& go, Trace& trace, char letter) {
    const auto permit = co_await semaphore.acquire();
    trace.add(letter);
    while (!go) co_await yield();
}

RINGLET_CASE(Semaphore, lets_in_at_most_as_many_as_it_has_permits) {
    Semaphore semaphore(2);
    bool go = false;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (const char letter : {'a', 'b', 'c', 'd'}) {
            group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), letter);
        }
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "ab");
        EXPECT_EQ(semaphore.available(), 0u);
        EXPECT_EQ(semaphore.waiting(), 2u);
        go = true;
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "abcd");  // in the order of their arrival
        EXPECT_EQ(semaphore.available(), 2u);
        EXPECT_EQ(semaphore.waiting(), 0u);
    });
}

RINGLET_CASE(Semaphore, lets_nobody_overtake_the_line) {
    Semaphore semaphore(1);
    bool go = true;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto permit = co_await semaphore.acquire();
        auto task =
            group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'a');
        co_await let_others_run();
        permit.release();  // a is woken; it has not run yet
        EXPECT_EQ(semaphore.available(), 0u);
        EXPECT_FALSE(semaphore.try_acquire());
        co_await visit(semaphore, go, trace, 'b');
        EXPECT_EQ(trace.text(), "ab");
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Semaphore, try_acquire_takes_what_is_free) {
    Semaphore semaphore(1);
    {
        const auto first = semaphore.try_acquire();
        EXPECT_TRUE(first && first->is_held());
        EXPECT_FALSE(semaphore.try_acquire());
        co_await yield();
    }
    EXPECT_TRUE(semaphore.try_acquire());
}

RINGLET_CASE(Semaphore, a_permit_comes_back_once_however_it_is_handled) {
    Semaphore semaphore(2);
    {
        auto first = co_await semaphore.acquire();
        Permit moved(std::move(first));
        EXPECT_FALSE(first.is_held());
        EXPECT_TRUE(moved.is_held());
        EXPECT_EQ(semaphore.available(), 1u);
        auto second = co_await semaphore.acquire();
        EXPECT_EQ(semaphore.available(), 0u);
        second = std::move(moved);  // what second held comes back
        EXPECT_EQ(semaphore.available(), 1u);
        Permit& itself = second;
        second = std::move(itself);
        EXPECT_TRUE(second.is_held());
        second.release();
        second.release();
        EXPECT_EQ(semaphore.available(), 2u);
        co_await yield();
    }
    EXPECT_EQ(semaphore.available(), 2u);
}

RINGLET_CASE(Semaphore, a_cancelled_task_leaves_the_line) {
    Semaphore semaphore(1);
    bool go = true;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto permit = co_await semaphore.acquire();
        auto a = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'a');
        auto b = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'b');
        co_await let_others_run();
        a.cancel();
        EXPECT_EQ(semaphore.waiting(), 1u);
        permit.release();
        co_await b.join();
        EXPECT_EQ(trace.text(), "b");
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Semaphore, a_task_cancelled_after_the_grant_passes_its_turn_on) {
    Semaphore semaphore(1);
    bool go = true;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto permit = co_await semaphore.acquire();
        auto a = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'a');
        auto b = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'b');
        co_await let_others_run();
        permit.release();
        a.cancel();
        b.cancel();
        EXPECT_EQ(semaphore.available(), 1u);  // through both, and back
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Semaphore, a_cancelled_holder_gives_its_permit_back) {
    Semaphore semaphore(1);
    bool go = false;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto a = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'a');
        auto b = group.spawn(visit, std::ref(semaphore), std::cref(go), std::ref(trace), 'b');
        co_await let_others_run();
        a.cancel();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "ab");
        b.cancel();
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Semaphore, a_time_limit_takes_no_permit) {
    Semaphore semaphore(1);
    Interruptible task;
    unsigned timed_out = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto permit = co_await semaphore.acquire();
        auto acquire = [&]() -> Task<void> {
            task.is_me();
            for (int i = 0; i < 2; ++i) {
                const auto mine = co_await attempt(semaphore.acquire());
                if (!mine && mine.error() == std::errc::timed_out) ++timed_out;
            }
        };
        auto handle = group.spawn(acquire);
        co_await let_others_run();
        task.interrupt();  // in line
        co_await let_others_run();
        EXPECT_EQ(timed_out, 1u);
        permit.release();
        task.interrupt();  // woken, but has not run
        co_await handle.join();
        EXPECT_EQ(timed_out, 2u);
    });
    EXPECT_EQ(semaphore.available(), 1u);
}

RINGLET_CASE(Semaphore, works_under_a_timeout) {
    Semaphore semaphore(1);
    const auto permit = co_await timeout(1h, semaphore.acquire());
    const auto none = co_await attempt(timeout(1ms, semaphore.acquire()));
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.error() == std::errc::timed_out);
    EXPECT_EQ(semaphore.waiting(), 0u);
}

RINGLET_CASE(Semaphore, a_loop_that_never_waits_still_lets_others_run) {
    Semaphore semaphore(1);
    bool stop = false;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto spin = [&]() -> Task<void> {
            while (!stop) const auto permit = co_await semaphore.acquire();
        };
        auto task = group.spawn(spin);
        co_await let_others_run(20);
        stop = true;
        co_await task.join();
    });
}

Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Semaphore semaphore(1 + dice.roll(3));
    Crowd<16> crowd;
    std::size_t inside = 0;
    std::size_t most_inside = 0;
    auto work = [&](Interruptible& me, unsigned) -> Task<void> {
        me.is_me();
        struct Inside {
            explicit Inside(std::size_t& count) : count_(count) { ++count_; }
            ~Inside() { --count_; }
            std::size_t& count_;
        };
        for (int i = 0; i < 6; ++i) {
            const auto permit = co_await attempt(semaphore.acquire());
            if (!permit) continue;
            const Inside here(inside);
            most_inside = std::max(most_inside, inside);
            if (dice.one_in(2)) (void)co_await attempt(yield());
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        co_await crowd.storm(dice, 40);
        crowd.cancel_all();
    });
    EXPECT_LE(most_inside, semaphore.permits()) << "seed " << seed;
    EXPECT_EQ(semaphore.available(), semaphore.permits()) << "seed " << seed;
    EXPECT_EQ(semaphore.waiting(), 0u) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Semaphore, loses_no_permit_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_under_a_permit() {
    std::optional<Semaphore> semaphore(std::in_place, 1u);
    const auto permit = co_await semaphore->acquire();
    semaphore.reset();
}

TEST(SemaphoreDeathTest, destroying_it_while_a_permit_is_out_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_permit), "available");
}

}  // namespace
}  // namespace ringlet
