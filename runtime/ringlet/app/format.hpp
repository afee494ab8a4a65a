// Durations and sizes as text: exactly, as parse_duration() and parse_size() read them back, or
// rounded, as a report shows them.
#pragma once

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/clock.hpp>

#include <cstdint>

namespace ringlet {

// "1.5h", "250us", "1234.567us": the largest unit that needs no more than three decimals.
void append_duration(TextBuffer& text, Nanoseconds duration);

// "64KiB", "10MB", "4097B": the largest unit that divides it, in powers of 1024 before 1000.
void append_size(TextBuffer& text, std::uint64_t bytes);

// "1.23ms", "12.3ms", "123ms", "2m": three digits at most, and no unit over d.
void append_duration_rounded(TextBuffer& text, Nanoseconds duration);

// "1.46MiB", "15.6KiB", "812B": three digits, four from 1000 to 1023.
void append_size_rounded(TextBuffer& text, std::uint64_t bytes);

}  // namespace ringlet
