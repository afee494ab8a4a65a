// Host names.
#include <ringlet/dns/name.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::dns {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_name_character(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

std::unexpected<Error> refusal(Detail detail) {
    return std::unexpected(error_of(detail));
}

bool are_labels_valid(std::string_view name) {
    for (;;) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        if (label.empty() || label.size() > label_bytes_max) return false;
        if (dot == name.npos) return !std::ranges::all_of(label, is_digit);
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

Result<std::string_view> check_name(std::string_view name) {
    for (const char each : name) {
        if ((each & 0x80) != 0) return refusal(Detail::not_ascii);
        if (!is_name_character(each)) return refusal(Detail::name_characters);
    }
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() > name_bytes_max || !are_labels_valid(name)) return refusal(Detail::name_shape);
    return name;
}

bool same_name(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, {}, lower, lower);
}

bool is_localhost(std::string_view name) {
    constexpr std::string_view localhost = "localhost";
    if (name.size() < localhost.size()) return false;
    const std::string_view before = name.substr(0, name.size() - localhost.size());
    return same_name(name.substr(before.size()), localhost) &&
           (before.empty() || before.ends_with('.'));
}

bool SearchList::add(std::string_view name) {
    const auto checked = check_name(name);
    if (!checked || count_ == lengths_.size() || checked->size() > text_.size() - used_) {
        return false;
    }
    std::memcpy(text_.data() + used_, checked->data(), checked->size());
    used_ = static_cast<std::uint16_t>(used_ + checked->size());
    lengths_[count_++] = static_cast<std::uint8_t>(checked->size());
    return true;
}

std::string_view SearchList::operator[](unsigned index) const {
    RINGLET_ASSERT(index < count_);
    std::size_t start = 0;
    for (unsigned i = 0; i < index; ++i) start += lengths_[i];
    return {text_.data() + start, lengths_[index]};
}

Candidates::Candidates(std::string_view name, const SearchList& search, unsigned ndots)
    : name_(name), search_(search) {
    const bool absolute = name.ends_with('.');
    if (absolute) name_.remove_suffix(1);
    const bool has_dots = static_cast<unsigned>(std::ranges::count(name_, '.')) >= ndots;
    as_is_at_ = absolute || has_dots ? 0 : search.size();
    steps_ = absolute ? 1 : search.size() + 1;
}

std::optional<std::string_view> Candidates::next() {
    while (step_ < steps_) {
        const unsigned step = step_++;
        if (step == as_is_at_) return name_;
        const auto joined = in_domain(step < as_is_at_ ? step : step - 1);
        if (joined) return joined;
    }
    return std::nullopt;
}

// The list may have got shorter by a new load().
std::optional<std::string_view> Candidates::in_domain(unsigned index) {
    if (index >= search_.size()) return std::nullopt;
    const std::string_view suffix = search_[index];
    const std::size_t size = name_.size() + 1 + suffix.size();
    if (size > joined_.size()) return std::nullopt;
    std::memcpy(joined_.data(), name_.data(), name_.size());
    joined_[name_.size()] = '.';
    std::memcpy(joined_.data() + name_.size() + 1, suffix.data(), suffix.size());
    return std::string_view(joined_.data(), size);
}

}  // namespace ringlet::dns
