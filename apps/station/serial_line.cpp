#include <serial_line.hpp>

#include <charconv>
#include <cmath>
#include <optional>

namespace station {
namespace {

bool is_name(std::string_view text) {
    constexpr std::string_view characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return !text.empty() && text.size() <= channel_bytes_max &&
           text.find_first_not_of(characters) == text.npos;
}

// All of the text as a number.
template <class T, class... Format>
std::optional<T> parse_all(std::string_view text, Format... format) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, format...);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

unsigned checksum_of(std::string_view text) {
    unsigned sum = 0;
    for (const char byte : text) sum ^= static_cast<unsigned char>(byte);
    return sum;
}

}  // namespace

std::expected<Reading, const char*> parse_serial_line(std::string_view line, Checksum checksum) {
    if (const std::size_t star = line.rfind('*'); star != line.npos) {
        const std::string_view digits = line.substr(star + 1);
        line = line.substr(0, star);
        const auto told = digits.size() == 2 ? parse_all<unsigned>(digits, 16) : std::nullopt;
        if (told != checksum_of(line)) return std::unexpected("wrong checksum");
    } else if (checksum == Checksum::required) {
        return std::unexpected("no checksum");
    }
    const std::size_t equals = line.find('=');
    if (equals == line.npos) return std::unexpected("no '='");
    const std::string_view name = line.substr(0, equals);
    if (!is_name(name)) return std::unexpected("no name");
    const auto value = parse_all<double>(line.substr(equals + 1));
    if (!value || !std::isfinite(*value)) return std::unexpected("no number");
    return Reading(name, *value);
}

}  // namespace station
