// Uart: a serial line with all its settings: speed, parity, flow control, RS-485.
//
//   auto line = co_await uart::Uart::open("/dev/ttyAMA0", {.baud = 19'200,
//                                                          .parity = uart::Parity::even});
//   std::array<char, 256> storage;
//   LineReader answers(line, storage, {.delimiter = '\r'});     // reads until a '\r'
//   co_await line.write_all(bytes_of("T?\r"));
//   const auto answer = co_await timeout(100ms, answers.next());
//
// It is a ByteSource: LineReader and FrameReader read from it, and keep what came after a line or
// frame for the next one. The kernel keeps what nobody reads, 4 KiB and more; what it has no room
// for is counted.
//
// Reading and writing may run side by side, in two tasks; of each only one at a time. Buffers and
// paths belong to the caller and outlive the await.
#pragma once

#include <ringlet/io/terminal.hpp>
#include <ringlet/uart/settings.hpp>

namespace ringlet::uart {

class Uart {
public:
    // Opens a tty, raw, with these settings; without waiting for a carrier.
    //
    // Errors: no_such_file_or_directory, permission_denied, device_or_resource_busy: somebody has
    // it, and it is exclusive; inappropriate_io_control_operation: no tty, or one that cannot be
    // RS-485; invalid_argument with uart::Detail::baud, ::format or ::rs485: the hardware cannot
    // have it so; too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: the settings are put back, and what was opened is closed in the background.
    // Source: termios(3), ioctl_tty(2); Documentation/driver-api/serial/serial-rs485.rst of Linux.
    static Task<Uart> open(const char* path, Options options = {});

    Uart(Uart&&) noexcept = default;
    Uart& operator=(Uart&& other) noexcept;
    // Puts the settings back as they were before open(), and closes in the background. What was
    // not sent is thrown away: the kernel would wait for it, on the loop, for up to 30 seconds; so
    // close(), or drain(), first.
    ~Uart() { let_go(); }

    // What there is, one byte at least, up to the size of `into`, which is not empty; 0 once the
    // line was hung up: the adapter was unplugged, the other side of a pty was closed.
    //
    // Errors: io_error, a fault of the device.
    // Cancellation: nothing was read, or all that was is given; so no byte is lost.
    Task<std::size_t> read(std::span<std::byte> into) { return terminal_.read(into); }

    // Throws away what has come and was not read, as an answer that came too late. A reader on the
    // line keeps what it holds.
    //
    // Errors: io_error once the line was hung up.
    Result<void> discard_received() { return port().discard_received(); }

    // Writes all: into the kernel's buffer, not onto the wire. Waits while that is full, and as
    // long as flow control holds it up.
    //
    // Errors: io_error once the line was hung up.
    // Cancellation: any part may have been written, and is sent.
    Task<void> write_all(std::span<const std::byte> from) { return terminal_.write_all(from); }

    // Waits until all that was written is on the wire. Under flow control that may be never.
    //
    // Errors: io_error once the line was hung up.
    // Cancellation: it is sent nevertheless.
    Task<void> drain();

    // Sends what was written, then a break of that length.
    //
    // Errors: drain()'s.
    // Cancellation: a break that has begun ends.
    Task<void> send_break(Nanoseconds length = std::chrono::milliseconds(250));

    // Other settings from now on; whether others are kept out stays as open() was told. Best when
    // nothing is under way, either way.
    //
    // Errors: open()'s; the settings may then be any of the two.
    Result<void> set(Options options);

    // What the kernel's driver has counted since the line was opened. Errors of the line are seen
    // here and nowhere else.
    //
    // Errors: inappropriate_io_control_operation: it counts nothing; a pty, some USB adapters.
    Result<Counters> counters() const;

    // Bits a second, as the kernel's driver tells them, within 3 % of what was asked for. Many tell
    // only what was asked, however near the hardware comes to it.
    unsigned baud() const { return baud_; }

    // drain(), then the settings are put back, and the line is closed; is_open() is false from the
    // first step on. Harmless on a closed one. Ends no other await on it: let those end first.
    //
    // Errors: drain()'s; it is closed nevertheless.
    // Cancellation: as when destroyed.
    Task<void> close();

    bool is_open() const { return terminal_.is_open(); }
    int descriptor() const { return terminal_.descriptor(); }

private:
    explicit Uart(Terminal terminal) : terminal_(std::move(terminal)) {}

    Port port() const { return Port(scheduler().system(), descriptor()); }
    void let_go();

    Terminal terminal_;
    std::optional<Port::Settings> before_;  // open() has changed them
    Counters counted_before_;
    unsigned baud_ = 0;
    unsigned bits_ = 10;  // of a byte on the wire
    bool alone_ = false;  // open() has kept others out
};

}  // namespace ringlet::uart
