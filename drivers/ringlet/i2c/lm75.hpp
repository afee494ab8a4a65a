// Lm75: a thermometer chip, LM75 and its many kin: LM75A, TMP75, TMP102, TMP112, DS75, ...
//
//   i2c::Lm75 thermometer(bus, 0x48, i2c::tmp102_bits);
//   const int temperature = co_await thermometer.read_millicelsius();
//
// Source: National Semiconductor, LM75 data sheet; Texas Instruments, SBOS397 (TMP102).
#pragma once

#include <ringlet/i2c/smbus.hpp>

namespace ringlet::i2c {

// How finely they measure: half a degree, an eighth, a sixteenth.
inline constexpr unsigned lm75_bits = 9;
inline constexpr unsigned lm75a_bits = 11;
inline constexpr unsigned tmp102_bits = 12;

class Lm75 {
public:
    // The bus outlives it. Nothing is sent yet. `bits`: 9 to 16.
    Lm75(Bus& bus, std::uint8_t address, unsigned bits = lm75_bits);

    // The temperature that was measured last, in thousandths of a degree Celsius. The chip measures
    // on its own, every 30 to 300 ms.
    //
    // Errors, Cancellation: as of the bus.
    Task<int> read_millicelsius();

    // The chip's output for alerts turns on above `high`, and off below `low`, both in thousandths
    // of a degree and rounded down to the chip's steps.
    //
    // Errors: as of the bus; invalid_argument (Domain::runtime) unless -128000 <= low <= high <
    // 128000.
    // Cancellation: `low` may be set and `high` not.
    Task<void> set_alert(int high_millicelsius, int low_millicelsius);

private:
    std::uint16_t to_register(int millicelsius) const;

    Smbus chip_;
    std::uint16_t mask_;  // of the register's bits that count
};

}  // namespace ringlet::i2c
