// The loop by hand, of those workloads that run on its ready list and its timers: what an engineer
// writes instead of coroutines. Whoever waits is a node with a function, and a state of its own.
//
// A turn runs what is ready. If nothing is, it waits in the ring for the next deadline; if
// something is, it looks at the ring and the clock once in 64 turns.
#pragma once

#include "bench.hpp"
#include "measure.hpp"
#include "ring.hpp"
#include "timers.hpp"

namespace limit {

struct Node {
    void (*run)(Node&) = nullptr;
    Node* next = nullptr;
};

// First in, first out.
class List {
public:
    bool empty() const { return first_ == nullptr; }
    void push(Node& node) {
        node.next = nullptr;
        *end_ = &node;
        end_ = &node.next;
    }
    Node& pop() {
        Node& node = *first_;
        first_ = node.next;
        if (first_ == nullptr) end_ = &first_;
        return node;
    }
    // All of it, linked by `next`.
    Node* take() {
        Node* const all = first_;
        first_ = nullptr;
        end_ = &first_;
        return all;
    }

private:
    Node* first_ = nullptr;
    Node** end_ = &first_;
};

// Runs when its deadline has passed.
struct Timer : TimerPlace {
    bench::Nanoseconds deadline = 0;
    Node* node = nullptr;
};

// Blocks of one type that never go back to the heap.
template <class T>
class FreeList {
public:
    T& take() {
        if (first_ == nullptr) return *new T;
        T& item = *first_;
        first_ = static_cast<T*>(item.next);
        return item;
    }
    void give_back(T& item) {
        item.next = first_;
        first_ = &item;
    }

private:
    T* first_ = nullptr;
};

class Loop {
public:
    Loop() : ring_(64) {}

    void ready(Node& node) { ready_.push(node); }

    // As of the last look at the clock.
    bench::Nanoseconds now() const { return now_; }
    void arm(Timer& timer, bench::Nanoseconds deadline) {
        timer.deadline = deadline;
        timers_.add(timer, deadline);
    }
    void disarm(Timer& timer) { timers_.remove(timer); }
    // By how much a timer may be late, to be woken with others.
    void set_slack(bench::Nanoseconds slack) { slack_ = slack; }

    void stop() { stopped_ = true; }
    [[gnu::noinline]] void run() {
        for (stopped_ = false; !stopped_;) turn();
    }

private:
    void turn() {
        for (Node* node = ready_.take(); node != nullptr;) {
            Node& current = *node;
            node = current.next;  // it may go onto a list again
            current.run(current);
        }
        if (stopped_) return;
        if (ready_.empty()) wait();
        else if (++turns_ % turns_between_looks == 0) look();
    }

    void look() {
        if (ring_.has_work()) {
            bench::Ring::check(::io_uring_submit_and_get_events(ring_.get()), "io_uring_enter");
        }
        entered();
    }

    void wait() {
        if (timers_.empty()) {
            ring_.wait();
            return entered();
        }
        const bench::Nanoseconds left = timers_.first() + slack_ - bench::now();
        if (left > 0) {
            __kernel_timespec limit{.tv_sec = left / 1'000'000'000,
                                    .tv_nsec = left % 1'000'000'000};
            io_uring_cqe* cqe = nullptr;
            ::io_uring_submit_and_wait_timeout(ring_.get(), &cqe, 1, &limit, nullptr);
        }
        entered();
    }

    void entered() {
        ring_.reap([this](const io_uring_cqe& cqe) {
            ready(*reinterpret_cast<Node*>(static_cast<std::uintptr_t>(cqe.user_data)));
        });
        now_ = bench::now();
        while (!timers_.empty() && timers_.first() <= now_) {
            ready(*static_cast<Timer&>(timers_.take_first()).node);
        }
    }

    static constexpr unsigned turns_between_looks = 64;

    bench::Ring ring_;
    List ready_;
    Timers timers_;
    bench::Nanoseconds now_ = bench::now();
    bench::Nanoseconds slack_ = 0;
    unsigned turns_ = 0;
    bool stopped_ = false;
};

inline Loop loop;

}  // namespace limit
