// Text as bytes, and bytes as text: streams carry bytes, programs often mean text.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ringlet {

// The same memory, seen as bytes; valid as long as the text is.
inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

// The same memory, seen as text; valid as long as the bytes are.
inline std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ringlet
