// The timer queue: an intrusive pairing heap, ordered by deadline.
//
// A node lives in whoever waits. Adding is O(1), removing O(log n) amortised; neither allocates.
// A removed inner node is replaced in place by the heap of its children, so it need not know its
// queue. Nodes of one deadline expire in no promised order.
//
// A node whose deadline is a span from now can be added without asking what time it is: it waits in
// a list of newcomers until settle() knows. Most time limits are taken back before they expire.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/panic.hpp>

#include <utility>

namespace ringlet {

class TimerNode {
public:
    TimerNode() = default;
    TimerNode(const TimerNode&) = delete;
    TimerNode& operator=(const TimerNode&) = delete;
    ~TimerNode() { RINGLET_ASSERT(!is_armed()); }

    bool is_armed() const { return slot_ != nullptr; }
    Instant deadline() const { return deadline_; }

    // Leaves its queue; harmless if in none.
    void disarm() {
        if (!is_armed()) return;
        --armed_;
        TimerNode* heir = merge_siblings(std::exchange(child_, nullptr));
        if (heir == nullptr) heir = std::exchange(sibling_, nullptr);
        else heir->attach_sibling(std::exchange(sibling_, nullptr));
        *slot_ = heir;
        if (heir != nullptr) heir->slot_ = slot_;
        slot_ = nullptr;
    }

private:
    friend class TimerQueue;

    void attach_sibling(TimerNode* sibling) {
        sibling_ = sibling;
        if (sibling != nullptr) sibling->slot_ = &sibling_;
    }

    // Two heaps become one; both without siblings. Sets no slot of the winner.
    static TimerNode* merge(TimerNode* a, TimerNode* b) {
        if (b->deadline_ < a->deadline_) std::swap(a, b);
        b->attach_sibling(a->child_);
        a->child_ = b;
        b->slot_ = &a->child_;
        return a;
    }

    // The two passes of a pairing heap, without recursion: pairs from the left, then into one from
    // the right.
    static TimerNode* merge_siblings(TimerNode* first) {
        TimerNode* pairs = nullptr;
        while (first != nullptr) {
            TimerNode* a = first;
            TimerNode* b = std::exchange(a->sibling_, nullptr);
            first = b != nullptr ? std::exchange(b->sibling_, nullptr) : nullptr;
            TimerNode* pair = b != nullptr ? merge(a, b) : a;
            pair->sibling_ = std::exchange(pairs, pair);
        }
        TimerNode* heap = nullptr;
        while (pairs != nullptr) {
            TimerNode* pair = pairs;
            pairs = std::exchange(pair->sibling_, nullptr);
            heap = heap != nullptr ? merge(heap, pair) : pair;
        }
        return heap;
    }

    Instant deadline_ = 0;  // of a newcomer: its span
    TimerNode* child_ = nullptr;
    TimerNode* sibling_ = nullptr;
    TimerNode** slot_ = nullptr;  // what points here: root, newcomers, child_ or sibling_

    // Of all queues, since a node does not know its own; there is one run at a time.
    static inline constinit unsigned armed_ = 0;
    static inline constinit unsigned armed_max_ = 0;
};

class TimerQueue {
public:
    TimerQueue() = default;
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    bool empty() const { return root_ == nullptr && newcomers_ == nullptr; }

    // The earliest deadline; `never` if empty. After settle().
    Instant next() const {
        RINGLET_ASSERT(newcomers_ == nullptr);
        return root_ == nullptr ? never : root_->deadline_;
    }

    // The node must not be armed, and must be disarmed before it dies.
    void add(TimerNode& node, Instant deadline) {
        RINGLET_ASSERT(!node.is_armed());
        note_armed();
        insert(node, deadline);
    }

    // The same, with a deadline of `span` after the next settle().
    void add_after(TimerNode& node, Nanoseconds span) {
        RINGLET_ASSERT(!node.is_armed());
        note_armed();
        node.deadline_ = span.count();
        node.attach_sibling(newcomers_);
        newcomers_ = &node;
        node.slot_ = &newcomers_;
    }

    // It is `now`: newcomers get their deadlines.
    void settle(Instant now) {
        for (TimerNode* node = std::exchange(newcomers_, nullptr); node != nullptr;) {
            TimerNode* const next = std::exchange(node->sibling_, nullptr);
            insert(*node, later(now, Nanoseconds(node->deadline_)));
            node = next;
        }
    }

    // Takes out the earliest node whose deadline is not after `now`; null if none is due.
    TimerNode* take_due(Instant now) {
        if (next() > now || empty()) return nullptr;
        TimerNode* due = root_;
        due->disarm();
        return due;
    }

    // Whether a node is armed in any queue.
    static bool any_armed() { return TimerNode::armed_ > 0; }
    // Nodes armed at once, at most, since restart_count(), in all queues together.
    static unsigned armed_max() { return TimerNode::armed_max_; }
    static void restart_count() { TimerNode::armed_max_ = TimerNode::armed_; }

private:
    static void note_armed() {
        if (++TimerNode::armed_ > TimerNode::armed_max_) TimerNode::armed_max_ = TimerNode::armed_;
    }
    void insert(TimerNode& node, Instant deadline) {
        node.deadline_ = deadline;
        root_ = root_ == nullptr ? &node : TimerNode::merge(root_, &node);
        root_->slot_ = &root_;
    }

    TimerNode* root_ = nullptr;
    TimerNode* newcomers_ = nullptr;
};

}  // namespace ringlet
