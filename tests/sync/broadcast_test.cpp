#include <ringlet/sync/broadcast.hpp>

#include "helpers.hpp"

namespace ringlet {
namespace {

using namespace std::chrono_literals;

template <std::size_t N>
using Subscription = typename Broadcast<int, N>::Subscription;

// Notes all that it receives, and the end.
template <std::size_t N>
Task<void> note_all(Subscription<N>& subscription, Trace& trace) {
    for (;;) {
        const auto message = co_await subscription.receive();
        if (!message) break;
        trace.add_digit(static_cast<std::size_t>(*message));
    }
    trace.add('.');
}

RINGLET_CASE(Broadcast, every_subscriber_sees_each_message_in_order) {
    Broadcast<int, 4> broadcast;
    auto first = broadcast.subscribe();
    auto second = broadcast.subscribe();
    Trace one;
    Trace two;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(note_all<4>, std::ref(first), std::ref(one));
        group.spawn(note_all<4>, std::ref(second), std::ref(two));
        co_await let_others_run();
        EXPECT_EQ(broadcast.send(1), 2u);
        EXPECT_EQ(broadcast.send(2), 2u);
        co_await let_others_run();
        EXPECT_EQ(broadcast.size(), 0u);  // all have read all
        broadcast.send(3);
        broadcast.close();
        co_await let_others_run();
        EXPECT_EQ(one.text(), "123.");
        EXPECT_EQ(two.text(), "123.");
    });
    EXPECT_EQ(broadcast.high_water(), 2u);
}

RINGLET_CASE(Broadcast, a_subscriber_sees_what_is_sent_from_its_subscription_on) {
    Broadcast<int, 4> broadcast;
    EXPECT_EQ(broadcast.send(1), 0u);  // for nobody
    EXPECT_EQ(broadcast.size(), 0u);
    auto early = broadcast.subscribe();
    broadcast.send(2);
    auto late = broadcast.subscribe();
    broadcast.send(3);
    EXPECT_EQ(early.pending(), 2u);
    EXPECT_EQ(late.pending(), 1u);
    const auto message = co_await late.receive();
    EXPECT_EQ(message, 3);
    co_await yield();
    EXPECT_EQ(early.try_receive(), 2);
    EXPECT_EQ(early.try_receive(), 3);
    EXPECT_FALSE(early.try_receive());
}

RINGLET_CASE(Broadcast, a_slow_subscriber_loses_the_oldest_and_learns_how_many) {
    Broadcast<int, 3> broadcast;
    auto slow = broadcast.subscribe();
    auto quick = broadcast.subscribe();
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(broadcast.send(i), 2u);
        EXPECT_EQ(quick.try_receive(), i);
    }
    co_await yield();
    EXPECT_EQ(slow.missed(), 5u);
    EXPECT_EQ(slow.pending(), 3u);
    for (int i = 5; i < 8; ++i) {
        const auto message = co_await slow.receive();
        EXPECT_EQ(message, i);
    }
    EXPECT_EQ(slow.missed(), 5u);
    EXPECT_EQ(quick.missed(), 0u);
    EXPECT_EQ(broadcast.size(), 0u);
}

class Copied {
public:
    explicit Copied(unsigned& copies) : copies_(&copies) {}
    Copied(const Copied& other) : copies_(other.copies_) { ++*copies_; }
    Copied(Copied&&) = default;
    ~Copied() {}

private:
    unsigned* copies_;
};

RINGLET_CASE(Broadcast, copies_for_all_but_the_last_to_read) {
    unsigned copies = 0;
    Broadcast<Copied, 2> broadcast;
    auto first = broadcast.subscribe();
    auto second = broadcast.subscribe();
    broadcast.send(Copied(copies));
    EXPECT_TRUE(first.try_receive());
    EXPECT_EQ(copies, 1u);
    EXPECT_TRUE(second.try_receive());
    EXPECT_EQ(copies, 1u);
    co_await yield();
}

RINGLET_CASE(Broadcast, who_unsubscribes_holds_no_message) {
    Broadcast<int, 4> broadcast;
    auto stays = broadcast.subscribe();
    {
        auto leaves = broadcast.subscribe();
        for (int i = 0; i < 6; ++i) broadcast.send(i);
        EXPECT_EQ(leaves.missed(), 2u);
        while (stays.try_receive()) {}
        EXPECT_EQ(broadcast.size(), 4u);
        co_await yield();
    }
    EXPECT_EQ(broadcast.size(), 0u);
    EXPECT_EQ(broadcast.subscriptions(), 1u);
}

RINGLET_CASE(Broadcast, close_ends_subscribers_once_they_have_read_all) {
    Broadcast<int, 4> broadcast;
    auto subscription = broadcast.subscribe();
    broadcast.send(1);
    broadcast.close();
    EXPECT_TRUE(broadcast.is_closed());
    EXPECT_EQ(broadcast.send(2), 0u);
    Trace trace;
    co_await note_all<4>(subscription, trace);
    EXPECT_EQ(trace.text(), "1.");
    auto late = broadcast.subscribe();
    const auto nothing = co_await late.receive();
    EXPECT_FALSE(nothing);
    co_await yield();
}

RINGLET_CASE(Broadcast, a_cancelled_receive_takes_no_message) {
    Broadcast<int, 4> broadcast;
    auto subscription = broadcast.subscribe();
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto before = group.spawn(note_all<4>, std::ref(subscription), std::ref(trace));
        co_await let_others_run();
        before.cancel();
        co_await let_others_run();
        auto after = group.spawn(note_all<4>, std::ref(subscription), std::ref(trace));
        co_await let_others_run();
        broadcast.send(1);
        after.cancel();
        co_await let_others_run();
        EXPECT_EQ(trace.text(), "");
        const auto message = co_await subscription.receive();
        EXPECT_EQ(message, 1);
    });
}

RINGLET_CASE(Broadcast, a_time_limit_takes_no_message) {
    Broadcast<int, 4> broadcast;
    auto subscription = broadcast.subscribe();
    const auto none = co_await attempt(timeout(1ms, subscription.receive()));
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.error() == std::errc::timed_out);
    Interruptible task;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto receive = [&]() -> Task<void> {
            task.is_me();
            const auto message = co_await attempt(subscription.receive());
            EXPECT_FALSE(message);
        };
        auto handle = group.spawn(receive);
        co_await let_others_run();
        broadcast.send(1);
        task.interrupt();
        co_await handle.join();
        EXPECT_EQ(subscription.try_receive(), 1);
    });
}

// Whatever was sent to a subscription is received in order, missed, or there to be read.
Task<void> storm(unsigned seed) {
    Dice dice(seed);
    Broadcast<int, 3> broadcast;
    Crowd<12> crowd;
    int sent = 0;
    auto work = [&](Interruptible& me, unsigned) -> Task<void> {
        me.is_me();
        auto subscription = broadcast.subscribe();
        struct Account {
            ~Account() {
                const auto all = received + subscription.missed() + subscription.pending();
                EXPECT_EQ(all, static_cast<std::uint64_t>(sent - before)) << "seed " << seed;
            }
            const Subscription<3>& subscription;
            const int& sent;
            int before;
            unsigned seed;
            std::uint64_t received = 0;
        } account{subscription, sent, sent, seed};
        int last = -1;
        for (int i = 0; i < 8; ++i) {
            const auto message = co_await attempt(subscription.receive());
            if (message) {
                EXPECT_GT(**message, last) << "seed " << seed;
                last = **message;
                ++account.received;
            }
            if (dice.one_in(2)) (void)co_await attempt(yield());
        }
    };
    auto send = [&]() -> Task<void> {
        for (int i = 0; i < 30; ++i) {
            broadcast.send(sent++);
            if (dice.one_in(2)) co_await yield();
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        crowd.spawn(group, work);
        group.spawn(std::ref(send));
        co_await crowd.storm(dice, 40);
        crowd.cancel_all();
    });
    EXPECT_EQ(broadcast.size(), 0u) << "seed " << seed;
    EXPECT_EQ(broadcast.subscriptions(), 0u) << "seed " << seed;
}

RINGLET_CASE_UNCUT(Broadcast, accounts_for_every_message_in_a_storm_of_cancellations) {
    for (unsigned seed = 1; seed <= storm_rounds; ++seed) co_await storm(seed);
}

Task<void> destroy_under_a_subscription() {
    std::optional<Broadcast<int, 1>> broadcast(std::in_place);
    auto subscription = broadcast->subscribe();
    broadcast.reset();
    co_await yield();
}

Task<void> share_a_subscription() {
    Broadcast<int, 1> broadcast;
    auto subscription = broadcast.subscribe();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto receive = [&]() -> Task<void> { co_await subscription.receive(); };
        group.spawn(receive);
        group.spawn(receive);
        co_await let_others_run();
    });
}

TEST(BroadcastDeathTest, destroying_it_under_a_subscription_is_caught) {
    EXPECT_DEATH(run_to_death(destroy_under_a_subscription), "subscriptions_");
}

TEST(BroadcastDeathTest, two_tasks_that_share_a_subscription_are_caught) {
    EXPECT_DEATH(run_to_death(share_a_subscription), "receiving_");
}

}  // namespace
}  // namespace ringlet
