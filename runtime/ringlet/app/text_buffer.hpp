// Text built piece by piece in memory of a fixed size.
//
// What does not fit is cut off, and the text ends in "..." instead; what comes later is ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringlet {

class TextBuffer {
public:
    static constexpr std::string_view truncation_mark = "...";

    // Writes to `storage`, which must outlive it and be longer than truncation_mark. One byte of it
    // is for the final zero.
    explicit TextBuffer(std::span<char> storage);
    TextBuffer(const TextBuffer&) = delete;
    TextBuffer& operator=(const TextBuffer&) = delete;

    std::string_view view() const { return {storage_.data(), size_}; }
    const char* c_str() const { return storage_.data(); }
    std::size_t size() const { return size_; }
    bool is_truncated() const { return truncated_; }
    void clear();

    void append(std::string_view text);
    void append(char c);
    void append(std::size_t count, char c);
    void append_number(std::uint64_t value);
    void append_number(std::int64_t value);

    // The shortest decimal that reads back as `value`. In any locale with a point.
    void append_number(double value);
    // With so many digits behind the point.
    void append_fixed(double value, int decimals);

    // Text from outside: control characters become '?', so that it stays on its line.
    void append_printable(std::string_view text);

    // As printf, but no conversion of floating-point numbers: their point is the locale's.
    [[gnu::format(printf, 2, 3)]] void format(const char* format, ...);

private:
    void put_mark();

    std::span<char> storage_;
    std::size_t size_ = 0;
    bool truncated_ = false;
};

template <std::size_t N>
struct TextMemory {
    char bytes[N];
};

// A TextBuffer with memory of its own: N bytes, the final zero included.
template <std::size_t N>
class FixedText : private TextMemory<N>, public TextBuffer {
    static_assert(N > truncation_mark.size(), "too small for the truncation mark");

public:
    FixedText() : TextBuffer(TextMemory<N>::bytes) {}
};

}  // namespace ringlet
