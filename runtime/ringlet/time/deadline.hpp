// Deadline: a point in time, on a clock, until which something may take.
#pragma once

#include <ringlet/task/scheduler.hpp>

namespace ringlet {

// Monotonic by default. A boot-time deadline counts the time that the board is suspended, too.
class Deadline {
public:
    constexpr Deadline(Clock clock, Instant at) : at_(at), clock_(clock) {}

    // `span` from now. A negative span is a deadline that has passed; a huge one never comes.
    template <class Rep, class Period>
    static Deadline after(std::chrono::duration<Rep, Period> span,
                          Clock clock = Clock::monotonic) {
        RINGLET_ASSERT(current_scheduler != nullptr);  // time is the running loop's
        return {clock, later(scheduler().now(clock), to_nanoseconds(span))};
    }
    static constexpr Deadline none() { return {Clock::monotonic, never}; }

    constexpr Clock clock() const { return clock_; }
    // Nanoseconds on the clock.
    constexpr Instant at() const { return at_; }
    // What is left of it; zero once it has passed.
    Nanoseconds left() const {
        const Instant now = scheduler().now(clock_);
        return Nanoseconds(at_ > now ? at_ - now : 0);
    }
    bool has_passed() const { return scheduler().now(clock_) >= at_; }

private:
    Instant at_;
    Clock clock_;
};

// How late a wake-up may be, so that several can share one. Deadlines are moved up to the next
// multiple of the slack: never early, late by less than the slack.
class Slack {
public:
    constexpr Slack() = default;
    template <class Rep, class Period>
    constexpr explicit Slack(std::chrono::duration<Rep, Period> span)
        : grid_(to_nanoseconds(span).count()) {}

    constexpr Instant apply(Instant deadline) const {
        if (grid_ <= 1 || deadline <= 0 || deadline > never - grid_) return deadline;
        return (deadline + grid_ - 1) / grid_ * grid_;
    }

private:
    Instant grid_ = 0;
};

}  // namespace ringlet
