// The words of a line, as resolv.conf and hosts have them: with blanks and tabs between.
#pragma once

#include <string_view>

namespace ringlet::dns {

// Takes the next word from the front of `text`; empty if there is none.
inline std::string_view take_word(std::string_view& text) {
    constexpr std::string_view blank = " \t\r\v\f";
    const std::size_t start = text.find_first_not_of(blank);
    text.remove_prefix(start == text.npos ? text.size() : start);
    const std::string_view word = text.substr(0, text.find_first_of(blank));
    text.remove_prefix(word.size());
    return word;
}

}  // namespace ringlet::dns
