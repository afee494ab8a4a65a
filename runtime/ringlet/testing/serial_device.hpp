// SerialDevice: what stands at the other end of a simulated serial line; for a peer.
//
//   Task<void> thermometer(const char* path) {
//       auto device = co_await SerialDevice::open(path);    // World::make_terminal() has made it
//       std::array<char, 64> storage;
//       LineReader commands(device, storage);
//       for (;;) {
//           const auto command = co_await commands.next();
//           co_await sleep(20ms);
//           co_await device.write_all(bytes_of("21.5\n"));
//       }
//   }
//
// Bytes belong to the caller and outlive the await. Reading and writing may run side by side, in
// two tasks. Closing the device leaves the line as it is: a device that falls silent hangs up
// nothing.
#pragma once

#include <ringlet/io/close.hpp>
#include <ringlet/io/transfer.hpp>
#include <ringlet/testing/virtual_time.hpp>

namespace ringlet::testing {

class SerialDevice {
public:
    // The other end of the tty at `path`. Synchronous. What the program has written so far is there
    // to be read.
    //
    // Errors: no_such_file_or_directory if there is no such tty; too_many_files_open with
    // RuntimeDetail::descriptors at Limits::descriptors.
    static Result<SerialDevice> open(const char* path);

    // Reads what the program has written, or waits for something; 0 after a hang-up.
    //
    // Cancellation: nothing was read, or all that was is given.
    ReadOperation read(std::span<std::byte> into) {
        return ReadOperation(descriptor_.get(), into, ringlet::at_position);
    }

    // Sends all to the program. While SimulationOptions::terminal_bytes stand in line, it waits for
    // the program to read.
    //
    // Errors: io_error after a hang-up.
    // Cancellation: any part may have been sent.
    Task<void> write_all(std::span<const std::byte> from) {
        return write_everything(descriptor_.get(), from);
    }

    // One byte that is broken on its way, or a break, if there is room for it.
    void send_flawed(char byte, Flaw flaw) { line_->feed_flawed(byte, flaw); }
    // The carrier goes, or the plug is pulled: the program reads the end, and cannot write.
    void hang_up() { line_->hang_up(); }
    // Whether the program has made its side raw.
    bool is_raw() const { return line_->is_raw(); }
    // What the program's side is set to, and what it cannot do.
    SerialPort& port() const { return line_->port; }

private:
    SerialDevice(Descriptor descriptor, TerminalLine& line)
        : descriptor_(std::move(descriptor)), line_(&line) {}

    Descriptor descriptor_;
    TerminalLine* line_;
};

inline Result<SerialDevice> SerialDevice::open(const char* path) {
    TerminalLine* const line = world().terminal(path);
    if (line == nullptr) return std::unexpected(Error::kernel(ENOENT));
    if (!scheduler().reserve_descriptor()) {
        return std::unexpected(Error(std::errc::too_many_files_open, RuntimeDetail::descriptors));
    }
    const int number = world().open_device(*line);
    if (number >= 0) return SerialDevice(Descriptor(number), *line);
    scheduler().release_descriptor();
    return std::unexpected(Error::kernel(-number));
}

}  // namespace ringlet::testing
