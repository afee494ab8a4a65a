// The requests of a tty: tty_ioctl(4), ioctl_tty(2), termios(3).
#include <ringlet/uart/settings.hpp>

#include <ringlet/uart/error.hpp>

#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/ioctl.h>

#include <bit>
#include <cstdlib>
#include <utility>

namespace ringlet::uart {
namespace {

constexpr tcflag_t input_speed = CBAUD << IBSHIFT;
// What hardware may refuse; the kernel then sets another, and says nothing.
constexpr tcflag_t format_flags = CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS;
// So far from each other sender and receiver still understand each other.
constexpr unsigned baud_error_percent = 3;

tcflag_t format_of(const Options& options) {
    constexpr tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    constexpr tcflag_t parities[] = {0, PARENB, PARENB | PARODD, PARENB | PARODD | CMSPAR,
                                     PARENB | CMSPAR};
    tcflag_t flags = sizes[options.data_bits - 5] | parities[static_cast<int>(options.parity)];
    if (options.stop_bits == 2) flags |= CSTOPB;
    if (options.flow_control == FlowControl::hardware) flags |= CRTSCTS;
    return flags;
}

// IUCLC does nothing without IEXTEN, but keeps n_tty from its shortest way, on which bytes of USB
// adapters pass with whatever is wrong with them, and an overrun is a zero. INPCK alone does, too.
tcflag_t bad_byte_flags_of(BadBytes bad_bytes) {
    switch (bad_bytes) {
        case BadBytes::drop: return IUCLC | INPCK | IGNPAR | IGNBRK;
        case BadBytes::keep: return IUCLC;
        case BadBytes::zero: return INPCK;
    }
    std::unreachable();
}

tcflag_t input_flags_of(const Options& options) {
    tcflag_t flags = bad_byte_flags_of(options.bad_bytes);
    if (options.flow_control == FlowControl::software) flags |= IXON | IXOFF;
    return flags;
}

// As cfmakeraw(3) does; CLOCAL: whatever the modem's lines say.
void make_raw(termios2& line, const Options& options) {
    line.c_iflag = input_flags_of(options);
    line.c_oflag &= ~OPOST;
    line.c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    line.c_cflag &= ~(format_flags | CBAUD | input_speed);  // without the latter: as the output's
    line.c_cflag |= format_of(options) | BOTHER | CREAD | CLOCAL;
    line.c_ispeed = line.c_ospeed = options.baud;
}

serial_rs485 rs485_of(const Rs485& options) {
    const auto in_range = [](std::chrono::milliseconds delay) {
        return delay.count() >= 0 && std::in_range<__u32>(delay.count());
    };
    RINGLET_ASSERT(in_range(options.delay_before) && in_range(options.delay_after));
    serial_rs485 bus{};
    bus.flags = SER_RS485_ENABLED;
    bus.flags |= options.rts_on_send ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND;
    if (options.receive_own) bus.flags |= SER_RS485_RX_DURING_TX;
    bus.delay_rts_before_send = static_cast<__u32>(options.delay_before.count());
    bus.delay_rts_after_send = static_cast<__u32>(options.delay_after.count());
    return bus;
}

// The kernel leaves out what the hardware has not, shortens delays, and tells what became of it.
bool is_as_asked(const serial_rs485& made, const serial_rs485& asked) {
    constexpr __u32 flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND |
                            SER_RS485_RX_DURING_TX;
    return (made.flags & flags) == (asked.flags & flags) &&
           made.delay_rts_before_send == asked.delay_rts_before_send &&
           made.delay_rts_after_send == asked.delay_rts_after_send;
}

bool is_near(unsigned baud, unsigned wanted) {
    const std::int64_t apart = std::abs(std::int64_t{baud} - std::int64_t{wanted});
    return apart * 100 <= std::int64_t{wanted} * baud_error_percent;
}

}  // namespace

Counters operator-(const Counters& now, const Counters& before) {
    return {.received = now.received - before.received,
            .sent = now.sent - before.sent,
            .parity = now.parity - before.parity,
            .framing = now.framing - before.framing,
            .breaks = now.breaks - before.breaks,
            .overruns = now.overruns - before.overruns,
            .buffer_overruns = now.buffer_overruns - before.buffer_overruns};
}

Result<Port::Settings> Port::settings() const {
    termios2 line{};
    const auto told = ask(TCGETS2, line);
    if (!told) return std::unexpected(told.error());
    serial_rs485 bus{};
    const bool has_rs485 = ask(TIOCGRS485, bus).has_value();
    return Settings{.termios = std::bit_cast<decltype(Settings::termios)>(line),
                    .rs485 = std::bit_cast<decltype(Settings::rs485)>(bus),
                    .has_rs485 = has_rs485};
}

void Port::put_back(const Settings& settings) const {
    auto line = std::bit_cast<termios2>(settings.termios);
    auto bus = std::bit_cast<serial_rs485>(settings.rs485);
    if (settings.has_rs485) (void)ask(TIOCSRS485, bus);
    (void)ask(TCSETS2, line);
}

Result<bool> Port::keep_others_out() const {
    int already = 0;
    if (ask(TIOCGEXCL, already) && already != 0) return false;
    const auto done = system_.control(descriptor_, TIOCEXCL, 0);
    if (!done) return std::unexpected(done.error());
    return true;
}

void Port::let_others_in() const {
    (void)system_.control(descriptor_, TIOCNXCL, 0);
}

Result<unsigned> Port::set(const Options& options) const {
    RINGLET_ASSERT(options.data_bits >= 5 && options.data_bits <= 8);
    RINGLET_ASSERT(options.stop_bits == 1 || options.stop_bits == 2);
    RINGLET_ASSERT(options.baud > 0);
    termios2 line{};
    if (const auto told = ask(TCGETS2, line); !told) return std::unexpected(told.error());
    make_raw(line, options);
    if (const auto set = ask(TCSETS2, line); !set) return std::unexpected(set.error());
    termios2 made{};
    if (const auto told = ask(TCGETS2, made); !told) return std::unexpected(told.error());
    if ((made.c_cflag & format_flags) != format_of(options)) {
        return std::unexpected(error_of(Detail::format));
    }
    if (!is_near(made.c_ospeed, options.baud)) return std::unexpected(error_of(Detail::baud));
    if (options.rs485) {
        serial_rs485 bus = rs485_of(*options.rs485);
        if (const auto set = ask(TIOCSRS485, bus); !set) return std::unexpected(set.error());
        if (!is_as_asked(bus, rs485_of(*options.rs485))) {
            return std::unexpected(error_of(Detail::rs485));
        }
    }
    return made.c_ospeed;
}

Result<Counters> Port::counters() const {
    serial_icounter_struct count{};
    const auto told = ask(TIOCGICOUNT, count);
    if (!told) return std::unexpected(told.error());
    return Counters{.received = static_cast<std::uint32_t>(count.rx),
                    .sent = static_cast<std::uint32_t>(count.tx),
                    .parity = static_cast<std::uint32_t>(count.parity),
                    .framing = static_cast<std::uint32_t>(count.frame),
                    .breaks = static_cast<std::uint32_t>(count.brk),
                    .overruns = static_cast<std::uint32_t>(count.overrun),
                    .buffer_overruns = static_cast<std::uint32_t>(count.buf_overrun)};
}

Result<unsigned> Port::unsent() const {
    int bytes = 0;
    const auto told = ask(TIOCOUTQ, bytes);
    if (!told) return std::unexpected(told.error());
    return static_cast<unsigned>(bytes);
}

bool Port::has_sent_all() const {
    unsigned status = 0;
    const auto told = ask(TIOCSERGETLSR, status);
    return !told || (status & TIOCSER_TEMT) != 0;
}

Result<void> Port::set_break(bool on) const {
    const auto done = system_.control(descriptor_, on ? TIOCSBRK : TIOCCBRK, 0);
    if (!done) return std::unexpected(done.error());
    return {};
}

Result<void> Port::discard_received() const {
    const auto done = system_.control(descriptor_, TCFLSH, TCIFLUSH);
    if (!done) return std::unexpected(done.error());
    return {};
}

void Port::discard_unsent() const {
    (void)system_.control(descriptor_, TCFLSH, TCOFLUSH);
}

}  // namespace ringlet::uart
