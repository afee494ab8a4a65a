// Clocks and points on them, in nanoseconds.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>

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
template <std::integral Rep, class Period>
constexpr Nanoseconds to_nanoseconds(std::chrono::duration<Rep, Period> span) {
    using Factor = std::ratio_divide<Period, std::nano>;
    std::int64_t scaled = 0;
    if (__builtin_mul_overflow(span.count(), std::int64_t{Factor::num}, &scaled)) {
        return span.count() < 0 ? Nanoseconds::min() : Nanoseconds::max();
    }
    const std::int64_t whole = scaled / Factor::den;  // towards zero: up, if negative
    return Nanoseconds(scaled % Factor::den > 0 ? whole + 1 : whole);
}
template <std::floating_point Rep, class Period>
constexpr Nanoseconds to_nanoseconds(std::chrono::duration<Rep, Period> span) {
    using Wide = std::chrono::duration<Rep, std::nano>;
    if (Wide(span) >= Wide(Nanoseconds::max())) return Nanoseconds::max();
    if (Wide(span) <= Wide(Nanoseconds::min())) return Nanoseconds::min();
    return std::chrono::ceil<Nanoseconds>(span);
}
constexpr Nanoseconds to_nanoseconds(Nanoseconds span) {
    return span;
}

}  // namespace ringlet
