// Pipes, as pipe(7) tells of them: 64 KiB, and writes of at most PIPE_BUF bytes are never split.
#pragma once

#include <ringlet/base/units.hpp>
#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/object.hpp>

#include <limits.h>
#include <poll.h>

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
        bytes.clear();
        reader.hold();
        writer.hold();
    }

    ByteQueue bytes{64_KiB};
    PipeReader reader{*this};
    PipeWriter writer{*this};
};

inline int PipeReader::read(std::span<std::byte> out, Offset) {
    if (out.empty()) return 0;
    if (!pipe_.bytes.empty()) return static_cast<int>(pipe_.bytes.take(out));
    return pipe_.writer.in_use() ? would_block : 0;
}

inline unsigned PipeReader::ready() const {
    const unsigned events = pipe_.bytes.empty() ? 0 : POLLIN | POLLRDNORM;
    return pipe_.writer.in_use() ? events : events | POLLHUP;
}

inline int PipeWriter::write(std::span<const std::byte> in, Offset) {
    if (in.empty()) return 0;
    if (!pipe_.reader.in_use()) return -EPIPE;
    const bool whole = in.size() <= PIPE_BUF;
    if (pipe_.bytes.room() < (whole ? in.size() : 1)) return would_block;
    return static_cast<int>(pipe_.bytes.put(in));
}

inline unsigned PipeWriter::ready() const {
    const unsigned events = pipe_.bytes.room() >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
    return pipe_.reader.in_use() ? events : events | POLLERR;
}

}  // namespace ringlet::testing
