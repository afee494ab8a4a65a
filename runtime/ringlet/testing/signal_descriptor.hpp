// Signals that are blocked and pending, and the descriptors that read them (signalfd(2)).
#pragma once

#include <ringlet/ring/system.hpp>
#include <ringlet/testing/object.hpp>

#include <poll.h>
#include <sys/signalfd.h>

#include <cstring>

namespace ringlet::testing {

// Of the process. A signal that is pending twice is pending once, as all but real-time ones are.
struct Signals {
    SignalSet blocked = 0;
    SignalSet pending = 0;
};

class SignalDescriptor final : public Object {
public:
    explicit SignalDescriptor(Signals& signals) : signals_(signals) {}
    void watch(SignalSet set) { set_ = set; }

    // As many signalfd_siginfo as fit, the lowest signal first.
    int read(std::span<std::byte> out, Offset) override {
        if (out.size() < sizeof(signalfd_siginfo)) return -EINVAL;
        std::size_t count = 0;
        for (int number = 1; number <= 64; ++number) {
            if ((set_ & signals_.pending & signal_bit(number)) == 0) continue;
            if (out.size() - count < sizeof(signalfd_siginfo)) break;
            signals_.pending &= ~signal_bit(number);
            signalfd_siginfo info{};
            info.ssi_signo = static_cast<std::uint32_t>(number);
            info.ssi_pid = 1;
            std::memcpy(&out[count], &info, sizeof info);
            count += sizeof info;
        }
        return count == 0 ? would_block : static_cast<int>(count);
    }
    int write(std::span<const std::byte>, Offset) override { return -EINVAL; }
    unsigned ready() const override {
        return (set_ & signals_.pending) != 0 ? POLLIN | POLLRDNORM : 0;
    }
    mode_t mode() const override { return 0600; }
    std::size_t read_grain() const override { return sizeof(signalfd_siginfo); }

private:
    void closed() override {}
    Signals& signals_;
    SignalSet set_ = 0;
};

}  // namespace ringlet::testing
