// I2C_SLAVE and I2C_SMBUS.
#include <ringlet/i2c/smbus.hpp>

#include <linux/i2c-dev.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringlet::i2c {
namespace {

bool is_block(std::size_t size) {
    return size >= 1 && size <= smbus_block_bytes_max;
}

}  // namespace

Result<void> SmbusCall::make(::i2c_smbus_data& data) const {
    const auto chosen = system_->control(descriptor_, I2C_SLAVE, address_);
    if (!chosen) return std::unexpected(chosen.error());
    i2c_smbus_ioctl_data call{
        .read_write = direction_, .command = command_, .size = kind_, .data = &data};
    const auto made = system_->control_object(descriptor_, I2C_SMBUS, call);
    if (!made) return std::unexpected(made.error());
    return {};
}

Result<void> SmbusWrite::operator()() const {
    ::i2c_smbus_data data{};
    if (is_word()) data.word = value_;
    else data.byte = static_cast<__u8>(value_);
    return make(data);
}

Result<std::uint8_t> SmbusReadByte::operator()() const {
    ::i2c_smbus_data data{};
    const auto made = make(data);
    if (!made) return std::unexpected(made.error());
    return data.byte;
}

Result<std::uint16_t> SmbusReadWord::operator()() const {
    ::i2c_smbus_data data{};
    data.word = value_;
    const auto made = make(data);
    if (!made) return std::unexpected(made.error());
    return data.word;
}

Result<void> SmbusWriteBlock::operator()() const {
    ::i2c_smbus_data data{};
    data.block[0] = static_cast<__u8>(bytes_.size());
    std::memcpy(&data.block[1], bytes_.data(), bytes_.size());
    return make(data);
}

Result<std::size_t> SmbusReadBlock::operator()() const {
    ::i2c_smbus_data data{};
    // An I2C block's size is the caller's.
    data.block[0] = static_cast<__u8>(std::min(into_.size(), smbus_block_bytes_max));
    const auto made = make(data);
    if (!made) return std::unexpected(made.error());
    // Not every driver of an adapter looks at what the chip says.
    if (data.block[0] > smbus_block_bytes_max) return std::unexpected(Error::kernel(EPROTO));
    const std::size_t count = std::min<std::size_t>(data.block[0], into_.size());
    std::memcpy(into_.data(), &data.block[1], count);
    return count;
}

SmbusCall Smbus::call(std::uint8_t direction, std::uint8_t command, std::uint8_t kind) const {
    return {scheduler().system(), bus_->descriptor(), address_, direction, command, kind};
}

Offload<SmbusWrite> Smbus::quick(bool bit) {
    const std::uint8_t direction = bit ? I2C_SMBUS_READ : I2C_SMBUS_WRITE;
    return offload(bus_->lane(), SmbusWrite(call(direction, 0, I2C_SMBUS_QUICK)));
}

Offload<SmbusReadByte> Smbus::read_byte() {
    return offload(bus_->lane(), SmbusReadByte(call(I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE)));
}

// The byte goes where others have their command.
Offload<SmbusWrite> Smbus::write_byte(std::uint8_t value) {
    return offload(bus_->lane(), SmbusWrite(call(I2C_SMBUS_WRITE, value, I2C_SMBUS_BYTE)));
}

Offload<SmbusReadByte> Smbus::read_byte_data(std::uint8_t command) {
    return offload(bus_->lane(),
                   SmbusReadByte(call(I2C_SMBUS_READ, command, I2C_SMBUS_BYTE_DATA)));
}

Offload<SmbusWrite> Smbus::write_byte_data(std::uint8_t command, std::uint8_t value) {
    return offload(bus_->lane(),
                   SmbusWrite(call(I2C_SMBUS_WRITE, command, I2C_SMBUS_BYTE_DATA), value));
}

Offload<SmbusReadWord> Smbus::read_word_data(std::uint8_t command) {
    return offload(bus_->lane(),
                   SmbusReadWord(call(I2C_SMBUS_READ, command, I2C_SMBUS_WORD_DATA)));
}

Offload<SmbusWrite> Smbus::write_word_data(std::uint8_t command, std::uint16_t value) {
    return offload(bus_->lane(),
                   SmbusWrite(call(I2C_SMBUS_WRITE, command, I2C_SMBUS_WORD_DATA), value));
}

Offload<SmbusReadWord> Smbus::process_call(std::uint8_t command, std::uint16_t value) {
    return offload(bus_->lane(),
                   SmbusReadWord(call(I2C_SMBUS_WRITE, command, I2C_SMBUS_PROC_CALL), value));
}

Offload<SmbusReadBlock> Smbus::read_block_data(std::uint8_t command, std::span<std::byte> into) {
    RINGLET_ASSERT(into.size() >= smbus_block_bytes_max);
    return offload(bus_->lane(),
                   SmbusReadBlock(call(I2C_SMBUS_READ, command, I2C_SMBUS_BLOCK_DATA), into));
}

Offload<SmbusWriteBlock> Smbus::write_block_data(std::uint8_t command,
                                                 std::span<const std::byte> bytes) {
    RINGLET_ASSERT(is_block(bytes.size()));
    return offload(bus_->lane(),
                   SmbusWriteBlock(call(I2C_SMBUS_WRITE, command, I2C_SMBUS_BLOCK_DATA), bytes));
}

Offload<SmbusReadBlock> Smbus::read_i2c_block_data(std::uint8_t command,
                                                   std::span<std::byte> into) {
    RINGLET_ASSERT(is_block(into.size()));
    return offload(bus_->lane(),
                   SmbusReadBlock(call(I2C_SMBUS_READ, command, I2C_SMBUS_I2C_BLOCK_DATA), into));
}

Offload<SmbusWriteBlock> Smbus::write_i2c_block_data(std::uint8_t command,
                                                     std::span<const std::byte> bytes) {
    RINGLET_ASSERT(is_block(bytes.size()));
    return offload(
        bus_->lane(),
        SmbusWriteBlock(call(I2C_SMBUS_WRITE, command, I2C_SMBUS_I2C_BLOCK_DATA), bytes));
}

}  // namespace ringlet::i2c
