// Strict syntax of JSON (RFC 8259), checked before cJSON builds its tree.
//
// cJSON is lenient (01, raw newlines in strings, invalid UTF-8, any control character as space) and
// some of its versions read past the end of malformed text. What has passed here is well-formed, so
// cJSON meets only the paths that are sound, and can fail only for want of memory.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ringlet {

// Arrays and objects inside one another, the outermost counted. Bounds cJSON's recursion.
inline constexpr std::size_t json_nesting_max = 32;
// Characters of one number. cJSON before 1.7.18 silently splits longer ones.
inline constexpr std::size_t json_number_bytes_max = 63;

struct JsonFault {
    std::size_t offset;  // into the text, in bytes; its size if it ends too early
    const char* words;   // what is wrong there. Static.
    bool is_nesting;     // well-formed so far, but json_nesting_max is exceeded
};

// The first fault of `text`, which is one value with white space around it. No byte order mark.
std::optional<JsonFault> find_json_fault(std::string_view text);

}  // namespace ringlet
