// Waiter: a task that stands in line for something; what every awaitable of sync/ is made of.
//
//   1 start() joins the line; 2 whoever has something for it takes it from the line and wakes it:
//   from then on the thing is reserved, not taken; 3 the task runs, and value() takes it.
//
//     try_now() -------------------------------------+
//     start() --1--> in line --2--> granted --3--> value()
//                       |              |
//                    cancel()       revoke(): gives the reservation to the next in line
//
// So a task that is cancelled between 2 and 3 takes nothing with it. Where nothing is reserved
// (an event was set), revoke() has nothing to do, but must be there, or the wake-up would be final.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/task/awaiter.hpp>

namespace ringlet {

struct Waiter : Pending, ListLink<> {
    using Pending::Pending;

    void wake() { scheduler().finish(*block); }
    void fail(Error why) { scheduler().finish(*block, Outcome::error, why); }
    void end_cancelled() { scheduler().finish(*block, Outcome::cancelled); }

    // Hooks for waiters that nobody counts and that get nothing but the wake-up.
    static void leave_line(Pending& pending) {
        auto& self = static_cast<Waiter&>(pending);
        self.unlink();
        self.end_cancelled();
    }
    static void give_nothing_back(Pending&) {}
};

// Wakes all that stand in line now, first come first.
template <class W>
void wake_all(IntrusiveList<W>& line) {
    while (W* first = line.pop_front()) first->wake();
}

// The awaiter of a kind of waiter W, which has
//   W(const PendingHooks&, TaskBlock*, Description&)
//   bool try_now(), void start(), Value value()      as LeafAwaiter wants them
//   static constexpr const char* reason              for the await tree
//   static void cancel(Pending&), revoke(Pending&)   revoke may be a null pointer: final
template <class W, class Value, bool catches>
class LineAwaiter : public LeafAwaiter<LineAwaiter<W, Value, catches>, Value, catches, W> {
    using Base = LeafAwaiter<LineAwaiter<W, Value, catches>, Value, catches, W>;

public:
    template <class Description>
    LineAwaiter(Description& description, TaskBlock& waiter)
        : Base(hooks_, &waiter, description) {
        static_assert(sizeof(LineAwaiter) <= 6 * sizeof(void*));  // each co_await site holds one
    }

private:
    static constexpr PendingHooks hooks_{
        .reason = W::reason, .catches = catches, .cancel = W::cancel, .revoke = W::revoke};
};

// The error of a put into a closed queue and of a wait at an aborted barrier.
inline constexpr Error closed_error{std::errc::broken_pipe, RuntimeDetail::closed};

}  // namespace ringlet
