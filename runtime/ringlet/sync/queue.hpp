// Queue: a bounded first-in-first-out queue between tasks.
//
//   put ----> [ items, at most N ] ----> get
//   line of putters                      line of getters
//
// Three things hold whenever a task runs, restored by settle() after each change:
//   putters stand in line only while the queue is full;
//   getters stand in line only while every item is `granted`: promised to a woken getter that has
//     not taken it yet (which item it will be shows when it runs: the oldest then);
//   after close() no putter stands in line, and no getter once the queue is empty.
// A getter that is cancelled before it takes its item gives the promise back. A putter's item is
// taken out of its hands for good: that put has happened.
#pragma once

#include <ringlet/base/ring_buffer.hpp>
#include <ringlet/sync/waiter.hpp>
#include <ringlet/task/gcc_traps.hpp>

#include <concepts>
#include <optional>

namespace ringlet {

// What offer() does when the queue is full.
enum class Overflow : std::uint8_t {
    reject,       // the new item is not taken
    drop_oldest,  // the item at the front is destroyed
};

template <class T, std::size_t N>
class Queue {
    struct Getting;
    struct Putting;
    struct Joining;

public:
    class Get;
    class Put;
    class Join;

    // Holds at most `limit` items, from 1 to N. Asserts on destruction that nobody waits, nor was
    // promised an item.
    explicit Queue(std::size_t limit = N) : limit_(limit) {
        RINGLET_ASSERT(limit >= 1 && limit <= N);
    }
    ~Queue() { RINGLET_ASSERT(granted_ == 0); }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    // Waits while the queue is full, then appends the item. The item stays the caller's until then,
    // and must live as long as the await: a temporary in the same expression does.
    // Fails with broken_pipe (RuntimeDetail::closed), the item untouched, once the queue is closed.
    //
    // Cancellation: the item is not put, and is not moved from. A put that had got its place by
    // then has happened: the next co_await unwinds.
    Put put(T&& item) {
        static_assert(safe_in_co_await<T>, RINGLET_GIVE_IT_A_CONSTRUCTOR);
        return Put(*this, item, true);
    }
    Put put(const T& item)
        requires std::copy_constructible<T>
    {
        return Put(*this, item, false);
    }

    // Waits for an item and takes it. Empty once the queue is closed and drained.
    //
    // Cancellation: takes no item; one that was promised goes to the next in line.
    Get get() { return Get(*this); }

    // Waits until task_done() was called for every item that was put. At once if there is none.
    //
    // Cancellation: unwinds at once; nothing is left behind.
    Join join() { return Join(*this); }

    // Appends the item if there is room. If not, or once closed: false, the item untouched.
    bool try_put(T&& item) { return append(std::move(item)); }
    bool try_put(const T& item)
        requires std::copy_constructible<T>
    {
        return append(item);
    }

    // Takes an item if one is there that nobody was promised. Empty does not tell why.
    std::optional<T> try_get() {
        if (items_.size() == granted_) return std::nullopt;
        return take();
    }

    // Never waits: for producers that cannot, such as a driver's callback. False if the item was
    // not taken. Dropping makes room past the putters in line, which go on waiting.
    bool offer(T&& item, Overflow policy) { return offer_item(std::move(item), policy); }
    bool offer(const T& item, Overflow policy)
        requires std::copy_constructible<T>
    {
        return offer_item(item, policy);
    }

    // An item that was got has been dealt with. Once for each, and asserted to be no more.
    void task_done() {
        RINGLET_ASSERT(unfinished_ > items_.size());
        one_finished();
    }

    // No more puts: those that wait, and later ones, fail. Getters take what is left, then end.
    void close() {
        closed_ = true;
        while (Putting* first = putters_.pop_front()) first->fail(closed_error);
        settle();
    }
    bool is_closed() const { return closed_; }

    std::size_t size() const { return items_.size(); }
    std::size_t capacity() const { return limit_; }
    // Most items held at once so far.
    std::size_t high_water() const { return high_water_; }
    // Items put, not yet marked done.
    std::size_t unfinished() const { return unfinished_; }
    // Items that offer() refused, being full or closed; items it dropped to make room.
    std::uint64_t rejected() const { return rejected_; }
    std::uint64_t dropped() const { return dropped_; }

private:
    bool is_full() const { return items_.size() == limit_; }

    template <class U>
    bool append(U&& item) {
        if (closed_ || is_full()) return false;
        push(std::forward<U>(item));
        serve_getters();
        return true;
    }

    template <class U>
    bool offer_item(U&& item, Overflow policy) {
        if (append(std::forward<U>(item))) return true;
        if (closed_ || policy == Overflow::reject) {
            ++rejected_;
            return false;
        }
        ++dropped_;
        // Destroyed last, when the queue is whole again: a destructor may use it.
        [[maybe_unused]] const T oldest = items_.pop_front();
        push(std::forward<U>(item));
        one_finished();
        return true;
    }

    template <class U>
    void push(U&& item) {
        items_.push_back(std::forward<U>(item));
        ++unfinished_;
        if (items_.size() > high_water_) high_water_ = items_.size();
    }

    T take() {
        T item = items_.pop_front();
        if (!putters_.empty() || !getters_.empty()) settle();
        return item;
    }

    void one_finished() {
        if (--unfinished_ == 0) wake_all(joiners_);
    }

    // After a push into a queue that was not full: no putter stands in line.
    void serve_getters() {
        if (!getters_.empty()) settle();
    }

    [[gnu::noinline]] void settle() {
        while (!putters_.empty() && !is_full()) {
            Putting& first = *putters_.pop_front();
            first.put.push_item();
            first.wake();
        }
        while (!getters_.empty() && items_.size() > granted_) {
            ++granted_;
            Getting& first = *getters_.pop_front();
            first.state = Getting::State::promised;
            first.wake();
        }
        if (!closed_ || !items_.empty()) return;
        while (Getting* first = getters_.pop_front()) {
            first->state = Getting::State::ended;
            first->wake();
        }
    }

    struct Getting : Waiter {
        static constexpr const char* reason = "queue.get";
        enum class State : std::uint8_t {
            asks,      // in line, or about to take an item at once
            promised,  // woken for an item
            ended,     // woken to hear that nothing will come any more
        };

        Getting(const PendingHooks& kind, TaskBlock* waiter, Get& what)
            : Waiter(kind, waiter), queue(what.queue_) {}
        bool try_now() {
            if (queue.items_.size() > queue.granted_) return true;
            if (!queue.closed_ || !queue.items_.empty()) return false;
            state = State::ended;
            return true;
        }
        void start() {
            queue.getters_.push_back(*this);
            queue.settle();
        }
        std::optional<T> value() {
            if (state == State::ended) return std::nullopt;
            if (state == State::promised) --queue.granted_;
            return queue.take();
        }
        static constexpr auto cancel = leave_line;
        static void revoke(Pending& pending) {
            auto& self = static_cast<Getting&>(pending);
            if (self.state == State::ended) return;
            --self.queue.granted_;
            self.queue.settle();
        }

        Queue& queue;
        State state = State::asks;
    };

    struct Putting : Waiter {
        static constexpr const char* reason = "queue.put";

        Putting(const PendingHooks& kind, TaskBlock* waiter, Put& what)
            : Waiter(kind, waiter), put(what) {}
        bool try_now() {
            if (put.queue_.closed_ || put.queue_.is_full()) return false;
            put.push_item();
            put.queue_.serve_getters();
            return true;
        }
        void start() {
            if (put.queue_.closed_) return this->fail(closed_error);
            put.queue_.putters_.push_back(*this);
            put.queue_.settle();
        }
        void value() {}
        static constexpr auto cancel = leave_line;
        static constexpr void (*revoke)(Pending&) = nullptr;

        Put& put;
    };

    struct Joining : Waiter {
        static constexpr const char* reason = "queue.join";

        Joining(const PendingHooks& kind, TaskBlock* waiter, Join& what)
            : Waiter(kind, waiter), queue(what.queue_) {}
        bool try_now() { return queue.unfinished_ == 0; }
        void start() { try_now() ? this->wake() : queue.joiners_.push_back(*this); }
        void value() {}
        static constexpr auto cancel = leave_line;
        static constexpr auto revoke = give_nothing_back;

        Queue& queue;
    };

    RingBuffer<T, N> items_;
    IntrusiveList<Getting> getters_;
    IntrusiveList<Putting> putters_;
    IntrusiveList<Joining> joiners_;
    std::size_t limit_;
    std::size_t granted_ = 0;
    std::size_t high_water_ = 0;
    std::size_t unfinished_ = 0;
    std::uint64_t rejected_ = 0;
    std::uint64_t dropped_ = 0;
    bool closed_ = false;
};

template <class T, std::size_t N>
class [[nodiscard]] Queue<T, N>::Get {
public:
    using Value = std::optional<T>;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Getting, Value, catches>;

private:
    friend class Queue;
    explicit Get(Queue& queue) : queue_(queue) {}

    Queue& queue_;
};

template <class T, std::size_t N>
class [[nodiscard]] Queue<T, N>::Put {
public:
    using Value = void;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Putting, void, catches>;

private:
    friend class Queue;
    // `moves`: the item came as an rvalue.
    Put(Queue& queue, const T& item, bool moves) : queue_(queue), item_(item), moves_(moves) {}

    void push_item() {
        if constexpr (std::copy_constructible<T>) {
            if (!moves_) return queue_.push(item_);
        }
        queue_.push(std::move(const_cast<T&>(item_)));
    }

    Queue& queue_;
    const T& item_;
    bool moves_;
};

template <class T, std::size_t N>
class [[nodiscard]] Queue<T, N>::Join {
public:
    using Value = void;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Joining, void, catches>;

private:
    friend class Queue;
    explicit Join(Queue& queue) : queue_(queue) {}

    Queue& queue_;
};

}  // namespace ringlet
