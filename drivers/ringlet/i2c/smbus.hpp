// Smbus: one chip, spoken to by the calls of SMBus; on any adapter, also one that knows no I2C.
//
//   i2c::Smbus clock(bus, 0x68);
//   const unsigned seconds = co_await clock.read_byte_data(0);
//
// The calls have the names of the protocol (Documentation/i2c/smbus-protocol.rst of Linux). Words
// come with the low byte first; many chips send the high one first: std::byteswap. Line, errors and
// cancellation are the bus's (bus.hpp). Besides: device_or_resource_busy if a driver of the kernel
// has the chip, protocol_error if the chip breaks the protocol.
//
// A call sets the chip's address before its transfer, in the same job, so chips may share a bus.
#pragma once

#include <ringlet/i2c/bus.hpp>

namespace ringlet::i2c {

inline constexpr std::size_t smbus_block_bytes_max = 32;

// What the jobs below share.
class SmbusCall {
protected:
    // direction: I2C_SMBUS_READ or I2C_SMBUS_WRITE; kind: I2C_SMBUS_QUICK, ...
    SmbusCall(System& system, int descriptor, std::uint8_t address, std::uint8_t direction,
              std::uint8_t command, std::uint8_t kind)
        : system_(&system), descriptor_(descriptor), address_(address), direction_(direction),
          command_(command), kind_(kind) {}
    Result<void> make(::i2c_smbus_data& data) const;
    bool is_word() const { return kind_ == I2C_SMBUS_WORD_DATA; }

private:
    friend class Smbus;

    System* system_;
    int descriptor_;
    std::uint8_t address_;
    std::uint8_t direction_;
    std::uint8_t command_;
    std::uint8_t kind_;
};

// Each is a job: what goes out, and what comes back.
class SmbusWrite : SmbusCall {
public:
    SmbusWrite(SmbusCall call, std::uint16_t value = 0) : SmbusCall(call), value_(value) {}
    Result<void> operator()() const;

private:
    std::uint16_t value_;
};
class SmbusReadByte : SmbusCall {
public:
    explicit SmbusReadByte(SmbusCall call) : SmbusCall(call) {}
    Result<std::uint8_t> operator()() const;
};
class SmbusReadWord : SmbusCall {
public:
    explicit SmbusReadWord(SmbusCall call, std::uint16_t value = 0)
        : SmbusCall(call), value_(value) {}
    Result<std::uint16_t> operator()() const;

private:
    std::uint16_t value_;
};
class SmbusWriteBlock : SmbusCall {
public:
    SmbusWriteBlock(SmbusCall call, std::span<const std::byte> bytes)
        : SmbusCall(call), bytes_(bytes) {}
    Result<void> operator()() const;

private:
    std::span<const std::byte> bytes_;
};
class SmbusReadBlock : SmbusCall {
public:
    SmbusReadBlock(SmbusCall call, std::span<std::byte> into) : SmbusCall(call), into_(into) {}
    Result<std::size_t> operator()() const;

private:
    std::span<std::byte> into_;
};

class Smbus {
public:
    // The bus outlives it.
    Smbus(Bus& bus, std::uint8_t address) : bus_(&bus), address_(address) {
        RINGLET_ASSERT(address < 0x80);
    }

    // The address alone, with its last bit: whether the chip is there. Some chips take it as an
    // order, and some EEPROMs come to harm: see scan().
    Offload<SmbusWrite> quick(bool bit = false);
    // One byte, without a command.
    Offload<SmbusReadByte> read_byte();
    Offload<SmbusWrite> write_byte(std::uint8_t value);
    // A register of one byte.
    Offload<SmbusReadByte> read_byte_data(std::uint8_t command);
    Offload<SmbusWrite> write_byte_data(std::uint8_t command, std::uint8_t value);
    // A register of two.
    Offload<SmbusReadWord> read_word_data(std::uint8_t command);
    Offload<SmbusWrite> write_word_data(std::uint8_t command, std::uint16_t value);
    // Sends a word and gives the word that the chip answers.
    Offload<SmbusReadWord> process_call(std::uint8_t command, std::uint16_t value);
    // A block whose size the chip says. Gives how many bytes of `into`, which has room for
    // smbus_block_bytes_max, it fills.
    Offload<SmbusReadBlock> read_block_data(std::uint8_t command, std::span<std::byte> into);
    // 1 to smbus_block_bytes_max bytes, after their number.
    Offload<SmbusWriteBlock> write_block_data(std::uint8_t command,
                                              std::span<const std::byte> bytes);
    // The same without the number, as chips with many registers in a row have it.
    Offload<SmbusReadBlock> read_i2c_block_data(std::uint8_t command, std::span<std::byte> into);
    Offload<SmbusWriteBlock> write_i2c_block_data(std::uint8_t command,
                                                  std::span<const std::byte> bytes);

    Bus& bus() const { return *bus_; }
    std::uint8_t address() const { return address_; }

private:
    SmbusCall call(std::uint8_t direction, std::uint8_t command, std::uint8_t kind) const;

    Bus* bus_;
    std::uint8_t address_;
};

}  // namespace ringlet::i2c
