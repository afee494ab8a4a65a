// The log: lines for standard error that never make the loop wait.
//
//   log::warning("sensor %s: %s", name, text(error));      ->  "warning: sensor 3: timed out\n"
//
// Where the lines go:
//
//          attach()                 A line becomes bytes in a fixed ring of buffer_bytes. The loop
//   direct --------> buffered       writes them out when it likes: pending(), write, consume().
//          <--------                direct: no loop runs, so a line is written at once, and blocks.
//          detach()                 detach() writes what the loop has left behind.
//
// A line that does not fit is dropped and counted; when room is back, one line says how many.
// Nothing here allocates or fails. One thread only, the loop's: other threads post to the loop.
#pragma once

#include <ringlet/base/units.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringlet::log {

// What buffered lines may take, in bytes.
inline constexpr std::size_t buffer_bytes = 8_KiB;

// The longest line with its level, prefix and newline, in bytes. A longer one is cut, and ends in
// truncation_mark.
inline constexpr std::size_t line_bytes_max = 512;
inline constexpr std::string_view truncation_mark = "[...]";

enum class Level : std::uint8_t { error, warning, info, debug };

// A line each, formatted as by printf. Control characters in it become '?', so that text from
// outside cannot forge a line. errno keeps its value.
[[gnu::format(printf, 1, 2)]] void error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void info(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void debug(const char* format, ...);

// The least important level that is still logged. At first: info.
void set_threshold(Level least);
bool is_enabled(Level level);

// Puts the journal's priority before each line, as in "<4>warning: ...". At first: off.
void set_journal_prefix(bool on);

// Lines dropped since the process began.
std::uint64_t lost();

// For the loop.

// From direct to buffered, and back. Each asserts that it changes something. The view that
// pending() gave must be out of the kernel's hands before detach().
void attach();
void detach();

// The oldest bytes, as many as lie in one piece; empty if there are none. They stay where they are
// until consumed, so a write of them can be in flight while more lines are logged.
std::string_view pending();

// Frees the oldest `count` bytes. That may add the line about lost messages, without a wake: look
// at pending() again.
void consume(std::size_t count);

// Whom to call when the buffer was empty and no longer is; null for nobody. Called inside the
// logging call, and at once if bytes are pending already. Must not log.
void set_wake(void (*wake)(void*), void* context);

}  // namespace ringlet::log
