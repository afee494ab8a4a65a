// The line that tells a person at a terminal how far a program is:
//
//   fetch: 37/100 (37%), 12.3/s, 2 failed, 5s left
//
// Only formats: print what it returns to the terminal, at once. Where there is no terminal it
// returns nothing, so that a log file is not filled with it.
#pragma once

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace ringlet {

// Not more often than five times a second: a person reads no faster, and a serial console is slow.
inline constexpr Nanoseconds progress_interval_min = std::chrono::milliseconds{200};
// Wider terminals get a line of this many columns.
inline constexpr std::size_t progress_columns_max = 240;

struct ProgressNumbers {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0: not known
    std::uint64_t failed = 0;
    double per_second = 0;  // recent rate of `done`; 0 or not finite: not known
};

class ProgressLine {
public:
    // `label` is static text. `columns` is the terminal's width; 0 if there is no terminal.
    ProgressLine(std::string_view label, std::size_t columns) : label_(label), columns_(columns) {}

    // What to print now: replaces the line on the terminal. Empty if the last one is younger than
    // progress_interval_min. Valid until the next call. `now`: of a clock that does not jump.
    std::string_view update(Instant now, const ProgressNumbers& numbers);

    // What to print before any other output, and at the end: takes the line away. Empty if none
    // stands there. update() brings it back, but no sooner than it would have replaced it.
    std::string_view erase();

private:
    std::string_view label_;
    std::size_t columns_;
    Instant next_ = std::numeric_limits<Instant>::min();
    bool is_shown_ = false;
    FixedText<progress_columns_max * 4 + 16> text_;
};

}  // namespace ringlet
