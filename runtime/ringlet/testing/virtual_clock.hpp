// The three clocks of a simulated world. They move only when they are told to.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/panic.hpp>

namespace ringlet::testing {

class VirtualClock {
public:
    Instant now(Clock clock = Clock::monotonic) const {
        switch (clock) {
            case Clock::monotonic: return monotonic_;
            case Clock::boottime: return monotonic_ + suspended_;
            case Clock::realtime: return monotonic_ + realtime_offset_ + drifted();
        }
        return monotonic_;
    }

    // Time passes on all three.
    void advance_to(Instant monotonic) {
        RINGLET_ASSERT(monotonic >= monotonic_ && monotonic != never);
        monotonic_ = monotonic;
    }

    // The board sleeps: boottime and wall-clock time go on, monotonic stands still.
    void suspend(Nanoseconds span) {
        RINGLET_ASSERT(span.count() >= 0);
        suspended_ += span.count();
        realtime_offset_ += span.count();
    }

    // Someone sets the wall clock, forwards or backwards.
    void jump_realtime(Nanoseconds span) { realtime_offset_ += span.count(); }

    // From now on the wall clock gains so many millionths on the monotonic one, or loses them. The
    // kernel's own limit is 500 (adjtimex(2)).
    void drift_realtime(int parts_per_million) {
        RINGLET_ASSERT(parts_per_million >= -million && parts_per_million <= million);
        realtime_offset_ += drifted();
        drift_since_ = monotonic_;
        drift_ = parts_per_million;
    }

private:
    static constexpr int million = 1'000'000;

    // In two parts, so that no product is too large for the years that the whole may take.
    Instant drifted() const {
        const Instant elapsed = monotonic_ - drift_since_;
        return elapsed / million * drift_ + elapsed % million * drift_ / million;
    }

    // Not 0, so that a forgotten instant is not mistaken for now.
    Instant monotonic_ = 1'000'000'000;
    Instant suspended_ = 0;
    Instant realtime_offset_ = 1'767'225'600'000'000'000;  // 2026-01-01 00:00 UTC
    Instant drift_since_ = 0;
    int drift_ = 0;  // millionths
};

}  // namespace ringlet::testing
