// What the file of a URL's body is called: "000123-page.html".
#pragma once

#include <ringlet/app/text_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fetch {

// A number of any length, a hyphen, and the readable part.
inline constexpr std::size_t readable_bytes_max = 48;
inline constexpr std::size_t file_name_bytes_max = 20 + 1 + readable_bytes_max;

// Appends the name: the URL's place in the order, so that no two are alike, and the last part of
// its path, or its host. Whatever the URL says, there are only letters, digits, '.', '_' and '-'
// in it, and it begins with a digit.
void append_file_name(ringlet::TextBuffer& text, std::uint64_t number, std::string_view url);

}  // namespace fetch
