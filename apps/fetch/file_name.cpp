// From URLs to names.
#include <file_name.hpp>

namespace fetch {
namespace {

constexpr std::size_t digits_min = 6;

// "c" of "http://a/b/c?d#e", or the host and port where there is no such part.
std::string_view last_part(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("?#"));
    const auto slash = url.rfind('/');
    if (slash == url.npos) return url;
    if (slash + 1 < url.size()) return url.substr(slash + 1);
    return url.substr(0, url.find('/'));
}

bool is_readable(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

}  // namespace

void append_file_name(ringlet::TextBuffer& text, std::uint64_t number, std::string_view url) {
    ringlet::FixedText<24> digits;
    digits.append_number(number);
    if (digits.size() < digits_min) text.append(digits_min - digits.size(), '0');
    text.append(digits.view());
    text.append('-');
    for (const char c : last_part(url).substr(0, readable_bytes_max)) {
        text.append(is_readable(c) ? c : '_');
    }
}

}  // namespace fetch
