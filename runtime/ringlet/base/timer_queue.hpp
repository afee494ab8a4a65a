// The timer queue: an intrusive pairing heap, ordered by deadline.
//
// A node lives in whoever waits. Adding is O(1), removing O(log n) amortised; neither allocates.
// A removed inner node is replaced in place by the heap of its children, so it need not know its
// queue. Nodes of one deadline expire in no promised order.
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

    Instant deadline_ = 0;
    TimerNode* child_ = nullptr;
    TimerNode* sibling_ = nullptr;
    TimerNode** slot_ = nullptr;  // the pointer that points here: root, child_ or sibling_
};

class TimerQueue {
public:
    TimerQueue() = default;
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    bool empty() const { return root_ == nullptr; }

    // The earliest deadline; `never` if empty.
    Instant next() const { return root_ == nullptr ? never : root_->deadline_; }

    // The node must not be armed, and must be disarmed before it dies.
    void add(TimerNode& node, Instant deadline) {
        RINGLET_ASSERT(!node.is_armed());
        node.deadline_ = deadline;
        root_ = root_ == nullptr ? &node : TimerNode::merge(root_, &node);
        root_->slot_ = &root_;
    }

    // Takes out the earliest node whose deadline is not after `now`; null if none is due.
    TimerNode* take_due(Instant now) {
        if (next() > now || empty()) return nullptr;
        TimerNode* due = root_;
        due->disarm();
        return due;
    }

private:
    TimerNode* root_ = nullptr;
};

}  // namespace ringlet
