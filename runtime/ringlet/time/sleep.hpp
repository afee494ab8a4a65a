// sleep: waits for a span of time, or until a deadline.
#pragma once

#include <ringlet/task/awaiter.hpp>
#include <ringlet/time/deadline.hpp>

namespace ringlet {

class [[nodiscard]] Sleep {
public:
    using Value = void;
    static constexpr bool is_leaf = true;

    explicit Sleep(Deadline deadline) : deadline_(deadline) {}

    template <bool catches>
    class Awaiter : public LeafAwaiter<Awaiter<catches>, void, catches, Timer> {
        using Base = LeafAwaiter<Awaiter<catches>, void, catches, Timer>;

    public:
        Awaiter(Sleep& sleep, TaskBlock& waiter) : Base(hooks, &waiter), sleep_(sleep) {}
        void start() { scheduler().arm(*this, sleep_.deadline_.clock(), sleep_.deadline_.at()); }
        void value() {}

    private:
        static void cancel(Pending& pending) {
            auto& self = static_cast<Awaiter&>(pending);
            self.disarm();
            scheduler().finish(*self.block, Outcome::cancelled);
        }
        static void expire(Pending& pending) { scheduler().finish(*pending.block); }

        static constexpr PendingHooks hooks{
            .reason = "sleep", .catches = catches, .cancel = cancel, .expire = expire};

        Sleep& sleep_;
    };

private:
    Deadline deadline_;
};

// Waits until the deadline. One that has passed still lets the others run once.
//
// Cancellation: unwinds at once; nothing is left behind.
inline Sleep sleep_until(Deadline deadline) {
    return Sleep(deadline);
}

// Waits for at least `span`; later by less than the slack. (Two, since with GCC 12 an argument that
// is left out takes a place in the frame.)
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> span) {
    return Sleep(Deadline::after(span));
}
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> span, Slack slack) {
    const Deadline deadline = Deadline::after(span);
    return Sleep(Deadline(Clock::monotonic, slack.apply(deadline.at())));
}

}  // namespace ringlet
