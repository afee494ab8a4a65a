// Bus: an I2C bus, shared by all tasks that have chips on it.
//
//   auto bus = co_await i2c::Bus::open("/dev/i2c-1");
//   std::array<std::byte, 6> axes;
//   const std::byte first{0x32};
//   co_await bus.write_read(0x53, std::span(&first, 1), axes);    // no stop in between
//
// A call is one transfer: a start, its messages, each after a repeated start, a stop. Transfers run
// one after another on the bus's own lane of the workers (Limits::workers), first come first
// served: i2c-dev knows nothing to wait on, and a transfer blocks. Another bus has another lane,
// and notices nothing. For SMBus see smbus.hpp; chips are in files of their own.
//
// Addresses have 7 bits, as i2cdetect shows them: 0x48, not 0x90. Bytes belong to the caller and
// outlive the await; a message has message_bytes_max of them at most.
//
// Errors of all calls: docs/i2c.md has the table. no_such_device_or_address or EREMOTEIO: no chip
// acknowledged (is_not_acknowledged); timed_out: the bus is stuck; resource_unavailable_try_again:
// another master won; operation_not_supported: the adapter cannot do it, or, with
// RuntimeDetail::workers, Limits::workers is 0.
//
// Cancellation of all calls: one that waits in line leaves it, and nothing was sent. One whose
// transfer runs waits for its end, about twice Limits::timeout at most, where the adapter keeps to
// it (docs/i2c.md); its value is delivered, and the next await unwinds. So the bus is idle, and
// usable, when the call has ended.
#pragma once

#include <ringlet/i2c/limits.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/work/offload.hpp>

#include <linux/i2c.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet::i2c {

// One message of a transfer; the kernel's i2c_msg, whose other flags may be set by who needs them.
struct Message : ::i2c_msg {
    // Of 0 to message_bytes_max bytes.
    static Message write(std::uint8_t address, std::span<const std::byte> bytes);
    static Message read(std::uint8_t address, std::span<std::byte> into);
};

// Did no chip acknowledge its address? It is absent, has no power, or is busy. (Drivers of adapters
// do not agree on the errno.)
bool is_not_acknowledged(Error error);

// A job: the messages of the caller, as one transfer.
class Transfer {
public:
    Transfer(System& system, int descriptor, std::span<Message> messages)
        : system_(&system), messages_(messages), descriptor_(descriptor) {}
    Result<void> operator()() const;

private:
    System* system_;
    std::span<Message> messages_;
    int descriptor_;
};

// A job: one or two messages of its own.
class Exchange {
public:
    Exchange(System& system, int descriptor, Message only)
        : system_(&system), messages_{only, {}}, count_(1), descriptor_(descriptor) {}
    Exchange(System& system, int descriptor, Message first, Message second)
        : system_(&system), messages_{first, second}, count_(2), descriptor_(descriptor) {}
    Result<void> operator()();

private:
    System* system_;
    std::array<Message, 2> messages_;
    unsigned count_;
    int descriptor_;
};

class Bus {
public:
    // Opens /dev/i2c-N and sets the limits.
    //
    // Errors: the kernel's; no_such_file_or_directory also if i2c-dev is not loaded;
    // inappropriate_io_control_operation if it is no I2C bus; too_many_files_open with
    // RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: what was opened is closed in the background.
    // Source: Documentation/i2c/dev-interface.rst of Linux.
    static Task<Bus> open(const char* path, Limits limits = {});

    // Can be moved until it is first used: chips refer to it.
    Bus(Bus&&) noexcept = default;

    // All messages as one transfer, up to messages_max.
    Offload<Transfer> transfer(std::span<Message> messages);
    // Sends `bytes`, or nothing: then it asks whether the chip is there.
    Offload<Exchange> write(std::uint8_t address, std::span<const std::byte> bytes);
    // Fills `into`.
    Offload<Exchange> read(std::uint8_t address, std::span<std::byte> into);
    // Sends `bytes`, a register's number mostly, then fills `into`, after a repeated start.
    Offload<Exchange> write_read(std::uint8_t address, std::span<const std::byte> bytes,
                                 std::span<std::byte> into);

    // What the adapter can do: I2C_FUNC_*, of <linux/i2c.h>.
    unsigned long functions() const { return functions_; }
    bool can(unsigned long functions) const { return (functions_ & functions) == functions; }

    // For those who make calls of their own.
    int descriptor() const { return file_.descriptor(); }
    Lane& lane() { return lane_; }

private:
    Bus(File file, unsigned long functions) : file_(std::move(file)), functions_(functions) {}

    File file_;
    Lane lane_;
    unsigned long functions_;
};

}  // namespace ringlet::i2c
