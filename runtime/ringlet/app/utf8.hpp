// The few questions that text in UTF-8 raises here.
#pragma once

#include <cstddef>
#include <string_view>

namespace ringlet {

// ASCII's control characters.
constexpr bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

// A byte that goes on with a character which began before it.
constexpr bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// How many bytes the character at the front of `text` has; 0 if it is no valid UTF-8 (overlong
// forms, surrogates and code points over 0x10FFFF are not), or if there is none.
constexpr std::size_t utf8_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto in = [&](std::size_t at, unsigned low, unsigned high) {
        return at < text.size() && byte(at) >= low && byte(at) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return in(1, 0x80, 0xBF) ? 2 : 0;
    if (lead < 0xF0) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;
        return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (lead < 0xF5) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
        return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

// Characters in `text`, which stand for the columns that it takes.
constexpr std::size_t utf8_count(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += is_continuation(c) ? 0 : 1;
    return count;
}

// The size of the longest beginning of `text` with at most `bytes` bytes that halves no character.
constexpr std::size_t utf8_cut(std::string_view text, std::size_t bytes) {
    if (bytes >= text.size()) return text.size();
    std::size_t at = bytes;
    while (at > 0 && is_continuation(text[at])) --at;
    // No character has more than four bytes: what else looks so is not UTF-8, and is cut anywhere.
    return bytes - at < 4 ? at : bytes;
}

// The beginning of `text` that has at most `columns` characters.
constexpr std::string_view utf8_first(std::string_view text, std::size_t columns) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (is_continuation(text[at])) continue;
        if (columns == 0) break;
        --columns;
    }
    return text.substr(0, at);
}

}  // namespace ringlet
