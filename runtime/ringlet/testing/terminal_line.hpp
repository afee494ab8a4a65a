// TerminalLine: a tty of the simulated machine, and the other end of its line, which a test holds,
// or a peer: <ringlet/testing/serial_device.hpp>.
//
//   TerminalLine& line = world.make_terminal("/dev/ttyS0");
//   line.feed("$GPGGA,...\r\n");      // what the device sends
//   line.written();                   // what the program sent
//
// Bytes go through as they are, also while the tty is not raw: there is no line discipline. A
// hang-up throws away what was not read, as the kernel's does.
#pragma once

#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/object.hpp>
#include <ringlet/testing/standard_streams.hpp>

#include <poll.h>

#include <string_view>

namespace ringlet::testing {

class TerminalLine;

// The device at the other end, as a descriptor of its own. Closing it leaves the line as it is.
class DeviceEnd final : public Object {
public:
    explicit DeviceEnd(TerminalLine& line) : line_(line) {}
    int read(std::span<std::byte> out, Offset) override;
    int write(std::span<const std::byte> in, Offset) override;
    unsigned ready() const override;
    mode_t mode() const override { return S_IFCHR | 0600; }

private:
    void closed() override {}

    TerminalLine& line_;
    std::size_t taken_ = 0;  // of all that the program has written
};

class TerminalLine final : public Object {
public:
    explicit TerminalLine(std::size_t capacity) : incoming_(capacity), outgoing_(capacity) {}

    // ---- the test's end ----
    void feed(std::string_view text) {
        // More than SimulationOptions::terminal_bytes waits to be read.
        RINGLET_ASSERT(incoming_.room() >= text.size());
        incoming_.put(std::as_bytes(std::span(text)));
    }
    // How much more there is room for.
    std::size_t room() const { return incoming_.room(); }
    // All that was ever written.
    std::string_view written() const { return outgoing_.written(); }
    bool is_raw() const { return raw_; }
    bool is_hung_up() const { return hung_up_; }
    void hang_up() {
        hung_up_ = true;
        incoming_.clear();
    }

    // ---- the program's ----
    int read(std::span<std::byte> out, Offset) override {
        if (out.empty() || !incoming_.empty()) return static_cast<int>(incoming_.take(out));
        return hung_up_ ? 0 : would_block;
    }
    int write(std::span<const std::byte> in, Offset at) override {
        return hung_up_ ? -EIO : outgoing_.write(in, at);
    }
    unsigned ready() const override {
        unsigned events = POLLOUT | POLLWRNORM;
        if (hung_up_ || !incoming_.empty()) events |= POLLIN | POLLRDNORM;
        return hung_up_ ? events | POLLERR | POLLHUP : events;
    }
    mode_t mode() const override { return S_IFCHR | 0620; }
    TerminalLine* as_terminal() override { return this; }

    void make_raw() { raw_ = true; }
    int node = -1;  // of the file tree
    DeviceEnd device{*this};

private:
    void closed() override {}

    ByteQueue incoming_;
    StandardOutput outgoing_;
    bool raw_ = false;
    bool hung_up_ = false;
};

inline int DeviceEnd::read(std::span<std::byte> out, Offset) {
    const auto unread = std::as_bytes(std::span(line_.written().substr(taken_)));
    const std::size_t count = std::min(out.size(), unread.size());
    if (count == 0) return out.empty() || line_.is_hung_up() ? 0 : would_block;
    std::memcpy(out.data(), unread.data(), count);
    taken_ += count;
    return static_cast<int>(count);
}

inline int DeviceEnd::write(std::span<const std::byte> in, Offset) {
    if (line_.is_hung_up()) return -EIO;
    const std::size_t count = std::min(in.size(), line_.room());
    if (count == 0) return in.empty() ? 0 : would_block;
    line_.feed({reinterpret_cast<const char*>(in.data()), count});
    return static_cast<int>(count);
}

inline unsigned DeviceEnd::ready() const {
    unsigned events = line_.room() > 0 ? POLLOUT | POLLWRNORM : 0;
    if (line_.is_hung_up()) return events | POLLIN | POLLRDNORM | POLLERR | POLLHUP;
    if (line_.written().size() > taken_) events |= POLLIN | POLLRDNORM;
    return events;
}

}  // namespace ringlet::testing
