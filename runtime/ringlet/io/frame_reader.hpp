// FrameReader: the frames of a stream, each a length and so many bytes, in a buffer of fixed size.
#pragma once

#include <ringlet/io/buffered_next.hpp>
#include <ringlet/io/frame_buffer.hpp>
#include <ringlet/io/stream.hpp>

#include <optional>

namespace ringlet {

// A frame over the limit: "a line or message is longer than the limit".
inline constexpr Error frame_too_long{std::errc::message_size, RuntimeDetail::line_length};

template <ByteSource Source>
class FrameReader {
public:
    using Item = std::optional<std::span<const std::byte>>;

    // Both belong to the caller and outlive the reader.
    FrameReader(Source& source, std::span<std::byte> storage, const FrameOptions& options = {})
        : source_(source), buffer_(storage, options) {}

    // Gives the next frame, without its prefix; valid until the next call. It may be empty. Nothing
    // at the end of the stream. A frame that has been read already costs neither a suspension nor a
    // frame of the pool.
    //
    // Errors: frame_too_long, for good: nobody knows where the next one begins. unexpected_end if
    // the stream ends inside a frame. The source's.
    // Cancellation: no frame is lost: what was read stays in the buffer.
    BufferedNext<FrameReader> next() { return BufferedNext<FrameReader>(*this); }

private:
    friend class BufferedNext<FrameReader>;
    using Found = FrameBuffer::Found;

    bool has_item() { return buffer_.look() == Found::frame; }
    Item take_item() { return buffer_.take(); }
    Task<Item> fetch() {
        for (;;) {
            switch (buffer_.look()) {
                case Found::frame: co_return take_item();
                case Found::end: co_return std::nullopt;
                case Found::too_long: {
                    co_await fail(frame_too_long);
                    break;
                }
                case Found::cut: {
                    co_await fail(unexpected_end);
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
    FrameBuffer buffer_;
};

}  // namespace ringlet
