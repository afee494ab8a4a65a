#include <ringlet/sync/queue.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

template <std::size_t N>
Task<void> get_one(Queue<int, N>& queue, Trace& trace) {
    const auto item = co_await queue.get();
    item ? trace.add_digit(static_cast<std::size_t>(*item)) : trace.add('-');
}

template <std::size_t N>
Task<void> put_one(Queue<int, N>& queue, int item) {
    co_await queue.put(item);
}

template <std::size_t N>
void drain(Queue<int, N>& queue, Trace& trace) {
    while (const auto item = queue.try_get()) trace.add_digit(static_cast<std::size_t>(*item));
}

RINGLET_CASE(Queue, gives_items_in_the_order_they_were_put) {
    Queue<int, 4> queue;
    for (int i = 0; i < 3; ++i) co_await queue.put(i);
    EXPECT_EQ(queue.size(), 3u);
    for (int i = 0; i < 3; ++i) {
        const auto item = co_await queue.get();
        EXPECT_EQ(item, i);
    }
    EXPECT_EQ(queue.size(), 0u);
    co_await yield();
}

RINGLET_CASE(Queue, get_waits_while_it_is_empty) {
    Queue<int, 2> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(get_one<2>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_FALSE(task.done());
        co_await queue.put(7);
        co_await task.join();
        EXPECT_EQ(got.text(), "7");
    });
}

RINGLET_CASE(Queue, put_waits_while_it_is_full) {
    Queue<int, 1> queue;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(1);
        auto task = group.spawn(put_one<1>, std::ref(queue), 2);
        co_await let_others_run();
        EXPECT_FALSE(task.done());
        const auto first = co_await queue.get();
        EXPECT_EQ(first, 1);
        EXPECT_EQ(queue.size(), 1u);  // the place went to the one that waited, at once
        co_await task.join();
        const auto second = co_await queue.get();
        EXPECT_EQ(second, 2);
    });
}

RINGLET_CASE(Queue, serves_getters_and_putters_in_the_order_of_their_arrival) {
    Queue<int, 1> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 3; ++i) group.spawn(get_one<1>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        for (int i = 0; i < 6; ++i) group.spawn(put_one<1>, std::ref(queue), i);
        co_await let_others_run();
        EXPECT_EQ(got.text(), "012");
        for (int i = 3; i < 6; ++i) {
            const auto item = co_await queue.get();
            EXPECT_EQ(item, i);
        }
    });
}

RINGLET_CASE(Queue, lets_nobody_take_what_another_was_promised) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.try_put(1));  // promised; the getter has not run yet
        EXPECT_EQ(queue.size(), 1u);
        EXPECT_FALSE(queue.try_get());
        auto late = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_EQ(got.text(), "1");
        EXPECT_FALSE(late.done());
        EXPECT_TRUE(queue.try_put(2));
        co_await late.join();
        EXPECT_EQ(got.text(), "12");
    });
}

RINGLET_CASE(Queue, moves_or_copies_what_it_is_given) {
    Queue<Token, 1> tokens;
    Queue<std::string_view, 1> texts;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto take_all = [&]() -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                const auto token = co_await tokens.get();
                trace.add_digit(static_cast<std::size_t>(token->number()));
            }
        };
        Token named(1);
        co_await tokens.put(std::move(named));
        EXPECT_EQ(named.number(), 0);
        auto task = group.spawn(take_all);
        co_await tokens.put(Token(2));
        co_await tokens.put(Token(3));  // waits: the temporary lives as long
        co_await task.join();
        EXPECT_EQ(trace.text(), "123");
        const std::string_view kept = "kept";
        co_await texts.put(kept);
        const auto copy = co_await texts.get();
        EXPECT_EQ(*copy, kept);
    });
}

RINGLET_CASE(Queue, try_put_leaves_the_item_alone_when_full_or_closed) {
    Queue<Token, 1> queue;
    EXPECT_TRUE(queue.try_put(Token(1)));
    Token item(2);
    EXPECT_FALSE(queue.try_put(std::move(item)));
    EXPECT_EQ(item.number(), 2);
    EXPECT_TRUE(queue.try_get());
    queue.close();
    EXPECT_FALSE(queue.try_put(std::move(item)));
    EXPECT_EQ(item.number(), 2);
    co_await yield();
}

RINGLET_CASE(Queue, close_lets_getters_drain_and_then_ends_them) {
    Queue<int, 4> queue;
    Trace got;
    co_await queue.put(1);
    co_await queue.put(2);
    queue.close();
    queue.close();
    EXPECT_TRUE(queue.is_closed());
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 4; ++i) group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_EQ(got.text(), "12--");
    });
}

RINGLET_CASE(Queue, close_wakes_getters_that_wait) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 3; ++i) group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.try_put(1));
        queue.close();
        co_await let_others_run();
        EXPECT_EQ(got.text(), "1--");
    });
}

RINGLET_CASE(Queue, after_close_a_promised_item_still_passes_to_the_next_in_line) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        auto second = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.try_put(1));
        queue.close();
        first.cancel();
        co_await let_others_run();
        EXPECT_TRUE(second.done());
        EXPECT_EQ(got.text(), "1");
    });
}

RINGLET_CASE(Queue, a_getter_that_was_told_of_the_end_can_still_be_cancelled) {
    Queue<int, 4> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(get_one<4>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        queue.close();
        task.cancel();
        co_await let_others_run();
        EXPECT_TRUE(task.done());
        EXPECT_EQ(got.text(), "");
    });
}

RINGLET_CASE(Queue, put_fails_once_closed_and_leaves_the_item_alone) {
    Queue<Token, 1> queue;
    Token item(2);
    std::optional<Error> error;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(Token(1));
        auto put = [&]() -> Task<void> {
            const auto done = co_await attempt(queue.put(std::move(item)));
            if (!done) error = done.error();
        };
        auto task = group.spawn(put);
        co_await let_others_run();
        queue.close();
        co_await task.join();
        EXPECT_EQ(error, Error(std::errc::broken_pipe, RuntimeDetail::closed));
        EXPECT_EQ(item.number(), 2);
        const auto late = co_await attempt(queue.put(std::move(item)));
        EXPECT_FALSE(late);
        EXPECT_TRUE(late.error() == RuntimeDetail::closed);
        EXPECT_EQ(item.number(), 2);
        EXPECT_EQ(queue.size(), 1u);
    });
}

RINGLET_CASE(Queue, a_cancelled_getter_leaves_the_line) {
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

RINGLET_CASE(Queue, a_getter_cancelled_after_the_promise_passes_it_on) {
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

RINGLET_CASE(Queue, a_getter_cancelled_after_the_promise_leaves_the_item_if_nobody_waits) {
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

RINGLET_CASE(Queue, a_cancelled_putter_leaves_nothing_behind) {
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

RINGLET_CASE(Queue, a_put_that_got_its_place_has_happened_whatever_comes_then) {
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

RINGLET_CASE(Queue, a_time_limit_on_a_get_takes_nothing) {
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

RINGLET_CASE(Queue, a_time_limit_on_a_put_leaves_nothing_or_comes_too_late) {
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

RINGLET_CASE(Queue, works_under_a_timeout) {
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

RINGLET_CASE(Queue, join_waits_until_every_item_was_marked_done) {
    Queue<int, 4> queue;
    co_await queue.join();  // nothing was put
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await queue.put(1);
        co_await queue.put(2);
        auto join = [&]() -> Task<void> { co_await queue.join(); };
        auto first = group.spawn(join);
        auto second = group.spawn(join);
        auto cancelled = group.spawn(join);
        auto cancelled_late = group.spawn(join);
        co_await let_others_run();
        cancelled.cancel();
        for (int i = 0; i < 2; ++i) {
            EXPECT_FALSE(first.done());
            co_await queue.get();
            co_await let_others_run();
            queue.task_done();
        }
        cancelled_late.cancel();
        EXPECT_EQ(queue.unfinished(), 0u);
        co_await let_others_run();
        EXPECT_TRUE(first.done() && second.done());
        EXPECT_TRUE(cancelled.done() && cancelled_late.done());
    });
}

RINGLET_CASE(Queue, knows_its_high_water_mark) {
    Queue<int, 4> queue;
    Trace trace;
    EXPECT_EQ(queue.high_water(), 0u);
    for (int i = 0; i < 3; ++i) co_await queue.put(i);
    drain(queue, trace);
    co_await queue.put(9);
    EXPECT_EQ(queue.high_water(), 3u);
    EXPECT_EQ(queue.capacity(), 4u);
    co_await yield();
}

RINGLET_CASE(Queue, dropping_leaves_the_promises_whole) {
    Queue<int, 1> queue;
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(get_one<1>, std::ref(queue), std::ref(got));
        co_await let_others_run();
        EXPECT_TRUE(queue.offer(1, Overflow::drop_oldest));
        EXPECT_TRUE(queue.offer(2, Overflow::drop_oldest));
        co_await task.join();
        EXPECT_EQ(got.text(), "2");
    });
}

TEST(Queue, offer_rejects_when_full_and_counts) {
    Queue<int, 2> queue;
    Trace left;
    EXPECT_TRUE(queue.offer(1, Overflow::reject));
    EXPECT_TRUE(queue.offer(2, Overflow::reject));
    EXPECT_FALSE(queue.offer(3, Overflow::reject));
    EXPECT_EQ(queue.rejected(), 1u);
    drain(queue, left);
    EXPECT_EQ(left.text(), "12");
    queue.close();
    EXPECT_FALSE(queue.offer(4, Overflow::drop_oldest));
    EXPECT_EQ(queue.rejected(), 2u);
    EXPECT_EQ(queue.dropped(), 0u);
}

TEST(Queue, offer_drops_the_oldest_and_counts_it_as_done) {
    Queue<int, 2> queue;
    Trace left;
    for (int i = 1; i <= 5; ++i) {
        EXPECT_TRUE(queue.offer(i, Overflow::drop_oldest));
    }
    EXPECT_EQ(queue.dropped(), 3u);
    EXPECT_EQ(queue.rejected(), 0u);
    EXPECT_EQ(queue.unfinished(), 2u);
    drain(queue, left);
    EXPECT_EQ(left.text(), "45");
}

RINGLET_CASE(Queue, a_loop_that_never_waits_still_lets_others_run) {
    Queue<int, 1> queue;
    bool stop = false;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto spin = [&]() -> Task<void> {
            while (!stop) {
                co_await queue.put(1);
                const auto item = co_await queue.get();
                EXPECT_EQ(item, 1);
            }
        };
        auto task = group.spawn(spin);
        co_await let_others_run(20);
        stop = true;
        co_await task.join();
        EXPECT_EQ(queue.size(), 0u);
    });
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
            if (dice.one_in(3)) co_await attempt(yield());  // can be interrupted, too
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

RINGLET_CASE_UNCUT(Queue, loses_and_doubles_nothing_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_under_a_getter() {
    std::optional<Queue<int, 1>> queue(std::in_place);
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(get_one<1>, std::ref(*queue), std::ref(got));
        co_await let_others_run();
        queue.reset();
    });
}

Task<void> destroy_under_a_promise() {
    std::optional<Queue<int, 1>> queue(std::in_place);
    Trace got;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(get_one<1>, std::ref(*queue), std::ref(got));
        co_await let_others_run();
        queue->try_put(1);
        queue.reset();
    });
}

TEST(QueueDeathTest, destroying_it_while_somebody_waits_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_getter), "empty");
    EXPECT_DEATH(run_to_death(destroy_under_a_promise), "granted");
}

TEST(QueueDeathTest, task_done_is_for_items_that_were_got) {
    Queue<int, 1> queue;
    EXPECT_TRUE(queue.try_put(1));
    EXPECT_DEATH(queue.task_done(), "unfinished");
}

}  // namespace
}  // namespace ringlet
