// A counter that is woken by writing and emptied by reading: eventfd(2).
#pragma once

#include <ringlet/testing/object.hpp>

#include <poll.h>

#include <cstring>

namespace ringlet::testing {

class EventDescriptor final : public Object {
public:
    int read(std::span<std::byte> out, Offset) override {
        if (out.size() < sizeof count_) return -EINVAL;
        if (count_ == 0) return would_block;
        std::memcpy(out.data(), &count_, sizeof count_);
        count_ = 0;
        return sizeof count_;
    }
    int write(std::span<const std::byte> bytes, Offset) override {
        std::uint64_t more = 0;
        if (bytes.size() < sizeof more) return -EINVAL;
        std::memcpy(&more, bytes.data(), sizeof more);
        count_ += more;
        return sizeof more;
    }
    unsigned ready() const override {
        return POLLOUT | (count_ != 0 ? POLLIN | POLLRDNORM : 0);
    }
    mode_t mode() const override { return 0600; }
    std::size_t read_grain() const override { return sizeof count_; }
    std::size_t write_grain() const override { return sizeof count_; }

private:
    void closed() override { count_ = 0; }

    std::uint64_t count_ = 0;
};

}  // namespace ringlet::testing
