// Prefixes, and the frames behind them.
#include <ringlet/io/frame_buffer.hpp>

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet {

FrameBuffer::FrameBuffer(std::span<std::byte> storage, const FrameOptions& options)
    : storage_(storage), options_(options) {
    const unsigned prefix = options.length_bytes;
    RINGLET_ASSERT(prefix == 1 || prefix == 2 || prefix == 4);
    RINGLET_ASSERT(storage.size() > prefix);
    options_.frame_bytes_max = std::min(options.frame_bytes_max, storage.size() - prefix);
}

FrameBuffer::Found FrameBuffer::look() const {
    if (buffered() >= options_.length_bytes) {
        const std::size_t wanted = length();
        if (wanted > options_.frame_bytes_max) return Found::too_long;
        if (buffered() - options_.length_bytes >= wanted) return Found::frame;
    }
    if (!ended_) return Found::more;
    return buffered() == 0 ? Found::end : Found::cut;
}

// Of the frame at begin_, whose prefix is there.
std::size_t FrameBuffer::length() const {
    const auto prefix = storage_.subspan(begin_, options_.length_bytes);
    std::uint32_t length = 0;
    for (unsigned i = 0; i < options_.length_bytes; ++i) {
        const bool big = options_.order == std::endian::big;
        const std::byte next = prefix[big ? i : options_.length_bytes - 1 - i];
        length = length << 8 | std::to_integer<std::uint32_t>(next);
    }
    return length;
}

std::span<const std::byte> FrameBuffer::take() {
    const auto frame = storage_.subspan(begin_ + options_.length_bytes, length());
    begin_ += options_.length_bytes + frame.size();
    return frame;
}

std::span<std::byte> FrameBuffer::room() {
    if (begin_ > 0) {
        std::memmove(storage_.data(), storage_.data() + begin_, buffered());
        end_ = buffered();
        begin_ = 0;
    }
    return storage_.subspan(end_);
}

void FrameBuffer::fill(std::size_t count) {
    RINGLET_ASSERT(count <= storage_.size() - end_);
    if (count == 0) ended_ = true;
    end_ += count;
}

}  // namespace ringlet
