// Escapes.
#include <request.hpp>

#include <charconv>

namespace timeout_app {
namespace {

// Takes an escape, behind its backslash, off the front of `text`.
std::optional<char> take_escape(std::string_view& text) {
    if (text.empty()) return std::nullopt;
    const char kind = text.front();
    text.remove_prefix(1);
    switch (kind) {
        case 'r': return '\r';
        case 'n': return '\n';
        case 't': return '\t';
        case '\\': return '\\';
        case 'x': break;
        default: return std::nullopt;
    }
    const std::string_view digits = text.substr(0, 2);
    std::uint8_t byte = 0;
    const auto read = std::from_chars(digits.begin(), digits.end(), byte, 16);
    if (digits.size() < 2 || read.ec != std::errc{} || read.ptr != digits.end()) {
        return std::nullopt;
    }
    text.remove_prefix(2);
    return static_cast<char>(byte);
}

}  // namespace

bool Request::add(char byte) {
    if (size_ == bytes_max) return false;
    bytes_[size_++] = byte;
    return true;
}

std::optional<Request> parse_request(std::string_view text) {
    Request request;
    while (!text.empty()) {
        std::optional<char> byte = text.front();
        text.remove_prefix(1);
        if (*byte == '\\') byte = take_escape(text);
        if (!byte || !request.add(*byte)) return std::nullopt;
    }
    const std::string_view line = request.view();
    const bool has_end = line.ends_with('\r') || line.ends_with('\n');
    if (!has_end && !request.add('\n')) return std::nullopt;
    return request;
}

}  // namespace timeout_app
