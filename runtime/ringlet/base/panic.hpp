// Assertions, which stay on in release builds, and the last words of a process that must not go on.
#pragma once

#include <string_view>

namespace ringlet {

// Writes to standard error at once, past the log. Blocks while its reader is slow, but gives up on
// one that takes nothing for a second. Only for last words, and for the log while no loop runs.
void emergency_write(std::string_view words);

// Says what broke and where, then aborts.
[[noreturn]] void panic(const char* what, const char* file, int line);

}  // namespace ringlet

// States an invariant of the runtime or a duty of its caller. A macro for the expression's text.
#define RINGLET_ASSERT(condition)                       \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : ::ringlet::panic(#condition, __FILE__, __LINE__))
