#include <ringlet/sync/watch.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

// Notes each version that it sees, and the end.
Task<void> note_all(Watch<int>::Reader& reader, Trace& trace) {
    for (;;) {
        const auto value = co_await reader.changed();
        if (!value) break;
        trace.add_digit(static_cast<std::size_t>(*value));
    }
    trace.add('.');
}

RINGLET_CASE(Watch, changed_waits_for_a_newer_version) {
    Watch<int> watch(0);
    auto reader = watch.reader();
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(note_all, std::ref(reader), std::ref(trace));
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
        EXPECT_TRUE(watch.set(1));
        co_await let_others_run();
        EXPECT_TRUE(watch.set(1));  // a new version all the same
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "11");
        watch.close();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "11.");
    });
}

RINGLET_CASE(Watch, a_slow_reader_sees_the_latest_only) {
    Watch<int> watch(0);
    auto reader = watch.reader();
    for (int i = 1; i <= 5; ++i) watch.set(i);
    EXPECT_TRUE(reader.has_changed());
    const auto latest = co_await reader.changed();
    EXPECT_EQ(latest, 5);
    EXPECT_FALSE(reader.has_changed());
    co_await yield();
}

RINGLET_CASE(Watch, every_reader_is_woken) {
    Watch<int> watch(0);
    auto first = watch.reader();
    auto second = watch.reader();
    Trace one;
    Trace two;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(note_all, std::ref(first), std::ref(one));
        group.spawn(note_all, std::ref(second), std::ref(two));
        co_await let_others_run();
        watch.set(1);
        watch.set(2);
        watch.close();
        co_await let_others_run();
        EXPECT_EQ(one.text(), "2.");
        EXPECT_EQ(two.text(), "2.");
    });
}

RINGLET_CASE(Watch, latest_counts_as_seen) {
    Watch<int> watch(3);
    auto reader = watch.reader();
    EXPECT_FALSE(reader.has_changed());  // it has seen what was there
    EXPECT_EQ(reader.latest(), 3);
    watch.set(4);
    EXPECT_EQ(watch.get(), 4);
    EXPECT_EQ(reader.latest(), 4);
    const auto none = co_await attempt(timeout(1ms, reader.changed()));
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.error() == std::errc::timed_out);
}

RINGLET_CASE(Watch, after_close_the_value_stays_and_set_is_refused) {
    Watch<int> watch(1);
    auto reader = watch.reader();
    watch.set(2);
    watch.close();
    EXPECT_TRUE(watch.is_closed());
    EXPECT_FALSE(watch.set(3));
    EXPECT_EQ(watch.get(), 2);
    const auto last = co_await reader.changed();
    EXPECT_EQ(last, 2);
    const auto end = co_await reader.changed();
    EXPECT_FALSE(end);
    co_await yield();
}

RINGLET_CASE(Watch, a_cancelled_or_timed_out_wait_leaves_the_version_unseen) {
    Watch<int> watch(0);
    auto reader = watch.reader();
    Interruptible task;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto before = group.spawn(note_all, std::ref(reader), std::ref(trace));
        co_await let_others_run();
        before.cancel();
        co_await let_others_run();
        auto after = group.spawn(note_all, std::ref(reader), std::ref(trace));
        co_await let_others_run();
        watch.set(1);
        after.cancel();
        co_await let_others_run();
        EXPECT_TRUE(reader.has_changed());
        EXPECT_EQ(reader.latest(), 1);
        auto limited = [&]() -> Task<void> {
            task.is_me();
            const auto value = co_await attempt(reader.changed());
            EXPECT_FALSE(value);
        };
        auto handle = group.spawn(limited);
        co_await let_others_run();
        watch.set(2);
        task.interrupt();
        co_await handle.join();
        EXPECT_TRUE(reader.has_changed());
        EXPECT_EQ(trace.text(), "");
    });
}

// Whoever is cancelled, each reader that goes on sees rising versions and in the end the last.
Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Watch<int> watch(0);
    Crowd<12> crowd;
    int last = 0;
    unsigned ended = 0;
    unsigned ended_up_to_date = 0;
    auto work = [&](Interruptible& me, unsigned) -> Task<void> {
        me.is_me();
        auto reader = watch.reader();
        int seen = 0;
        for (;;) {
            const auto value = co_await attempt(reader.changed());
            if (value && !*value) break;
            if (value) {
                EXPECT_GT(**value, seen) << "seed " << seed;
                seen = **value;
            }
            if (dice.one_in(3)) (void)co_await attempt(yield());
        }
        ++ended;
        ended_up_to_date += seen == last ? 1 : 0;
    };
    auto change = [&]() -> Task<void> {
        for (int i = 0; i < 20; ++i) {
            watch.set(++last);
            if (dice.one_in(2)) co_await yield();
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        co_await yield();
        auto changes = group.spawn(std::ref(change));
        co_await crowd.storm(dice, 15);
        co_await changes.join();
        watch.close();
    });
    EXPECT_EQ(ended, ended_up_to_date) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Watch, shows_the_last_version_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_under_a_reader() {
    std::optional<Watch<int>> watch(std::in_place, 1);
    auto reader = watch->reader();
    watch.reset();
    co_await yield();
}

TEST(WatchDeathTest, destroying_it_under_a_reader_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_reader), "readers_");
}

}  // namespace
}  // namespace ringlet
