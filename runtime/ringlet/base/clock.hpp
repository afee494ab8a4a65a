// Clocks and points on them, in nanoseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace ringlet {

using Nanoseconds = std::chrono::nanoseconds;

enum class Clock : std::uint8_t {
    monotonic,  // CLOCK_MONOTONIC: stands still while the board is suspended
    boottime,   // CLOCK_BOOTTIME: counts suspension, too
    realtime,   // CLOCK_REALTIME: wall-clock time; jumps, so nothing waits on it
};

// Nanoseconds since the epoch of a clock.
using Instant = std::int64_t;
inline constexpr Instant never = std::numeric_limits<Instant>::max();

// `start + span`, held within the range of Instant: a span of centuries is "never".
constexpr Instant later(Instant start, Nanoseconds span) {
    Instant sum = 0;
    if (__builtin_add_overflow(start, Instant{span.count()}, &sum)) {
        return span.count() < 0 ? std::numeric_limits<Instant>::min() : never;
    }
    return sum;
}

// Any duration as nanoseconds, rounded up (a wait is never shorter than asked), and clamped.
template <class Rep, class Period>
constexpr Nanoseconds to_nanoseconds(std::chrono::duration<Rep, Period> span) {
    using Wide = std::chrono::duration<long double, std::nano>;
    if (Wide(span) >= Wide(Nanoseconds::max())) return Nanoseconds::max();
    if (Wide(span) <= Wide(Nanoseconds::min())) return Nanoseconds::min();
    return std::chrono::ceil<Nanoseconds>(span);
}
constexpr Nanoseconds to_nanoseconds(Nanoseconds span) {
    return span;
}

}  // namespace ringlet
