// The requests of a tty, as the kernel's serial core answers them.
#include <ringlet/testing/serial_port.hpp>

#include <ringlet/testing/character_device.hpp>

#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace ringlet::testing {
namespace {

constexpr tcflag_t line_mode = ICANON | ECHO | ISIG;

unsigned bits_of(tcflag_t flags) {
    const unsigned data = 5 + (flags & CSIZE) / CS6;
    return 1 + data + ((flags & PARENB) != 0 ? 1 : 0) + ((flags & CSTOPB) != 0 ? 2 : 1);
}

// Of the fixed speeds only that of a new port; a driver of today sets BOTHER.
unsigned speed_of(const termios2& line) {
    return (line.c_cflag & CBAUD) == BOTHER ? line.c_ospeed : 9600;
}

// To what the kernel's serial core takes at most.
void shorten_delays(serial_rs485& bus) {
    constexpr __u32 delay_max_ms = 100;
    bus.delay_rts_before_send = std::min(bus.delay_rts_before_send, delay_max_ms);
    bus.delay_rts_after_send = std::min(bus.delay_rts_after_send, delay_max_ms);
}

// The kernel then passes bytes with whatever is wrong with them, of an adapter whose driver says
// TTY_DRIVER_REAL_RAW, as those for USB do; this one is such.
bool is_real_raw(const termios2& line) {
    constexpr tcflag_t edits = ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK;
    const tcflag_t flags = line.c_iflag;
    if ((flags & edits) != 0 || (line.c_lflag & line_mode) != 0) return false;
    return ((flags & IGNBRK) != 0 || (flags & BRKINT) == 0) &&
           ((flags & IGNPAR) != 0 || (flags & INPCK) == 0);
}

}  // namespace

SerialPort::SerialPort(const VirtualClock& clock) : clock_(clock) {
    termios2 line{};
    line.c_iflag = ICRNL | IXON;
    line.c_oflag = OPOST | ONLCR;
    line.c_cflag = B9600 | CS8 | CREAD | HUPCL;
    line.c_lflag = line_mode | IEXTEN | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    line.c_ispeed = line.c_ospeed = 9600;
    termios_ = std::bit_cast<decltype(termios_)>(line);
}

int SerialPort::control(unsigned long request, std::uintptr_t argument) {
    switch (request) {
        case TCGETS2:
            pointed_at<termios2>(argument) = std::bit_cast<termios2>(termios_);
            return 0;
        case TCSETS2: set(argument); return 0;
        case TIOCGICOUNT: return tell_counts(argument);
        case TIOCGRS485:
            if (!options.has_rs485) return -ENOTTY;
            pointed_at<serial_rs485>(argument) = std::bit_cast<serial_rs485>(rs485_);
            return 0;
        case TIOCSRS485:
            if (!options.has_rs485) return -ENOTTY;
            shorten_delays(pointed_at<serial_rs485>(argument));
            rs485_ = std::bit_cast<decltype(rs485_)>(pointed_at<serial_rs485>(argument));
            return 0;
        case TIOCOUTQ: pointed_at<int>(argument) = unsent(); return 0;
        case TIOCSERGETLSR:
            pointed_at<unsigned>(argument) = sent_by_ <= clock_.now() ? TIOCSER_TEMT : 0;
            return 0;
        case TCFLSH:
            if (argument != TCIFLUSH) sent_by_ = clock_.now();
            return 0;
        case TIOCSBRK: set_break(true); return 0;
        case TIOCCBRK: set_break(false); return 0;
        case TIOCEXCL: exclusive_ = true; return 0;
        case TIOCNXCL: exclusive_ = false; return 0;
        case TIOCGEXCL: pointed_at<int>(argument) = exclusive_ ? 1 : 0; return 0;
        default: return -ENOTTY;
    }
}

// What the hardware cannot do is left as it was, and no error: tcsetattr(3).
void SerialPort::set(std::uintptr_t argument) {
    const auto before = std::bit_cast<termios2>(termios_);
    termios2 line = pointed_at<termios2>(argument);
    if (!options.has_parity) {
        line.c_cflag = (line.c_cflag & ~(CSIZE | PARENB)) | CS8;
    }
    if (speed_of(line) > options.baud_max) {
        line.c_cflag = (line.c_cflag & ~CBAUD) | (before.c_cflag & CBAUD);
        line.c_ospeed = before.c_ospeed;
    }
    line.c_ispeed = line.c_ospeed = speed_of(line);
    termios_ = std::bit_cast<decltype(termios_)>(line);
}

void SerialPort::set_break(bool on) {
    const Instant now = clock_.now();
    // The kernel waits until all is sent, so the loop would: that is for the driver to avoid.
    RINGLET_ASSERT(!on || sent_by_ <= now);
    if (!on && sends_break()) last_break_ = Nanoseconds(now - break_since_);
    break_since_ = on ? now : never;
}

int SerialPort::tell_counts(std::uintptr_t argument) const {
    if (!options.counts) return -ENOTTY;
    auto& told = pointed_at<serial_icounter_struct>(argument);
    told = {};
    told.rx = counts_.received;
    told.tx = counts_.sent;
    told.parity = counts_.parity;
    told.frame = counts_.framing;
    told.brk = counts_.breaks;
    told.overrun = counts_.overruns;
    return 0;
}

std::optional<std::byte> SerialPort::receive(std::byte byte, Flaw flaw) {
    const auto line = std::bit_cast<termios2>(termios_);
    const tcflag_t flags = line.c_iflag;
    ++counts_.received;
    if (flaw == Flaw::none) return byte;
    if (flaw == Flaw::line_break) {
        ++counts_.breaks;
        if ((flags & IGNBRK) != 0 && !is_real_raw(line)) return std::nullopt;
        return std::byte{0};
    }
    ++(flaw == Flaw::parity ? counts_.parity : counts_.framing);
    if ((flags & INPCK) == 0 || is_real_raw(line)) return byte;
    if ((flags & IGNPAR) != 0) return std::nullopt;
    return std::byte{0};
}

bool SerialPort::is_input_flush(unsigned long request, std::uintptr_t argument) {
    return request == TCFLSH && argument != TCOFLUSH;
}

void SerialPort::sent(std::size_t bytes) {
    counts_.sent += static_cast<int>(bytes);
    const auto count = static_cast<std::int64_t>(bytes);
    sent_by_ = std::max(sent_by_, clock_.now()) + byte_time().count() * count;
}

Nanoseconds SerialPort::byte_time() const {
    const auto line = std::bit_cast<termios2>(termios_);
    const unsigned speed = std::max(speed_of(line), 1U);
    return Nanoseconds(std::int64_t{bits_of(line.c_cflag)} * 1'000'000'000 / speed);
}

int SerialPort::unsent() const {
    const Instant left = std::max<Instant>(sent_by_ - clock_.now(), 0);
    const std::int64_t each = byte_time().count();
    return static_cast<int>((left + each - 1) / each);
}

void SerialPort::make_raw() {
    auto line = std::bit_cast<termios2>(termios_);
    line.c_lflag &= ~(line_mode | IEXTEN);
    line.c_oflag &= ~OPOST;
    line.c_iflag = 0;
    termios_ = std::bit_cast<decltype(termios_)>(line);
}

bool SerialPort::is_raw() const {
    return (std::bit_cast<termios2>(termios_).c_lflag & line_mode) == 0;
}

unsigned SerialPort::baud() const {
    return speed_of(std::bit_cast<termios2>(termios_));
}

bool SerialPort::is_rs485() const {
    return (std::bit_cast<serial_rs485>(rs485_).flags & SER_RS485_ENABLED) != 0;
}

}  // namespace ringlet::testing
