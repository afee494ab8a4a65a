// The driver on the kernel's i2c-dev, against its simulated bus (i2c-stub), on /dev/i2c-0. A real
// bus there is left alone: its chips may be the memory modules' own.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/at24.hpp>
#include <ringlet/i2c/lm75.hpp>
#include <ringlet/i2c/scan.hpp>

#include <chrono>
#include <fstream>
#include <string>

namespace ringlet::support {
namespace {

constexpr const char* stub_path = "/dev/i2c-0";
constexpr std::uint8_t first_chip = 0x48;
constexpr std::uint8_t second_chip = 0x50;

bool stub_is_there() {
    std::ifstream file("/sys/bus/i2c/devices/i2c-0/name");
    std::string name;
    return std::getline(file, name) && name.starts_with("SMBus stub");
}

Runtime<i2c_limits> kernel_runtime;

class KernelI2c : public ::testing::Test {
protected:
    void SetUp() override {
        if (!stub_is_there()) {
            GTEST_SKIP() << stub_path << " is no i2c-stub: modprobe i2c-dev; "
                                         "modprobe i2c-stub chip_addr=0x48,0x50";
        }
    }
};

TEST_F(KernelI2c, reads_and_writes_the_registers_of_a_chip) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        i2c::Smbus chip(bus, second_chip);
        co_await chip.write_byte_data(7, 0x5a);
        const unsigned byte = co_await chip.read_byte_data(7);
        EXPECT_EQ(byte, 0x5au);
        co_await chip.write_word_data(8, 0x1234);
        const unsigned word = co_await chip.read_word_data(8);
        EXPECT_EQ(word, 0x1234u);
        const auto out = some_bytes(1, 2, 3, 4, 5);
        co_await chip.write_i2c_block_data(0x40, out);
        std::array<std::byte, 5> in{};
        const std::size_t count = co_await chip.read_i2c_block_data(0x40, in);
        EXPECT_EQ(count, 5u);
        EXPECT_EQ(in, out);
        co_await chip.quick();
    });
}

TEST_F(KernelI2c, reads_a_thermometer) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        i2c::Smbus chip(bus, first_chip);
        i2c::Lm75 thermometer(bus, first_chip, i2c::tmp102_bits);
        co_await chip.write_word_data(0, 0x80e7);  // -24.5 degrees, its bytes swapped
        const int temperature = co_await thermometer.read_millicelsius();
        EXPECT_EQ(temperature, -24'500);
    });
}

TEST_F(KernelI2c, finds_the_chips) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        const auto found = co_await i2c::scan(bus);
        EXPECT_EQ(found.chips.count(), 2u);
        EXPECT_TRUE(found.chips.test(first_chip));
        EXPECT_TRUE(found.chips.test(second_chip));
    });
}

TEST_F(KernelI2c, tells_what_is_absent_and_what_the_adapter_cannot_do) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        EXPECT_FALSE(bus.can(I2C_FUNC_I2C));
        const auto absent = co_await attempt(i2c::Smbus(bus, 0x33).read_byte_data(0));
        EXPECT_EQ(number_of(absent), ENODEV);  // i2c-stub's own word for it
        std::array<std::byte, 1> in{};
        const auto plain = co_await attempt(bus.read(first_chip, in));
        EXPECT_EQ(number_of(plain), EOPNOTSUPP);
    });
}

TEST_F(KernelI2c, is_shared_by_tasks_and_leaves_the_loop_free) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        unsigned turns = 0;
        const auto fill = [&](std::uint8_t address) -> Task<void> {
            i2c::Smbus chip(bus, address);
            for (unsigned i = 0; i < 200; ++i) {
                const auto command = static_cast<std::uint8_t>(0x10 + i % 8);
                co_await chip.write_byte_data(command, address);
                const unsigned byte = co_await chip.read_byte_data(command);
                EXPECT_EQ(byte, address);
            }
        };
        const auto turn = [&]() -> Task<void> {
            for (;; ++turns) co_await yield();
        };
        const auto both = [&]() -> Task<void> {
            co_await gather(fill(first_chip), fill(second_chip));
        };
        co_await race(both(), turn());
        EXPECT_GT(turns, 0u);
    });
}

TEST_F(KernelI2c, is_usable_after_calls_were_cut_short) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(stub_path);
        i2c::Smbus chip(bus, second_chip);
        for (unsigned i = 0; i < 50; ++i) {
            (void)co_await attempt(timeout(std::chrono::microseconds(i), chip.read_byte_data(0)));
        }
        co_await chip.write_byte_data(1, 0x77);
        const unsigned byte = co_await chip.read_byte_data(1);
        EXPECT_EQ(byte, 0x77u);
    });
}

}  // namespace
}  // namespace ringlet::support
