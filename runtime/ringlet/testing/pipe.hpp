// Pipes, as pipe(7) tells of them: writes of at most PIPE_BUF bytes are never split.
//
// A pipe is sixteen pages, not so many bytes: what is written goes behind the last page's bytes if
// it fits there, else into a new page; a page is free again when all of it was read. So a pipe may
// be full with much less than 64 KiB in it.
#pragma once

#include <ringlet/base/units.hpp>
#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/object.hpp>

#include <limits.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace ringlet::testing {

class Pipe;

class PipeReader final : public Object {
public:
    explicit PipeReader(Pipe& pipe) : pipe_(pipe) {}
    int read(std::span<std::byte> out, Offset) override;
    unsigned ready() const override;
    mode_t mode() const override { return S_IFIFO | 0600; }

private:
    void closed() override {}  // the writer sees it by in_use()
    Pipe& pipe_;
};

class PipeWriter final : public Object {
public:
    explicit PipeWriter(Pipe& pipe) : pipe_(pipe) {}
    int write(std::span<const std::byte> in, Offset) override;
    unsigned ready() const override;
    mode_t mode() const override { return S_IFIFO | 0600; }
    std::size_t write_grain() const override { return PIPE_BUF; }

private:
    void closed() override {}
    Pipe& pipe_;
};

// Both ends, and what is on its way between them.
class Pipe {
public:
    bool in_use() const { return reader.in_use() || writer.in_use(); }
    void hold() {
        bytes_.clear();
        first_ = count_ = 0;
        reader.hold();
        writer.hold();
    }

    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == pages_.size(); }
    // How much of `in` was written, or read into `out`.
    std::size_t put(std::span<const std::byte> in);
    std::size_t take(std::span<std::byte> out);

    PipeReader reader{*this};
    PipeWriter writer{*this};

private:
    static constexpr std::size_t page_bytes = 4_KiB;
    struct Page {
        std::size_t begin = 0;  // read up to here
        std::size_t end = 0;    // written up to here
    };
    Page& page(unsigned index) { return pages_[(first_ + index) % pages_.size()]; }

    ByteQueue bytes_{16 * page_bytes};
    std::array<Page, 16> pages_{};
    unsigned first_ = 0;
    unsigned count_ = 0;
};

// As pipe_write() in the kernel: the part beyond whole pages is what may join the last page.
inline std::size_t Pipe::put(std::span<const std::byte> in) {
    std::size_t done = 0;
    const std::size_t rest = in.size() % page_bytes;
    if (rest != 0 && count_ != 0 && page(count_ - 1).end + rest <= page_bytes) {
        page(count_ - 1).end += rest;
        done = rest;
    }
    while (done < in.size() && !full()) {
        const std::size_t size = std::min(page_bytes, in.size() - done);
        page(count_++) = {.begin = 0, .end = size};
        done += size;
    }
    return bytes_.put(in.first(done));
}

inline std::size_t Pipe::take(std::span<std::byte> out) {
    const std::size_t taken = bytes_.take(out);
    for (std::size_t left = taken; left > 0;) {
        Page& oldest = page(0);
        const std::size_t size = std::min(left, oldest.end - oldest.begin);
        oldest.begin += size;
        left -= size;
        if (oldest.begin < oldest.end) break;
        first_ = (first_ + 1) % static_cast<unsigned>(pages_.size());
        --count_;
    }
    return taken;
}

inline int PipeReader::read(std::span<std::byte> out, Offset at) {
    if (at < at_position) return -EINVAL;
    if (out.empty()) return 0;
    if (!pipe_.empty()) return static_cast<int>(pipe_.take(out));
    return pipe_.writer.in_use() ? would_block : 0;
}

inline unsigned PipeReader::ready() const {
    const unsigned events = pipe_.empty() ? 0 : POLLIN | POLLRDNORM;
    return pipe_.writer.in_use() ? events : events | POLLHUP;
}

inline int PipeWriter::write(std::span<const std::byte> in, Offset at) {
    if (at < at_position) return -EINVAL;
    if (in.empty()) return 0;
    if (!pipe_.reader.in_use()) return -EPIPE;
    const std::size_t written = pipe_.put(in);
    return written == 0 ? would_block : static_cast<int>(written);
}

inline unsigned PipeWriter::ready() const {
    const unsigned events = pipe_.full() ? 0 : POLLOUT | POLLWRNORM;
    return pipe_.reader.in_use() ? events : events | POLLERR;
}

}  // namespace ringlet::testing
