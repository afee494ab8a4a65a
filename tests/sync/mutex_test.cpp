#include <ringlet/sync/mutex.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

// Two of these inside at once would mix their letters.
Task<void> write_twice(Mutex& mutex, Trace& trace, char letter) {
    const auto guard = co_await mutex.lock();
    EXPECT_TRUE(guard.owns_lock());
    trace.add(letter);
    co_await let_others_run(2);
    trace.add(letter);
}

RINGLET_CASE(Mutex, lets_one_in_at_a_time_in_the_order_of_arrival) {
    Mutex mutex;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (const char letter : {'a', 'b', 'c'}) {
            group.spawn(write_twice, std::ref(mutex), std::ref(trace), letter);
        }
        co_await yield();
        EXPECT_TRUE(mutex.is_locked());
        EXPECT_EQ(mutex.waiting(), 2u);
        co_await write_twice(mutex, trace, 'd');
        EXPECT_EQ(trace.text(), "aabbccdd");
    });
    EXPECT_FALSE(mutex.is_locked());
}

RINGLET_CASE(Mutex, try_lock_takes_it_if_it_is_free) {
    Mutex mutex;
    auto first = mutex.try_lock();
    EXPECT_TRUE(first && first->owns_lock());
    EXPECT_FALSE(mutex.try_lock());
    co_await yield();
    first->unlock();
    EXPECT_FALSE(first->owns_lock());
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.is_locked());
}

RINGLET_CASE(Mutex, a_guard_can_be_moved_out_of_its_scope) {
    Mutex mutex;
    std::optional<Mutex::Guard> kept;
    {
        auto guard = co_await mutex.lock();
        kept.emplace(std::move(guard));
        EXPECT_FALSE(guard.owns_lock());
    }
    EXPECT_TRUE(mutex.is_locked());
    co_await yield();
    kept.reset();
    EXPECT_FALSE(mutex.is_locked());
}

RINGLET_CASE(Mutex, is_handed_on_without_ever_being_free_in_between) {
    Mutex mutex;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto guard = co_await mutex.lock();
        group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'a');
        co_await let_others_run();
        guard.unlock();
        EXPECT_TRUE(mutex.is_locked());
        EXPECT_FALSE(mutex.try_lock());
    });
}

RINGLET_CASE(Mutex, a_cancelled_owner_unlocks_it) {
    Mutex mutex;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto owner = group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'a');
        auto next = group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'b');
        co_await yield();
        owner.cancel();
        co_await next.join();
        EXPECT_EQ(trace.text(), "abb");
    });
    EXPECT_FALSE(mutex.is_locked());
}

RINGLET_CASE(Mutex, a_task_cancelled_before_or_after_the_grant_is_passed_over) {
    Mutex mutex;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto guard = co_await mutex.lock();
        auto before = group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'a');
        auto after = group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'b');
        auto gets_it = group.spawn(write_twice, std::ref(mutex), std::ref(trace), 'c');
        co_await let_others_run();
        before.cancel();
        guard.unlock();
        after.cancel();
        co_await gets_it.join();
        EXPECT_EQ(trace.text(), "cc");
    });
    EXPECT_FALSE(mutex.is_locked());
}

RINGLET_CASE(Mutex, a_time_limit_leaves_the_line) {
    Mutex mutex;
    auto guard = co_await timeout(1h, mutex.lock());
    const auto none = co_await attempt(timeout(1ms, mutex.lock()));
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.error() == std::errc::timed_out);
    EXPECT_EQ(mutex.waiting(), 0u);
    guard.unlock();
    EXPECT_FALSE(mutex.is_locked());
}

Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Mutex mutex;
    Crowd<16> crowd;
    bool inside = false;
    auto work = [&](Interruptible& me, unsigned) -> Task<void> {
        me.is_me();
        struct Inside {
            explicit Inside(bool& flag) : flag_(flag) { flag_ = true; }
            ~Inside() { flag_ = false; }
            bool& flag_;
        };
        for (int i = 0; i < 6; ++i) {
            auto guard = co_await attempt(mutex.lock());
            if (!guard) continue;
            EXPECT_FALSE(inside) << "seed " << seed;
            {
                const Inside here(inside);
                if (dice.one_in(2)) (void)co_await attempt(yield());
            }
            if (dice.one_in(3)) guard->unlock();
            if (dice.one_in(3)) (void)co_await attempt(yield());
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        co_await crowd.storm(dice, 40);
        crowd.cancel_all();
    });
    EXPECT_FALSE(mutex.is_locked()) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Mutex, holds_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_locked() {
    std::optional<Mutex> mutex(std::in_place);
    const auto guard = co_await mutex->lock();
    mutex.reset();
}

TEST(MutexDeathTest, destroying_it_while_locked_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_locked), "available");
}

}  // namespace
}  // namespace ringlet
