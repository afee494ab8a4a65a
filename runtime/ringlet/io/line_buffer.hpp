// LineBuffer: finds lines in bytes that come in pieces of any size. The part of LineReader that
// does not wait.
//
//   |....gone....|....the line given last....|......not yet given......|....room....|
//   0                                      begin_                     end_    capacity
//
//   look() says what begins at begin_; then: line: take() | too_long: skip() | more: room(), fill()
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringlet {

struct LineOptions {
    // The longest line in bytes, without its end. At most, and by default, the buffer less 2.
    std::size_t line_bytes_max = ~std::size_t{0};
    // What ends a line: a protocol of a serial line may have another one, '\r' or a zero.
    char delimiter = '\n';
    // A '\r' before a '\n' that ends a line belongs to the end; else it is a part of the line.
    bool carriage_returns = true;
    // What stands at the end of the stream, without an end of its own, is a line, too. Not where it
    // would be a line that was cut off: when a serial line is unplugged.
    bool last_without_end = true;
};

class LineBuffer {
public:
    // `storage` holds at least 3 bytes; it is the caller's and outlives the buffer.
    LineBuffer(std::span<char> storage, const LineOptions& options);
    LineBuffer(const LineBuffer&) = delete;
    LineBuffer& operator=(const LineBuffer&) = delete;

    enum class Found : std::uint8_t {
        line,      // take() gives it
        too_long,  // skip() passes it over, also what of it is still to come
        more,      // bytes are needed: room(), then fill()
        end,       // nothing will come
    };
    Found look();

    // Valid until the next call of room().
    std::string_view take();
    void skip();

    // Where to put what comes; never empty after look() said `more`.
    std::span<std::byte> room();
    // `count` bytes were put there; 0: the stream has ended.
    void fill(std::size_t count);

    // The number of the line that take() gave or skip() passed over last, from 1.
    std::uint64_t line_number() const { return line_number_; }

private:
    std::size_t buffered() const { return end_ - begin_; }
    bool fits(std::size_t length) const { return length <= limit_; }
    std::size_t content_length(std::size_t length) const;
    void pass_over_rest();

    std::span<char> storage_;
    std::size_t limit_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t searched_ = 0;  // bytes from begin_ that hold no delimiter
    std::uint64_t line_number_ = 0;
    char delimiter_;
    bool carriage_returns_;
    bool last_without_end_;
    bool skipping_ = false;  // up to and with the next delimiter
    bool ended_ = false;
};

}  // namespace ringlet
