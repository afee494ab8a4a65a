// Broadcast: every subscriber sees each message, in order; sending never waits.
//
//   send --> [ the last N messages ]      each message knows how many have yet to read it, and
//               ^           ^             leaves when all have, or when the next needs its place
//          subscription  subscription     each subscription knows the number of its next message
//
// So memory is N messages, however many subscribe. One that falls back by more than N loses the
// oldest and can tell how many: missed().
#pragma once

#include <ringlet/base/ring_buffer.hpp>
#include <ringlet/sync/waiter.hpp>

#include <cstdint>
#include <optional>

namespace ringlet {

template <class T, std::size_t N>
class Broadcast {
    struct Receiving;

public:
    class Subscription;
    class Receive;

    // Asserts on destruction that no subscription is left.
    Broadcast() = default;
    ~Broadcast() { RINGLET_ASSERT(subscriptions_ == 0); }
    Broadcast(const Broadcast&) = delete;
    Broadcast& operator=(const Broadcast&) = delete;

    // From the next message on. It must not outlive the broadcast.
    Subscription subscribe() { return Subscription(*this); }

    // Gives the number of subscriptions that the message is for. Without any, or once closed, it is
    // gone.
    std::size_t send(T&& message) { return publish(std::move(message)); }
    std::size_t send(const T& message) { return publish(message); }

    // No more messages: subscribers read what is left, then end.
    void close() {
        closed_ = true;
        wake_all(receivers_);
    }
    bool is_closed() const { return closed_; }

    std::size_t subscriptions() const { return subscriptions_; }
    // Messages that somebody has yet to read.
    std::size_t size() const { return messages_.size(); }
    static constexpr std::size_t capacity() { return N; }
    // Most messages held at once so far.
    std::size_t high_water() const { return high_water_; }

private:
    struct Message {
        template <class U>
        Message(U&& what, std::size_t count) : value(std::forward<U>(what)), unread(count) {}
        T value;
        std::size_t unread;
    };

    template <class U>
    std::size_t publish(U&& message) {
        if (closed_ || subscriptions_ == 0) return 0;
        if (messages_.full()) messages_.drop_front();
        messages_.push_back(std::forward<U>(message), subscriptions_);
        ++next_;
        if (messages_.size() > high_water_) high_water_ = messages_.size();
        wake_all(receivers_);
        return subscriptions_;
    }

    // Messages are numbered from 0, in the order of sending.
    std::uint64_t oldest() const { return next_ - messages_.size(); }
    Message& numbered(std::uint64_t number) {
        return messages_[static_cast<std::size_t>(number - oldest())];
    }
    void forget_read() {
        while (!messages_.empty() && messages_[0].unread == 0) messages_.drop_front();
    }

    // One reader at a time has a subscription, and its messages stay until it has read them. So a
    // wake-up reserves nothing, and a cancelled receive has nothing to give back.
    struct Receiving : Waiter {
        static constexpr const char* reason = "broadcast.receive";

        Receiving(const PendingHooks& kind, TaskBlock* waiter, Receive& what)
            : Waiter(kind, waiter), from(what.from_) {}
        bool try_now() {
            RINGLET_ASSERT(!from.receiving_);  // two tasks share a subscription
            return from.has_news();
        }
        void start() {
            RINGLET_ASSERT(!from.receiving_);
            from.receiving_ = true;
            from.has_news() ? this->wake() : from.broadcast_.receivers_.push_back(*this);
        }
        std::optional<T> value() {
            from.receiving_ = false;
            return from.try_receive();
        }
        static void cancel(Pending& pending) {
            leave_line(pending);
            revoke(pending);
        }
        static void revoke(Pending& pending) {
            static_cast<Receiving&>(pending).from.receiving_ = false;
        }

        Subscription& from;
    };

    RingBuffer<Message, N> messages_;
    IntrusiveList<Receiving> receivers_;
    std::size_t subscriptions_ = 0;
    std::size_t high_water_ = 0;
    std::uint64_t next_ = 0;
    bool closed_ = false;
};

// What one subscriber has yet to read. Used by one task at a time.
template <class T, std::size_t N>
class [[nodiscard]] Broadcast<T, N>::Subscription {
public:
    explicit Subscription(Broadcast& broadcast) : broadcast_(broadcast), next_(broadcast.next_) {
        ++broadcast_.subscriptions_;
    }
    // Asserts that nobody waits with it.
    ~Subscription() {
        RINGLET_ASSERT(!receiving_);
        skip_lost();
        for (; next_ != broadcast_.next_; ++next_) --broadcast_.numbered(next_).unread;
        broadcast_.forget_read();
        --broadcast_.subscriptions_;
    }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    // Waits for the next message: a copy, but for the last to read it. Empty once the broadcast is
    // closed and all was read.
    //
    // Cancellation: takes no message.
    Receive receive() { return Receive(*this); }

    // The next message if it is there.
    std::optional<T> try_receive() {
        skip_lost();
        if (next_ == broadcast_.next_) return std::nullopt;
        Message& message = broadcast_.numbered(next_++);
        if (--message.unread > 0) return message.value;
        std::optional<T> last(std::move(message.value));
        broadcast_.forget_read();
        return last;
    }

    // Messages that were sent to this subscription and are lost to it, so far.
    std::uint64_t missed() const { return missed_ + lost(); }
    // Messages there to be read.
    std::size_t pending() const {
        return static_cast<std::size_t>(broadcast_.next_ - next_ - lost());
    }

private:
    friend class Broadcast;

    bool has_news() const { return next_ != broadcast_.next_ || broadcast_.closed_; }
    std::uint64_t lost() const {
        const std::uint64_t oldest = broadcast_.oldest();
        return oldest > next_ ? oldest - next_ : 0;
    }
    void skip_lost() {
        const std::uint64_t gone = lost();
        missed_ += gone;
        next_ += gone;
    }

    Broadcast& broadcast_;
    std::uint64_t next_;
    std::uint64_t missed_ = 0;
    bool receiving_ = false;
};

template <class T, std::size_t N>
class [[nodiscard]] Broadcast<T, N>::Receive {
public:
    using Value = std::optional<T>;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Receiving, Value, catches>;

private:
    friend class Broadcast;
    explicit Receive(Subscription& from) : from_(from) {}

    Subscription& from_;
};

}  // namespace ringlet
