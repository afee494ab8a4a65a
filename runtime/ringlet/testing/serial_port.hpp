// SerialPort: what a simulated tty is set to, what it counts, and how long sending takes it. The
// part of TerminalLine that answers ioctl(2).
//
// Sending takes time by speed and format, for those who ask how far it is; at the other end of the
// line bytes are at once.
#pragma once

#include <ringlet/testing/virtual_clock.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace ringlet::testing {

// What may be wrong with a byte that comes.
enum class Flaw : std::uint8_t { none, parity, framing, line_break };

// What a test or its hardware wants to know, or wants otherwise.
struct SerialPortOptions {
    bool counts = true;            // TIOCGICOUNT; a pty does not
    bool has_rs485 = true;
    bool has_parity = true;        // a pty has 8 bits without, whatever it is told
    unsigned baud_max = 4'000'000;  // above it the speed stays as it was
};

class SerialPort {
public:
    // Sets what termios(3) says of a port that nobody has set: 9600 baud, 8 bits, lines.
    explicit SerialPort(const VirtualClock& clock);

    // As ioctl(2): 0 or a negative errno.
    int control(unsigned long request, std::uintptr_t argument);

    // A byte comes: what the program is given of it. Nothing: it is dropped.
    std::optional<std::byte> receive(std::byte byte, Flaw flaw);
    void sent(std::size_t bytes);
    // Whether the request throws away what was not read, which is the line's to do.
    static bool is_input_flush(unsigned long request, std::uintptr_t argument);
    void count_overruns(unsigned times) { counts_.overruns += times; }

    void make_raw();
    bool is_raw() const;
    unsigned baud() const;
    bool is_exclusive() const { return exclusive_; }
    // Of another port, now in its place.
    void forget_exclusive() { exclusive_ = false; }
    bool is_rs485() const;
    // Whether the program sends a break, and how long the last one was.
    bool sends_break() const { return break_since_ != never; }
    Nanoseconds last_break() const { return last_break_; }

    SerialPortOptions options;

private:
    struct Counts {
        int received = 0;
        int sent = 0;
        int parity = 0;
        int framing = 0;
        int breaks = 0;
        int overruns = 0;
    };

    void set(std::uintptr_t argument);
    void set_break(bool on);
    int tell_counts(std::uintptr_t argument) const;
    int unsent() const;
    Nanoseconds byte_time() const;

    const VirtualClock& clock_;
    std::array<std::uint32_t, 11> termios_{};  // termios2, whose header does not go with others
    std::array<std::uint32_t, 8> rs485_{};     // serial_rs485
    Counts counts_;
    bool exclusive_ = false;
    Instant sent_by_ = 0;
    Instant break_since_ = never;
    Nanoseconds last_break_{0};
};

}  // namespace ringlet::testing
