#include <ringlet/sync/event.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

Task<void> wait_for(Event& event, Trace& trace, char letter) {
    co_await event.wait();
    trace.add(letter);
}

RINGLET_CASE(Event, set_wakes_all_that_wait) {
    Event event;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (const char letter : {'a', 'b', 'c'}) {
            group.spawn(wait_for, std::ref(event), std::ref(trace), letter);
        }
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
        event.set();
        EXPECT_TRUE(event.is_set());
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "abc");
    });
}

RINGLET_CASE(Event, nobody_waits_while_it_is_set) {
    Event event;
    Trace trace;
    event.set();
    event.set();
    co_await wait_for(event, trace, 'a');
    EXPECT_EQ(trace.text(), "a");
    event.clear();
    EXPECT_FALSE(event.is_set());
    const auto late = co_await attempt(timeout(1ms, event.wait()));
    EXPECT_FALSE(late);
    EXPECT_TRUE(late.error() == std::errc::timed_out);
}

RINGLET_CASE(Event, who_was_woken_goes_on_although_it_was_cleared) {
    Event event;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(wait_for, std::ref(event), std::ref(trace), 'a');
        co_await let_others_run();
        event.set();
        event.clear();
        auto late = group.spawn(wait_for, std::ref(event), std::ref(trace), 'b');
        co_await let_others_run();
        EXPECT_TRUE(task.done());
        EXPECT_FALSE(late.done());
        EXPECT_EQ(trace.text(), "a");
        event.set();
    });
}

RINGLET_CASE(Event, a_cancelled_task_unwinds_before_and_after_the_wake_up) {
    Event event;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto before = group.spawn(wait_for, std::ref(event), std::ref(trace), 'a');
        auto after = group.spawn(wait_for, std::ref(event), std::ref(trace), 'b');
        group.spawn(wait_for, std::ref(event), std::ref(trace), 'c');
        co_await let_others_run();
        before.cancel();
        event.set();
        after.cancel();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "c");
    });
}

RINGLET_CASE(Event, a_time_limit_ends_a_wait_before_and_after_the_wake_up) {
    Event event;
    Interruptible task;
    unsigned timed_out = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto wait = [&]() -> Task<void> {
            task.is_me();
            for (int i = 0; i < 2; ++i) {
                const auto done = co_await attempt(event.wait());
                if (!done && done.error() == std::errc::timed_out) ++timed_out;
            }
        };
        auto handle = group.spawn(wait);
        co_await let_others_run();
        task.interrupt();
        co_await let_others_run();
        EXPECT_EQ(timed_out, 1u);
        event.set();
        task.interrupt();
        co_await handle.join();
        EXPECT_EQ(timed_out, 2u);
    });
}

RINGLET_CASE(Event, may_be_gone_once_all_are_woken) {
    std::optional<Event> event(std::in_place);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(wait_for, std::ref(*event), std::ref(trace), 'a');
        co_await let_others_run();
        event->set();
        event.reset();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "a");
    });
}

RINGLET_CASE(Event, a_loop_that_never_waits_still_lets_others_run) {
    Event event;
    bool stop = false;
    event.set();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto spin = [&]() -> Task<void> {
            while (!stop) co_await event.wait();
        };
        auto task = group.spawn(spin);
        co_await let_others_run(20);
        stop = true;
        co_await task.join();
    });
}

Task<void> destroy_under_a_waiter() {
    std::optional<Event> event(std::in_place);
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(wait_for, std::ref(*event), std::ref(trace), 'a');
        co_await let_others_run();
        event.reset();
    });
}

TEST(EventDeathTest, destroying_it_while_somebody_waits_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_waiter), "empty");
}

}  // namespace
}  // namespace ringlet
