// LineReader: the lines of a stream, one at a time, in a buffer of fixed size.
//
//   static std::array<char, 64_KiB> storage;
//   auto input = standard_input();
//   LineReader lines(input, storage);
//   for (;;) {
//       const auto line = co_await lines.next();
//       if (!line) break;
//       ...
//   }
#pragma once

#include <ringlet/io/buffered_next.hpp>
#include <ringlet/io/line_buffer.hpp>
#include <ringlet/io/stream.hpp>

#include <optional>

namespace ringlet {

// A line over the limit: "a line or message is longer than the limit".
inline constexpr Error line_too_long{std::errc::message_size, RuntimeDetail::line_length};

template <ByteSource Source>
class LineReader {
public:
    using Item = std::optional<std::string_view>;

    // Both belong to the caller and outlive the reader. The more storage, the fewer reads.
    LineReader(Source& source, std::span<char> storage, const LineOptions& options = {})
        : source_(source), buffer_(storage, options) {}

    // Gives the next line, without its end; valid until the next call. The last line may have no
    // end (LineOptions::last_without_end). Nothing at the end of the stream, and at every call
    // after it. A line that has been read already costs neither a suspension nor a frame.
    //
    // Errors: line_too_long, as soon as it is known; the next call goes on with the line after it.
    // The source's.
    // Cancellation: no line is lost: what was read stays in the buffer. (The line that was given
    // to a task which is unwound goes with it.)
    BufferedNext<LineReader> next() { return BufferedNext<LineReader>(*this); }

    // The number of the line given last, or found too long, from 1.
    std::uint64_t line_number() const { return buffer_.line_number(); }

private:
    friend class BufferedNext<LineReader>;
    using Found = LineBuffer::Found;

    bool has_item() { return buffer_.look() == Found::line; }
    Item take_item() { return buffer_.take(); }
    Task<Item> fetch() {
        for (;;) {
            switch (buffer_.look()) {
                case Found::line: co_return take_item();
                case Found::end: co_return std::nullopt;
                case Found::too_long: {
                    buffer_.skip();
                    co_await fail(line_too_long);
                    break;
                }
                case Found::more: {
                    const std::size_t count = co_await read_from(source_, buffer_.room());
                    buffer_.fill(count);
                    break;
                }
            }
        }
    }

    Source& source_;
    LineBuffer buffer_;
};

}  // namespace ringlet
