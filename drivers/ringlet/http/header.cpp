// Comparing and checking headers, and walking those that the parser has stored.
#include <ringlet/http/header.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace ringlet::http {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// token (RFC 9110, 5.6.2).
bool is_token_character(char c) {
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

bool is_value_character(char c) {
    const auto code = static_cast<unsigned char>(c);
    return (code >= 0x20 && code != 0x7f) || c == '\t';
}

}  // namespace

bool same_name(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, {}, lower, lower);
}

bool is_header_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, is_token_character);
}

bool is_header_value(std::string_view value) {
    return std::ranges::all_of(value, is_value_character);
}

Header Headers::Iterator::operator*() const {
    const std::size_t name_end = rest_.find('\0');
    const std::string_view value = rest_.substr(name_end + 1);
    return {rest_.substr(0, name_end), value.substr(0, value.find('\0'))};
}

Headers::Iterator& Headers::Iterator::operator++() {
    const Header header = **this;
    rest_.remove_prefix(header.name.size() + header.value.size() + 2);
    return *this;
}

std::chrono::seconds retry_after(std::optional<std::string_view> value,
                                 std::chrono::seconds most) {
    constexpr std::chrono::seconds nothing{0};
    if (!value || value->empty()) return nothing;
    if (value->find_first_not_of("0123456789") != value->npos) return nothing;
    std::uint32_t seconds = 0;
    const auto parsed = std::from_chars(value->data(), value->data() + value->size(), seconds);
    return parsed.ec == std::errc() ? std::min(std::chrono::seconds(seconds), most) : most;
}

}  // namespace ringlet::http
