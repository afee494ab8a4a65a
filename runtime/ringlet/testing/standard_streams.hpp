// Standard input that a test feeds, and standard output and error that it reads.
#pragma once

#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/object.hpp>

#include <poll.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace ringlet::testing {

class StandardInput final : public Object {
public:
    explicit StandardInput(std::size_t capacity) : bytes_(capacity) {}

    void feed(std::span<const std::byte> in) {
        // More than SimulationOptions::input_bytes waits to be read.
        RINGLET_ASSERT(bytes_.room() >= in.size());
        bytes_.put(in);
    }
    void end() { ended_ = true; }

    int read(std::span<std::byte> out, Offset) override {
        if (!bytes_.empty() || out.empty()) return static_cast<int>(bytes_.take(out));
        return ended_ ? 0 : would_block;
    }
    unsigned ready() const override {
        const unsigned events = bytes_.empty() ? 0 : POLLIN | POLLRDNORM;
        return ended_ ? events | POLLHUP : events;
    }
    mode_t mode() const override { return S_IFCHR | 0600; }

private:
    void closed() override {}
    ByteQueue bytes_;
    bool ended_ = false;
};

class StandardOutput final : public Object {
public:
    explicit StandardOutput(std::size_t capacity)
        : bytes_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

    // All that was ever written; also after the descriptor was closed.
    std::string_view written() const { return {bytes_.get(), size_}; }

    int write(std::span<const std::byte> in, Offset) override {
        const std::size_t count = std::min(in.size(), capacity_ - size_);
        if (count == 0) return in.empty() ? 0 : -ENOSPC;
        std::memcpy(&bytes_[size_], in.data(), count);
        size_ += count;
        return static_cast<int>(count);
    }
    unsigned ready() const override { return POLLOUT | POLLWRNORM; }
    mode_t mode() const override { return S_IFCHR | 0600; }

private:
    void closed() override {}
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

}  // namespace ringlet::testing
