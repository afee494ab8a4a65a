#include <ringlet/sync/condition.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

struct Shared {
    Mutex mutex;
    Condition condition;
    Trace trace;
    int value = 0;
};

// Waits once; says so when it is back, and when it leaves whichever way, with the mutex held.
Task<void> wait_once(Shared& shared, char letter) {
    auto guard = co_await shared.mutex.lock();
    struct Left {
        ~Left() { EXPECT_TRUE(guard.owns_lock()); }
        Mutex::Guard& guard;
    } left{guard};
    co_await shared.condition.wait(guard);
    shared.trace.add(letter);
}

// Waits for the value, and takes it.
Task<void> take_value(Shared& shared, char letter) {
    auto guard = co_await shared.mutex.lock();
    co_await shared.condition.wait(guard, [&shared] { return shared.value > 0; });
    --shared.value;
    shared.trace.add(letter);
}

RINGLET_CASE(Condition, a_wait_unlocks_the_mutex_and_comes_back_with_it) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(wait_once, std::ref(shared), 'a');
        co_await let_others_run();
        EXPECT_FALSE(shared.mutex.is_locked());
        EXPECT_EQ(shared.condition.waiting(), 1u);
        {
            const auto guard = co_await shared.mutex.lock();
            shared.condition.notify_one();
            co_await let_others_run();
            EXPECT_FALSE(task.done());  // the mutex is still taken
            EXPECT_EQ(shared.mutex.waiting(), 1u);
        }
        co_await task.join();
        EXPECT_FALSE(shared.mutex.is_locked());
        EXPECT_EQ(shared.trace.text(), "a");
    });
}

RINGLET_CASE(Condition, notify_one_wakes_the_first_and_notify_all_the_rest) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (const char letter : {'a', 'b', 'c'}) {
            group.spawn(wait_once, std::ref(shared), letter);
        }
        co_await let_others_run(8);
        shared.condition.notify_one();
        co_await let_others_run();
        EXPECT_EQ(shared.trace.text(), "a");
        shared.condition.notify_all();
        co_await let_others_run(8);
        EXPECT_EQ(shared.trace.text(), "abc");
    });
}

RINGLET_CASE(Condition, a_notification_that_nobody_waits_for_is_gone) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        shared.condition.notify_one();
        shared.condition.notify_all();
        auto task = group.spawn(wait_once, std::ref(shared), 'a');
        co_await let_others_run();
        EXPECT_FALSE(task.done());
        shared.condition.notify_one();
    });
}

RINGLET_CASE(Condition, a_predicate_is_waited_for_with_the_mutex_held) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(take_value, std::ref(shared), 'a');
        co_await let_others_run();
        shared.condition.notify_all();  // for nothing
        co_await let_others_run();
        EXPECT_FALSE(task.done());
        EXPECT_EQ(shared.condition.waiting(), 1u);
        shared.value = 1;
        shared.condition.notify_one();
        co_await task.join();
        EXPECT_EQ(shared.value, 0);
    });
}

RINGLET_CASE(Condition, a_predicate_that_holds_is_not_waited_for) {
    Shared shared;
    shared.value = 1;
    co_await take_value(shared, 'a');
    EXPECT_EQ(shared.trace.text(), "a");
    co_await yield();
}

RINGLET_CASE(Condition, a_cancelled_wait_unwinds_with_the_mutex_held) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(wait_once, std::ref(shared), 'a');
        co_await let_others_run();
        auto guard = co_await shared.mutex.lock();
        task.cancel();
        co_await let_others_run();
        EXPECT_FALSE(task.done());  // it has to lock first
        EXPECT_EQ(shared.condition.waiting(), 0u);
        guard.unlock();
        co_await let_others_run();
        EXPECT_TRUE(task.done());
        EXPECT_FALSE(shared.mutex.is_locked());
        EXPECT_EQ(shared.trace.text(), "");
    });
}

RINGLET_CASE(Condition, a_notification_of_a_task_cancelled_while_it_locks_goes_to_the_next) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto a = group.spawn(wait_once, std::ref(shared), 'a');
        auto b = group.spawn(wait_once, std::ref(shared), 'b');
        co_await let_others_run();
        auto guard = co_await shared.mutex.lock();
        shared.condition.notify_one();
        a.cancel();
        guard.unlock();
        co_await b.join();
        EXPECT_TRUE(a.done());
        EXPECT_EQ(shared.trace.text(), "b");
    });
    EXPECT_FALSE(shared.mutex.is_locked());
}

RINGLET_CASE(Condition, a_notification_of_a_task_cancelled_after_the_wake_up_goes_to_the_next) {
    Shared shared;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto a = group.spawn(wait_once, std::ref(shared), 'a');
        auto b = group.spawn(wait_once, std::ref(shared), 'b');
        co_await let_others_run();
        shared.condition.notify_one();  // a has the mutex now, but has not run
        EXPECT_TRUE(shared.mutex.is_locked());
        a.cancel();
        co_await b.join();
        EXPECT_EQ(shared.trace.text(), "b");
    });
    EXPECT_FALSE(shared.mutex.is_locked());
}

RINGLET_CASE(Condition, a_time_limit_comes_back_with_the_mutex_held) {
    Shared shared;
    auto guard = co_await shared.mutex.lock();
    const auto leaf = co_await attempt(timeout(1ms, shared.condition.wait(guard)));
    EXPECT_FALSE(leaf);
    EXPECT_TRUE(leaf.error() == std::errc::timed_out);
    EXPECT_TRUE(guard.owns_lock());
    const auto task =
        co_await attempt(timeout(1ms, shared.condition.wait(guard, [] { return false; })));
    EXPECT_FALSE(task);
    EXPECT_TRUE(task.error() == std::errc::timed_out);
    EXPECT_TRUE(guard.owns_lock());
    EXPECT_EQ(shared.condition.waiting(), 0u);
}

RINGLET_CASE(Condition, a_time_limit_passes_a_notification_on) {
    Shared shared;
    Interruptible task;
    bool timed_out = false;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto wait = [&]() -> Task<void> {
            task.is_me();
            auto guard = co_await shared.mutex.lock();
            const auto done = co_await attempt(shared.condition.wait(guard));
            timed_out = !done && done.error() == std::errc::timed_out;
            EXPECT_TRUE(guard.owns_lock());
        };
        auto a = group.spawn(wait);
        co_await let_others_run();
        auto b = group.spawn(wait_once, std::ref(shared), 'b');
        co_await let_others_run();
        shared.condition.notify_one();
        task.interrupt();
        co_await a.join();
        EXPECT_TRUE(timed_out);
        co_await b.join();
        EXPECT_EQ(shared.trace.text(), "b");
    });
}

RINGLET_CASE(Condition, a_wait_that_timed_out_can_be_cancelled_before_it_has_locked) {
    Shared shared;
    Interruptible task;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto wait = [&]() -> Task<void> {
            const Mark end(trace, 'e');
            task.is_me();
            auto guard = co_await shared.mutex.lock();
            (void)co_await attempt(shared.condition.wait(guard));
            trace.add('a');
        };
        auto handle = group.spawn(wait);
        co_await let_others_run();
        auto guard = co_await shared.mutex.lock();
        task.interrupt();
        task.interrupt();
        handle.cancel();
        guard.unlock();
        co_await let_others_run();
        EXPECT_TRUE(handle.done());
        EXPECT_EQ(trace.text(), "e");
    });
    EXPECT_FALSE(shared.mutex.is_locked());
}

// A bounded buffer of a mutex and two conditions. Nobody is inside with another, and in the end
// nobody waits for what is there.
Task<void> storm(unsigned seed) {
    constexpr int room = 2;
    Dice dice(seed);
    Mutex mutex;
    Condition not_empty;
    Condition not_full;
    Crowd<16> crowd;
    int items = 0;
    bool inside = false;

    // Who was woken for something and leaves it there has to tell the next.
    struct Inside {
        Inside(bool& others, Condition& woken_by) : flag(others), condition(woken_by) {
            EXPECT_FALSE(flag);
            flag = true;
        }
        Inside(const Inside&) = delete;
        ~Inside() {
            flag = false;
            if (!used) condition.notify_one();
        }
        bool& flag;
        Condition& condition;
        bool used = false;
    };
    auto work = [&](Interruptible& me, unsigned index) -> Task<void> {
        me.is_me();
        const bool produces = index % 2 == 0;
        for (int i = 0; i < 6; ++i) {
            auto entered = co_await attempt(mutex.lock());
            if (!entered) continue;
            Mutex::Guard guard(std::move(*entered));
            Condition& condition = produces ? not_full : not_empty;
            const auto may_go_on = [&] { return produces ? items < room : items > 0; };
            const auto ready = co_await attempt(condition.wait(guard, may_go_on));
            EXPECT_TRUE(guard.owns_lock()) << "seed " << seed;
            if (!ready) continue;
            Inside here(inside, condition);
            if (dice.one_in(3)) {
                const auto rested = co_await attempt(yield());
                if (!rested) continue;
            }
            EXPECT_TRUE(may_go_on()) << "seed " << seed;
            items += produces ? 1 : -1;
            here.used = true;
            (produces ? not_empty : not_full).notify_one();
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        co_await crowd.storm(dice, 40);
        co_await let_others_run(200);
        EXPECT_FALSE(items > 0 && not_empty.waiting() > 0) << "seed " << seed;
        EXPECT_FALSE(items < room && not_full.waiting() > 0) << "seed " << seed;
        crowd.cancel_all();
    });
    EXPECT_FALSE(mutex.is_locked()) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Condition, loses_no_wake_up_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_under_a_waiter() {
    Mutex mutex;
    std::optional<Condition> condition(std::in_place);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto wait = [&]() -> Task<void> {
            auto guard = co_await mutex.lock();
            co_await condition->wait(guard);
        };
        group.spawn(wait);
        co_await let_others_run();
        condition.reset();
    });
}

Task<void> wait_without_the_mutex() {
    Mutex mutex;
    Condition condition;
    auto guard = co_await mutex.lock();
    guard.unlock();
    co_await condition.wait(guard);
}

TEST(ConditionDeathTest, destroying_it_while_somebody_waits_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_waiter), "empty");
}

TEST(ConditionDeathTest, waiting_without_the_mutex_is_caught) {
    EXPECT_DEATH(run_to_death(wait_without_the_mutex), "is_held");
}

}  // namespace
}  // namespace ringlet
