#include <ringlet/base/timer_queue.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <vector>

namespace ringlet {
namespace {

// A node that disarms itself in the end, as an awaiter's destructor does.
struct Node : TimerNode {
    ~Node() { disarm(); }
};

std::vector<Instant> deadlines_in_order(TimerQueue& queue) {
    std::vector<Instant> order;
    while (TimerNode* due = queue.take_due(never)) order.push_back(due->deadline());
    return order;
}

TEST(TimerQueue, an_empty_queue_is_never_due) {
    TimerQueue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.next(), never);
    EXPECT_EQ(queue.take_due(never), nullptr);
}

TEST(TimerQueue, takes_the_earliest_first) {
    TimerQueue queue;
    Node nodes[5];
    const Instant deadlines[] = {30, 10, 50, 20, 40};
    for (int i = 0; i < 5; ++i) queue.add(nodes[i], deadlines[i]);
    EXPECT_EQ(queue.next(), 10);
    EXPECT_EQ(deadlines_in_order(queue), (std::vector<Instant>{10, 20, 30, 40, 50}));
    EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, takes_nothing_before_its_deadline_and_all_at_it) {
    TimerQueue queue;
    Node node;
    queue.add(node, 100);
    EXPECT_EQ(queue.take_due(99), nullptr);
    EXPECT_TRUE(node.is_armed());
    EXPECT_EQ(queue.take_due(100), &node);
    EXPECT_FALSE(node.is_armed());
    EXPECT_EQ(queue.take_due(100), nullptr);
}

TEST(TimerQueue, counts_the_nodes_armed_at_once_at_most) {
    TimerQueue queue;
    TimerQueue other;
    Node nodes[4];
    TimerQueue::restart_count();
    EXPECT_EQ(TimerQueue::armed_max(), 0u);
    queue.add(nodes[0], 1);
    queue.add(nodes[1], 2);
    other.add(nodes[2], 3);
    nodes[1].disarm();
    nodes[1].disarm();
    EXPECT_EQ(queue.take_due(5), &nodes[0]);
    queue.add(nodes[3], 4);
    EXPECT_EQ(TimerQueue::armed_max(), 3u);
    TimerQueue::restart_count();
    EXPECT_EQ(TimerQueue::armed_max(), 2u);
    for (Node& node : nodes) node.disarm();
    TimerQueue::restart_count();
    EXPECT_EQ(TimerQueue::armed_max(), 0u);
}

TEST(TimerQueue, equal_deadlines_all_expire_once) {
    TimerQueue queue;
    std::deque<Node> nodes(100);
    for (Node& node : nodes) queue.add(node, 7);
    std::set<TimerNode*> taken;
    while (TimerNode* due = queue.take_due(7)) EXPECT_TRUE(taken.insert(due).second);
    EXPECT_EQ(taken.size(), nodes.size());
}

TEST(TimerQueue, a_disarmed_root_leaves_the_others) {
    TimerQueue queue;
    std::deque<Node> nodes(9);
    for (int i = 0; i < 9; ++i) queue.add(nodes[static_cast<std::size_t>(i)], 10 * i);
    nodes[0].disarm();
    EXPECT_EQ(queue.next(), 10);
    EXPECT_EQ(deadlines_in_order(queue), (std::vector<Instant>{10, 20, 30, 40, 50, 60, 70, 80}));
}

// Each shape of heap that six nodes can have, and each node of it once.
TEST(TimerQueue, any_node_may_leave_from_anywhere) {
    constexpr int count = 6;
    for (int seed = 0; seed < 200; ++seed) {
        for (int leaver = 0; leaver < count; ++leaver) {
            std::minstd_rand random(static_cast<unsigned>(seed) + 1);
            TimerQueue queue;
            std::deque<Node> nodes(count);
            Node first;
            queue.add(first, -1);
            std::multiset<Instant> expected;
            for (Node& node : nodes) {
                const auto deadline = static_cast<Instant>(random() % 4);
                queue.add(node, deadline);
                expected.insert(deadline);
            }
            queue.take_due(-1);  // gives the heap its shape
            Node& out = nodes[static_cast<std::size_t>(leaver)];
            expected.erase(expected.find(out.deadline()));
            out.disarm();
            EXPECT_FALSE(out.is_armed());
            EXPECT_EQ(deadlines_in_order(queue),
                      (std::vector<Instant>(expected.begin(), expected.end())));
        }
    }
}

TEST(TimerQueue, disarming_twice_is_harmless) {
    TimerQueue queue;
    Node node;
    node.disarm();
    queue.add(node, 1);
    node.disarm();
    node.disarm();
    EXPECT_TRUE(queue.empty());
    queue.add(node, 2);
    EXPECT_EQ(queue.next(), 2);
}

TEST(TimerQueue, takes_the_whole_range_of_instants) {
    TimerQueue queue;
    Node first, last, zero;
    constexpr Instant lowest = std::numeric_limits<Instant>::min();
    queue.add(last, never);
    queue.add(zero, 0);
    queue.add(first, lowest);
    EXPECT_EQ(queue.take_due(lowest), &first);
    EXPECT_EQ(queue.take_due(never - 1), &zero);
    EXPECT_EQ(queue.take_due(never - 1), nullptr);
    EXPECT_FALSE(queue.empty());
    EXPECT_EQ(queue.next(), never);
}

TEST(TimerQueue, a_long_list_of_children_needs_no_stack) {
    TimerQueue queue;
    Node root;
    queue.add(root, 0);
    std::deque<Node> nodes(200'000);
    for (Node& node : nodes) queue.add(node, 1);
    root.disarm();
    for (Node& node : nodes) node.disarm();
    EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, is_like_a_sorted_set_in_a_million_random_steps) {
    constexpr std::size_t count = 3000;
    constexpr int steps = 1'000'000;
    std::mt19937_64 random(20'260'101);
    TimerQueue queue;
    std::deque<Node> nodes(count);
    std::multiset<std::pair<Instant, const TimerNode*>> model;
    Instant now = 0;
    int expired = 0, removed = 0;
    for (int step = 0; step < steps; ++step) {
        Node& node = nodes[static_cast<std::size_t>(random() % count)];
        switch (random() % 8) {
            case 0: {  // time passes, and what is due is taken
                now += static_cast<Instant>(random() % 40);
                while (TimerNode* due = queue.take_due(now)) {
                    ASSERT_FALSE(model.empty());
                    ASSERT_EQ(due->deadline(), model.begin()->first);
                    ASSERT_EQ(model.erase({due->deadline(), due}), 1u);
                    ++expired;
                }
                ASSERT_TRUE(model.empty() || model.begin()->first > now);
                break;
            }
            case 1:
            case 2:
            case 3:
                ASSERT_EQ(node.is_armed(), model.erase({node.deadline(), &node}) == 1);
                removed += node.is_armed() ? 1 : 0;
                node.disarm();
                break;
            default:
                if (node.is_armed()) break;
                // Coarse, so that many are equal.
                const Instant deadline = now + static_cast<Instant>(random() % 64) * 32;
                queue.add(node, deadline);
                model.insert({deadline, &node});
        }
        ASSERT_EQ(queue.next(), model.empty() ? never : model.begin()->first);
        ASSERT_EQ(queue.empty(), model.empty());
    }
    EXPECT_GT(expired, 10'000);
    EXPECT_GT(removed, 10'000);
}

TEST(TimerQueueDeathTest, an_armed_node_must_not_be_added_again) {
    EXPECT_DEATH(
        {
            TimerQueue queue;
            Node node;
            queue.add(node, 1);
            queue.add(node, 2);
        },
        "assertion failed");
}

TEST(TimerQueueDeathTest, an_armed_node_must_not_die) {
    EXPECT_DEATH(
        {
            TimerQueue queue;
            TimerNode node;
            queue.add(node, 1);
        },
        "assertion failed");
}

}  // namespace
}  // namespace ringlet
