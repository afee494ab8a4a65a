// Queue: order, closing, counting, overflow.
#include "queue_helpers.hpp"

namespace ringlet {
namespace {

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
