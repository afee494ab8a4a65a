#include <ringlet/app/text_buffer.hpp>

#include <ringlet/app/utf8.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace ringlet {

// Room for any double in fixed notation: 309 digits, sign, point, decimals.
constexpr std::size_t number_bytes_max = 352;
constexpr int decimals_max = 32;

TextBuffer::TextBuffer(std::span<char> storage) : storage_(storage) {
    RINGLET_ASSERT(storage.size() > truncation_mark.size());
    storage_[0] = '\0';
}

void TextBuffer::clear() {
    size_ = 0;
    truncated_ = false;
    storage_[0] = '\0';
}

void TextBuffer::put_mark() {
    const std::size_t room = storage_.size() - 1 - truncation_mark.size();
    size_ = utf8_cut(view(), room);
    std::memcpy(storage_.data() + size_, truncation_mark.data(), truncation_mark.size());
    size_ += truncation_mark.size();
    storage_[size_] = '\0';
    truncated_ = true;
}

void TextBuffer::append(std::string_view text) {
    if (truncated_) return;
    const std::size_t room = storage_.size() - 1 - size_;
    const std::size_t count = std::min(text.size(), room);
    if (count > 0) std::memcpy(storage_.data() + size_, text.data(), count);
    size_ += count;
    storage_[size_] = '\0';
    if (count < text.size()) put_mark();
}

void TextBuffer::append(char c) {
    append(std::string_view(&c, 1));
}

void TextBuffer::append(std::size_t count, char c) {
    for (; count > 0 && !truncated_; --count) append(c);
}

void TextBuffer::append_number(std::uint64_t value) {
    char digits[24];
    append({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
}

void TextBuffer::append_number(std::int64_t value) {
    char digits[24];
    append({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
}

void TextBuffer::append_number(double value) {
    char digits[32];
    append({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
}

void TextBuffer::append_fixed(double value, int decimals) {
    RINGLET_ASSERT(decimals >= 0 && decimals <= decimals_max);
    char digits[number_bytes_max];
    append({digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed,
                                  decimals)
                        .ptr});
}

void TextBuffer::append_printable(std::string_view text) {
    for (const char c : text) append(is_control(c) ? '?' : c);
}

void TextBuffer::format(const char* format, ...) {
    if (truncated_) return;
    const std::size_t room = storage_.size() - size_;
    std::va_list arguments;
    va_start(arguments, format);
    const int result = std::vsnprintf(storage_.data() + size_, room, format, arguments);
    va_end(arguments);
    if (result < 0) {  // a conversion failed: the text so far is what there is
        storage_[size_] = '\0';
        return;
    }
    const auto count = static_cast<std::size_t>(result);
    size_ += std::min(count, room - 1);
    if (count >= room) put_mark();
}

}  // namespace ringlet
