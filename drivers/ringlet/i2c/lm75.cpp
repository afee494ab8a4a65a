// Registers of two bytes, the high one first: degrees in the upper byte, parts of 1/256 in the
// lower one, of which a chip fills as many bits as it has.
#include <ringlet/i2c/lm75.hpp>

#include <bit>

namespace ringlet::i2c {
namespace {

enum Register : std::uint8_t { temperature = 0, hysteresis = 2, overtemperature = 3 };

constexpr int limit_millicelsius = 128'000;

}  // namespace

Lm75::Lm75(Bus& bus, std::uint8_t address, unsigned bits)
    : chip_(bus, address), mask_(static_cast<std::uint16_t>(0xffffu << (16 - bits))) {
    RINGLET_ASSERT(bits >= 9 && bits <= 16);
}

Task<int> Lm75::read_millicelsius() {
    const std::uint16_t word = co_await chip_.read_word_data(temperature);
    const auto value = static_cast<std::int16_t>(std::byteswap(word) & mask_);
    co_return value * 1000 / 256;
}

std::uint16_t Lm75::to_register(int millicelsius) const {
    const int towards_zero = millicelsius < 0 ? 124 : 0;  // which division goes, and this does not
    const int steps = (millicelsius * 32 - towards_zero) / 125;  // 256 / 1000
    return std::byteswap(static_cast<std::uint16_t>(steps & mask_));
}

Task<void> Lm75::set_alert(int high_millicelsius, int low_millicelsius) {
    const bool valid = low_millicelsius >= -limit_millicelsius &&
                       low_millicelsius <= high_millicelsius &&
                       high_millicelsius < limit_millicelsius;
    if (!valid) co_await fail(Error(std::errc::invalid_argument, Domain::runtime));
    co_await chip_.write_word_data(hysteresis, to_register(low_millicelsius));
    co_await chip_.write_word_data(overtemperature, to_register(high_millicelsius));
}

}  // namespace ringlet::i2c
