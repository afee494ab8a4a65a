// Chips for a simulated I2C bus (i2c_adapter.hpp): what a program can see of them.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ringlet::testing {

// A chip answers byte by byte. `now`: the monotonic clock, as far as the transfer has come.
class I2cChip {
public:
    I2cChip() = default;
    I2cChip(const I2cChip&) = delete;
    I2cChip& operator=(const I2cChip&) = delete;

    // A start, or a repeated one, with the chip's address. False: it does not acknowledge.
    virtual bool start(bool reads, Instant now) = 0;
    // False: it does not acknowledge the byte.
    virtual bool write(std::byte value) = 0;
    virtual std::byte read() = 0;
    // The end of the transfer.
    virtual void stop(Instant now) = 0;

protected:
    ~I2cChip() = default;
};

// 256 registers of a byte. The first byte written chooses one; each byte read or written after that
// goes to the next.
class I2cRegisters final : public I2cChip {
public:
    std::array<std::byte, 256> registers{};
    bool deaf = false;  // it acknowledges nothing: no power, or busy

    bool start(bool reads, Instant) override {
        chooses_ = !reads;
        return !deaf;
    }
    bool write(std::byte value) override {
        if (chooses_) place_ = static_cast<std::uint8_t>(value);
        else registers[place_++] = value;
        chooses_ = false;
        return true;
    }
    std::byte read() override { return registers[place_++]; }
    void stop(Instant) override {}

private:
    std::uint8_t place_ = 0;
    bool chooses_ = false;
};

// A thermometer of the LM75 family: registers of two bytes, the high one first.
class I2cThermometer final : public I2cChip {
public:
    std::array<std::uint16_t, 4> registers{0, 0, 0x4b00, 0x5000};  // as an LM75 wakes up
    bool deaf = false;

    // What it measures, in its own steps: of `bits`, the register's upper ones.
    void set_millicelsius(int value, unsigned bits = 12) {
        const int steps = value * 32 / 125;
        registers[0] = static_cast<std::uint16_t>(steps & (0xffff << (16 - bits)));
    }

    bool start(bool reads, Instant) override {
        chooses_ = !reads;
        high_ = true;
        return !deaf;
    }
    bool write(std::byte value) override {
        if (chooses_) pointer_ = static_cast<unsigned>(value) & 3;
        else if (pointer_ != 0) take_in(value);
        chooses_ = false;
        return true;
    }
    std::byte read() override {
        const std::uint16_t value = registers[pointer_];
        const unsigned byte = high_ ? value >> 8 : value & 0xff;
        high_ = !high_;
        return static_cast<std::byte>(byte);
    }
    void stop(Instant) override {}

private:
    void take_in(std::byte value) {
        std::uint16_t& it = registers[pointer_];
        const auto byte = static_cast<unsigned>(value);
        it = static_cast<std::uint16_t>(high_ ? (byte << 8) | (it & 0xff) : (it & 0xff00) | byte);
        high_ = !high_;
    }

    unsigned pointer_ = 0;
    bool chooses_ = false;
    bool high_ = true;
};

// An EEPROM of the AT24 family, of up to 64 KiB behind one address. What is written is stored at
// the stop, within one page, around whose end the place wraps; then the chip is deaf for
// `write_time`.
template <std::size_t bytes, std::size_t page_bytes, unsigned address_bytes>
class I2cEeprom final : public I2cChip {
public:
    std::array<std::byte, bytes> memory{};
    Nanoseconds write_time{5'000'000};
    unsigned pages_written = 0;

    bool start(bool reads, Instant now) override {
        if (now < deaf_until_) return false;
        if (!reads) left_ = address_bytes;
        return true;
    }
    bool write(std::byte value) override {
        if (left_ > 0) {
            --left_;
            place_ = ((place_ << 8) | static_cast<std::size_t>(value)) % bytes;
            return true;
        }
        const std::size_t in_page = place_ % page_bytes;
        page_start_ = place_ - in_page;
        if (!dirty_) std::copy_n(memory.begin() + page_start_, page_bytes, page_.begin());
        dirty_ = true;
        page_[in_page] = value;
        place_ = page_start_ + (in_page + 1) % page_bytes;
        return true;
    }
    std::byte read() override {
        const std::byte value = memory[place_];
        place_ = (place_ + 1) % bytes;
        return value;
    }
    void stop(Instant now) override {
        if (!dirty_) return;
        dirty_ = false;
        std::copy_n(page_.begin(), page_bytes, memory.begin() + page_start_);
        ++pages_written;
        deaf_until_ = later(now, write_time);
    }

private:
    static_assert(bytes % page_bytes == 0);

    std::size_t place_ = 0;
    std::size_t page_start_ = 0;
    unsigned left_ = 0;  // bytes of the place that are still to come
    bool dirty_ = false;
    std::array<std::byte, page_bytes> page_{};
    Instant deaf_until_ = 0;
};

}  // namespace ringlet::testing
