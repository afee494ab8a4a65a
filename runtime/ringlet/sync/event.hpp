// Event: a flag that tasks wait for.
#pragma once

#include <ringlet/sync/waiter.hpp>

namespace ringlet {

class Event {
    struct Waiting;

public:
    class [[nodiscard]] Wait {
    public:
        using Value = void;
        static constexpr bool is_leaf = true;
        template <bool catches>
        using Awaiter = LineAwaiter<Waiting, void, catches>;

        explicit Wait(Event& event) : event_(event) {}

    private:
        friend struct Waiting;
        Event& event_;
    };

    // Asserts on destruction that nobody waits.
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    // Wakes all that wait; from now on nobody does, until clear().
    void set() {
        set_ = true;
        wake_all(line_);
    }
    void clear() { set_ = false; }
    bool is_set() const { return set_; }

    // Waits until the event is set. Whom set() has woken goes on, also if clear() came since.
    //
    // Cancellation: unwinds at once; nothing is left behind.
    Wait wait() { return Wait(*this); }

private:
    struct Waiting : Waiter {
        static constexpr const char* reason = "event.wait";
        static constexpr auto cancel = leave_line;
        static constexpr auto revoke = give_nothing_back;

        Waiting(const PendingHooks& kind, TaskBlock* waiter, Wait& what)
            : Waiter(kind, waiter), event(what.event_) {}
        bool try_now() { return event.set_; }
        void start() { event.set_ ? wake() : event.line_.push_back(*this); }
        void value() {}

        Event& event;
    };

    IntrusiveList<Waiting> line_;
    bool set_ = false;
};

}  // namespace ringlet
