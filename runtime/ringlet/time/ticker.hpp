// Ticker: a fixed rhythm, without drift.
#pragma once

#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cstdint>

namespace ringlet {

// What becomes of ticks whose time passed while nobody waited for them.
enum class Missed : std::uint8_t {
    skip,     // counted and left out; the rhythm keeps its phase
    burst,    // made up for, one after the other, without waiting
    restart,  // counted and left out; the rhythm starts anew from now
};

// Ticks at start + n x period. `co_await ticker.tick()` waits for the next one.
class Ticker {
public:
    // period > 0. The first tick comes one period from now.
    template <class Rep, class Period>
    explicit Ticker(std::chrono::duration<Rep, Period> period, Missed policy = Missed::skip,
                    Clock clock = Clock::monotonic, Slack slack = {})
        : period_(to_nanoseconds(period).count()),
          next_(Deadline::after(period, clock).at()),
          slack_(slack),
          clock_(clock),
          policy_(policy) {
        RINGLET_ASSERT(period_ > 0);
    }

    // Waits for the next tick; one that is due already lets the others run once.
    //
    // Cancellation: unwinds at once; the tick that was waited for is skipped.
    Sleep tick() {
        const Instant now = scheduler().now(clock_);
        if (now - next_ >= period_ && policy_ != Missed::burst) {
            const Instant late = (now - next_) / period_;
            missed_ += static_cast<std::uint64_t>(late);
            next_ = policy_ == Missed::skip ? next_ + late * period_ : now;
        }
        const Deadline due(clock_, slack_.apply(next_));
        next_ = later(next_, Nanoseconds(period_));
        return Sleep(due);
    }

    // Ticks left out so far.
    std::uint64_t missed() const { return missed_; }

private:
    Instant period_;
    Instant next_;
    std::uint64_t missed_ = 0;
    Slack slack_;
    Clock clock_;
    Missed policy_;
};

}  // namespace ringlet
