// The thermometer chip: its numbers, and what it says when it is gone.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/lm75.hpp>

namespace ringlet::support {
namespace {

TEST(Lm75, tells_the_temperature_on_both_sides_of_zero) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cThermometer chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Lm75 thermometer(bus, 0x48, i2c::tmp102_bits);
        for (const int value : {0, 25'000, 21'500, 125'000, -500, -25'250, -55'000, 62}) {
            chip.set_millicelsius(value);
            const int measured = co_await thermometer.read_millicelsius();
            EXPECT_NEAR(measured, value, 63);  // a step of it
        }
    });
}

TEST(Lm75, ignores_bits_that_the_chip_does_not_fill) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cThermometer chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Lm75 thermometer(bus, 0x48);
        chip.registers[0] = 0x197f;
        const int warm = co_await thermometer.read_millicelsius();
        EXPECT_EQ(warm, 25'000);
        chip.registers[0] = 0xe680;
        const int cold = co_await thermometer.read_millicelsius();
        EXPECT_EQ(cold, -25'500);
    });
}

TEST(Lm75, is_told_its_alert) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cThermometer chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Lm75 thermometer(bus, 0x48);
        co_await thermometer.set_alert(60'500, -10'000);
        EXPECT_EQ(chip.registers[3], 0x3c80);
        EXPECT_EQ(chip.registers[2], 0xf600);
        co_await thermometer.set_alert(60'499, -10'001);
        EXPECT_EQ(chip.registers[3], 0x3c00);
        EXPECT_EQ(chip.registers[2], 0xf580);
        const auto swapped = co_await attempt(thermometer.set_alert(10'000, 20'000));
        EXPECT_EQ(number_of(swapped), EINVAL);
        const auto hot = co_await attempt(thermometer.set_alert(128'000, 0));
        EXPECT_EQ(number_of(hot), EINVAL);
    });
}

TEST(Lm75, that_lost_its_power_is_not_there_and_comes_back) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cThermometer chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Lm75 thermometer(bus, 0x48);
        chip.deaf = true;
        const auto gone = co_await attempt(thermometer.read_millicelsius());
        EXPECT_TRUE(!gone && i2c::is_not_acknowledged(gone.error()));
        chip.deaf = false;
        chip.set_millicelsius(1'000);
        const int back = co_await thermometer.read_millicelsius();
        EXPECT_EQ(back, 1'000);
    });
}

}  // namespace
}  // namespace ringlet::support
