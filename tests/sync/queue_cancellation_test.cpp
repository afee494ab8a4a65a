// Queue: cancellation and time limits.
#include "queue_helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

RINGLET_CASE(QueueCancellation, a_cancelled_getter_leaves_the_line) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        first.cancel();
        co_await let_others_run();
        co_await queue.put(1);
        co_await let_others_run();
        EXPECT_TRUE(first.done());
        EXPECT_EQ(got.text(), "1");
    });
}

RINGLET_CASE(QueueCancellation, a_getter_cancelled_after_the_promise_passes_it_on) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        auto second = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.try_put(1));
        first.cancel();
        co_await second.join();
        EXPECT_EQ(got.text(), "1");
    });
}

RINGLET_CASE(QueueCancellation, a_getter_cancelled_after_the_promise_leaves_it_if_nobody_waits) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.try_put(1));
        first.cancel();
        EXPECT_EQ(queue.try_get(), 1);
        co_await let_others_run();
        EXPECT_EQ(got.text(), "");
    });
}

RINGLET_CASE(QueueCancellation, a_cancelled_putter_leaves_nothing_behind) {
    Queue<int, 1> queue;
    Trace left;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(1);
        auto cancelled = group.spawn(put_one<1>, std::ref(queue), 2);
        group.spawn(put_one<1>, std::ref(queue), 3);
        co_await let_others_run();
        cancelled.cancel();
        co_await let_others_run();
        drain(queue, left);
        EXPECT_EQ(left.text(), "13");
    });
}

RINGLET_CASE(QueueCancellation, a_put_that_got_its_place_has_happened_whatever_comes_then) {
    Queue<int, 1> queue;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(1);
        auto put = [&]() -> Task<void> {
            const Mark end(trace, 'e');
            co_await queue.put(2);
            trace.add('p');
            co_await yield();
            trace.add('n');
        };
        auto task = group.spawn(put);
        co_await let_others_run();
        EXPECT_EQ(queue.try_get(), 1);  // hands the place over
        task.cancel();
        co_await let_others_run();
        EXPECT_EQ(trace.take(), "pe");
        drain(queue, trace);
        EXPECT_EQ(trace.text(), "2");
    });
}

RINGLET_CASE(QueueCancellation, a_time_limit_on_a_get_takes_nothing) {
    Queue<int, 2> queue;
    Interruptible task;
    unsigned timed_out = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto get = [&]() -> Task<void> {
            task.is_me();
            for (int i = 0; i < 2; ++i) {
                const auto item = co_await attempt(queue.get());
                if (!item && item.error() == std::errc::timed_out) ++timed_out;
            }
        };
        auto handle = group.spawn(get);
        co_await let_others_run();
        task.interrupt();  // in line
        co_await let_others_run();
        EXPECT_EQ(timed_out, 1u);
        EXPECT_TRUE(queue.try_put(5));
        task.interrupt();  // woken, but has not run
        co_await handle.join();
        EXPECT_EQ(timed_out, 2u);
        EXPECT_EQ(queue.try_get(), 5);
    });
}

RINGLET_CASE(QueueCancellation, a_time_limit_on_a_put_leaves_nothing_or_comes_too_late) {
    Queue<int, 1> queue;
    Interruptible task;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(1);
        auto put = [&]() -> Task<void> {
            task.is_me();
            for (int item = 2; item <= 3; ++item) {
                const auto done = co_await attempt(queue.put(item));
                trace.add(done ? 'p' : 't');
            }
        };
        auto handle = group.spawn(put);
        co_await let_others_run();
        task.interrupt();
        co_await let_others_run();
        EXPECT_EQ(queue.try_get(), 1);
        task.interrupt();
        co_await handle.join();
        EXPECT_EQ(trace.text(), "tp");
        EXPECT_EQ(queue.try_get(), 3);
        EXPECT_EQ(queue.size(), 0u);
    });
}

RINGLET_CASE(QueueCancellation, works_under_a_timeout) {
    Queue<int, 1> queue;
    const auto none = co_await attempt(timeout(1ms, queue.get()));
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.error() == std::errc::timed_out);
    co_await timeout(1h, queue.put(1));
    const auto full = co_await attempt(timeout(1ms, queue.put(2)));
    EXPECT_FALSE(full);
    const auto item = co_await timeout(1h, queue.get());
    EXPECT_EQ(item, 1);
    EXPECT_EQ(queue.size(), 0u);
}

// Producers and consumers that are cancelled and interrupted at random: each item that a put has
// put is got once, or left.
Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Queue<int, 3> queue;
    Crowd<16> crowd;
    std::array<int, 512> balance{};  // by item: put minus got
    unsigned next = 0;
    auto work = [&](Interruptible& me, unsigned index) -> Task<void> {
        me.is_me();
        for (int i = 0; i < 8; ++i) {
            if (index % 2 == 0) {
                const unsigned item = next++;
                const auto done = co_await attempt(queue.put(static_cast<int>(item)));
                if (done) ++balance[item];
            } else {
                const auto item = co_await attempt(queue.get());
                if (item && *item) --balance[static_cast<unsigned>(**item)];
            }
            if (dice.one_in(3)) (void)co_await attempt(yield());  // can be interrupted, too
        }
    };
    auto poke = [&]() -> Task<void> {
        for (int i = 0; i < 20; ++i) {
            const unsigned item = next++;
            if (queue.try_put(static_cast<int>(item))) ++balance[item];
            co_await yield();
            const auto taken = queue.try_get();
            if (taken) --balance[static_cast<unsigned>(*taken)];
            co_await yield();
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        group.spawn(std::ref(poke));
        co_await crowd.storm(dice, 60);
        if (dice.one_in(2)) queue.close();
        crowd.cancel_all();
    });
    while (const auto item = queue.try_get()) --balance[static_cast<unsigned>(*item)];
    for (const int each : balance) EXPECT_EQ(each, 0) << "seed " << seed;
}

RINGLET_CASE_UNCUT(QueueCancellation, loses_and_doubles_nothing_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

}  // namespace
}  // namespace ringlet
