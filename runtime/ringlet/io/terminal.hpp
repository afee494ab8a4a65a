// Terminal: a serial line, as far as it needs no driver: what a tty carries, both ways.
//
//   auto line = co_await Terminal::open("/dev/ttyAMA0");
//   LineReader lines(line, storage);
//
// Speed, parity and the like stay as they are set (stty): to set them is a driver's business.
// Buffers and paths belong to the caller and outlive the await. Reading and writing may run side by
// side, in two tasks; of each only one at a time. A destroyed terminal is closed in the background.
#pragma once

#include <ringlet/io/close.hpp>
#include <ringlet/io/transfer.hpp>

namespace ringlet {

struct TerminalOptions {
    // Bytes come as they are, at once: no lines, no echo, no signals (cfmakeraw(3)). Closing does
    // not set back what was there before: a serial line belongs to who uses it.
    bool raw = true;
};

class Terminal {
public:
    // For those who make descriptors. The descriptor is O_NONBLOCK.
    explicit Terminal(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // Opens a tty, with O_NOCTTY and O_CLOEXEC, and without waiting for a carrier (O_NONBLOCK).
    //
    // Errors: no_such_file_or_directory, permission_denied, inappropriate_io_control_operation if
    // it is no tty, ...; too_many_files_open with RuntimeDetail::descriptors at
    // Limits::descriptors.
    // Cancellation: what was opened is closed in the background.
    // Source: open(2), termios(3).
    static Task<Terminal> open(const char* path, TerminalOptions options = {});

    // Polls, then reads what is there; 0 once the line was hung up: the modem's carrier is gone,
    // the adapter was unplugged, the other side of a pty was closed. (The kernel says that with EIO
    // or with 0, depending on the side; both are the end here. A device's own fault is io_error.)
    // `into` must not be empty.
    //
    // Cancellation: nothing was read, or all that was is given.
    // Source: termios(3), tty_ioctl(4), poll(2), read(2).
    Task<std::size_t> read(std::span<std::byte> into);

    // Writes all: into the kernel's buffer, not onto the wire.
    //
    // Errors: io_error once the line was hung up.
    // Cancellation: any part may have been written.
    // Source: write(2).
    Task<void> write_all(std::span<const std::byte> from) {
        return write_everything(descriptor_.get(), from);
    }

    // Ends no other await on this line: let those end first.
    //
    // Cancellation: the line is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

}  // namespace ringlet
