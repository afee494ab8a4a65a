#include <ringlet/app/json_lines.hpp>

#include <ringlet/app/utf8.hpp>
#include <ringlet/base/panic.hpp>

#include <charconv>
#include <cmath>
#include <cstring>

namespace ringlet {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

JsonLine::JsonLine(std::span<char> storage) : storage_(storage) {
    put("{");
}

void JsonLine::put(std::string_view text) {
    if (text.size() > storage_.size() - size_) overflow_ = true;
    // Once over, nothing more: a shorter piece that still fits would hide the gap.
    if (overflow_ || text.empty()) return;
    std::memcpy(storage_.data() + size_, text.data(), text.size());
    size_ += text.size();
}

void JsonLine::put_key(std::string_view key) {
    if (!is_first_) put(",");
    is_first_ = false;
    put_string(key);
    put(":");
}

// The escape of a character that cannot stand for itself; empty for others.
static std::string_view escape(char c, char (&scratch)[6]) {
    switch (c) {
        case '"': return "\\\"";
        case '\\': return "\\\\";
        case '\n': return "\\n";
        case '\r': return "\\r";
        case '\t': return "\\t";
        default: break;
    }
    if (!is_control(c)) return {};
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    const char text[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    std::memcpy(scratch, text, sizeof text);
    return {scratch, sizeof scratch};
}

void JsonLine::put_string(std::string_view text) {
    put("\"");
    std::size_t at = 0;
    std::size_t start = 0;  // of the piece that is copied as it is
    const auto replace = [&](std::string_view by) {
        put(text.substr(start, at - start));
        put(by);
        start = ++at;
    };
    while (at < text.size() && !overflow_) {
        char scratch[6];
        const std::string_view escaped = escape(text[at], scratch);
        const std::size_t size = utf8_length(text.substr(at));
        if (!escaped.empty()) replace(escaped);
        else if (size == 0) replace(replacement);
        else at += size;
    }
    put(text.substr(start, at - start));
    put("\"");
}

JsonLine& JsonLine::add(std::string_view key, std::string_view value) {
    put_key(key);
    put_string(value);
    return *this;
}

JsonLine& JsonLine::add(std::string_view key, double value) {
    if (!std::isfinite(value)) return add_null(key);
    put_key(key);
    char digits[32];
    put({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
    return *this;
}

JsonLine& JsonLine::add_boolean(std::string_view key, bool value) {
    put_key(key);
    put(value ? "true" : "false");
    return *this;
}

JsonLine& JsonLine::add_signed(std::string_view key, std::int64_t value) {
    put_key(key);
    char digits[24];
    put({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
    return *this;
}

JsonLine& JsonLine::add_unsigned(std::string_view key, std::uint64_t value) {
    put_key(key);
    char digits[24];
    put({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
    return *this;
}

JsonLine& JsonLine::add_null(std::string_view key) {
    put_key(key);
    put("null");
    return *this;
}

JsonLine& JsonLine::open(std::string_view key) {
    RINGLET_ASSERT(depth_ < json_line_nesting_max);
    put_key(key);
    put("{");
    ++depth_;
    is_first_ = true;
    return *this;
}

JsonLine& JsonLine::close() {
    RINGLET_ASSERT(depth_ > 1);
    put("}");
    --depth_;
    is_first_ = false;
    return *this;
}

Result<std::string_view> JsonLine::finish() {
    RINGLET_ASSERT(depth_ == 1);  // each open() closed, and finished once
    depth_ = 0;
    put("}\n");
    if (overflow_) return std::unexpected(Error(std::errc::not_enough_memory, Domain::app));
    return std::string_view(storage_.data(), size_);
}

}  // namespace ringlet
