// Finding out what is on a bus.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/scan.hpp>

namespace ringlet::support {
namespace {

TEST(I2cScan, finds_the_chips_that_answer_and_those_that_the_kernel_has) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chips[4];
        adapter.attach(0x07, chips[0]);  // outside of what is asked
        adapter.attach(0x48, chips[1]);
        adapter.attach(0x50, chips[2]);
        adapter.attach(0x68, chips[3]);
        adapter.claim(0x68);
        auto bus = co_await i2c::Bus::open(bus_path);
        const auto found = co_await i2c::scan(bus);
        EXPECT_EQ(found.chips.count(), 2u);
        EXPECT_TRUE(found.chips.test(0x48));
        EXPECT_TRUE(found.chips.test(0x50));
        EXPECT_EQ(found.taken.count(), 1u);
        EXPECT_TRUE(found.taken.test(0x68));
    });
}

TEST(I2cScan, asks_in_the_way_that_the_adapter_can) {
    constexpr unsigned long ways[] = {I2C_FUNC_SMBUS_QUICK, I2C_FUNC_SMBUS_READ_BYTE};
    for (const unsigned long way : ways) {
        on_bus(
            [](I2cAdapter& adapter) -> Task<void> {
                I2cRegisters chips[2];
                adapter.attach(0x10, chips[0]);
                adapter.attach(0x57, chips[1]);
                auto bus = co_await i2c::Bus::open(bus_path);
                const auto found = co_await i2c::scan(bus);
                EXPECT_EQ(found.chips.count(), 2u);
            },
            {.functions = way});
    }
    on_bus(
        [](I2cAdapter&) -> Task<void> {
            auto bus = co_await i2c::Bus::open(bus_path);
            const auto found = co_await attempt(i2c::scan(bus));
            EXPECT_EQ(number_of(found), EOPNOTSUPP);
        },
        {.functions = I2C_FUNC_SMBUS_WORD_DATA});
}

TEST(I2cScan, gives_up_at_once_on_a_bus_that_is_stuck) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path, {.timeout = 100ms});
        adapter.get_stuck(true);
        const auto found = co_await attempt(i2c::scan(bus));
        EXPECT_EQ(number_of(found), ETIMEDOUT);
        EXPECT_EQ(adapter.transfers(), 1u);
    });
}

}  // namespace
}  // namespace ringlet::support
