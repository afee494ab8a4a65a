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
#include <ringlet/testing/serial_port.hpp>
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
    TerminalLine(std::size_t capacity, const VirtualClock& clock)
        : port(clock), incoming_(capacity), outgoing_(capacity) {}

    // ---- the test's end ----
    void feed(std::string_view text) {
        // More than SimulationOptions::terminal_bytes waits to be read.
        RINGLET_ASSERT(incoming_.room() >= text.size());
        for (const char byte : text) come(static_cast<std::byte>(byte), Flaw::none);
    }
    // One byte that comes with a flaw: what the program reads of it is as it has set the port.
    void feed_flawed(char byte, Flaw flaw) { come(static_cast<std::byte>(byte), flaw); }
    // How much more there is room for.
    std::size_t room() const { return incoming_.room(); }
    // All that was ever written.
    std::string_view written() const { return outgoing_.written(); }
    bool is_raw() const { return port.is_raw(); }
    bool is_hung_up() const { return hung_up_; }
    void hang_up() {
        hung_up_ = true;
        incoming_.clear();
    }
    // After it: a device is there again, for whoever opens the tty from now on.
    void plug_in() {
        hung_up_ = false;
        port.forget_exclusive();
    }

    // ---- the program's ----
    int read(std::span<std::byte> out, Offset) override {
        if (out.empty() || !incoming_.empty()) return static_cast<int>(incoming_.take(out));
        return hung_up_ ? 0 : would_block;
    }
    int write(std::span<const std::byte> in, Offset at) override {
        if (hung_up_) return -EIO;
        const int count = outgoing_.write(in, at);
        if (count > 0) port.sent(static_cast<std::size_t>(count));
        return count;
    }
    int control(unsigned long request, std::uintptr_t argument) override {
        if (hung_up_) return -EIO;
        if (SerialPort::is_input_flush(request, argument)) incoming_.clear();
        return port.control(request, argument);
    }
    unsigned ready() const override {
        unsigned events = POLLOUT | POLLWRNORM;
        if (hung_up_ || !incoming_.empty()) events |= POLLIN | POLLRDNORM;
        return hung_up_ ? events | POLLERR | POLLHUP : events;
    }
    mode_t mode() const override { return S_IFCHR | 0620; }
    TerminalLine* as_terminal() override { return this; }

    int node = -1;  // of the file tree
    SerialPort port;
    DeviceEnd device{*this};

private:
    void closed() override {}
    void come(std::byte byte, Flaw flaw) {
        const auto taken = port.receive(byte, flaw);
        if (taken) incoming_.put(std::span(&*taken, 1));
    }

    ByteQueue incoming_;
    StandardOutput outgoing_;
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
