// FrameBuffer: finds frames, a length and so many bytes, in bytes that come in pieces of any size.
// The part of FrameReader that does not wait.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet {

struct FrameOptions {
    unsigned length_bytes = 4;               // of the prefix: 1, 2 or 4
    std::endian order = std::endian::big;    // its bytes
    // The longest frame in bytes, without its prefix. At most, and by default, what the buffer
    // holds besides the prefix.
    std::size_t frame_bytes_max = ~std::size_t{0};
};

class FrameBuffer {
public:
    // `storage` holds at least a prefix and a byte; it is the caller's and outlives the buffer.
    FrameBuffer(std::span<std::byte> storage, const FrameOptions& options);
    FrameBuffer(const FrameBuffer&) = delete;
    FrameBuffer& operator=(const FrameBuffer&) = delete;

    enum class Found : std::uint8_t {
        frame,     // take() gives it
        too_long,  // and stays so: where the next one begins, is lost
        more,      // bytes are needed: room(), then fill()
        end,       // the stream ended between two frames
        cut,       // the stream ended inside one
    };
    Found look() const;

    // Valid until the next call of room().
    std::span<const std::byte> take();

    // Where to put what comes; never empty after look() said `more`.
    std::span<std::byte> room();
    // `count` bytes were put there; 0: the stream has ended.
    void fill(std::size_t count);

private:
    std::size_t buffered() const { return end_ - begin_; }
    std::size_t length() const;

    std::span<std::byte> storage_;
    FrameOptions options_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool ended_ = false;
};

}  // namespace ringlet
