// The calls of SMBus, on a simulated chip of registers.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/smbus.hpp>

#include <linux/i2c-dev.h>

namespace ringlet::support {
namespace {

TEST(Smbus, reads_and_writes_registers_of_one_byte_and_of_two) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x68, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Smbus clock(bus, 0x68);
        co_await clock.write_byte_data(7, 0x5a);
        EXPECT_EQ(chip.registers[7], std::byte{0x5a});
        const unsigned byte = co_await clock.read_byte_data(7);
        EXPECT_EQ(byte, 0x5au);
        co_await clock.write_word_data(8, 0x1234);
        EXPECT_EQ(chip.registers[8], std::byte{0x34});
        EXPECT_EQ(chip.registers[9], std::byte{0x12});
        const unsigned word = co_await clock.read_word_data(8);
        EXPECT_EQ(word, 0x1234u);
    });
}

TEST(Smbus, reads_and_writes_without_a_command) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x20, chip);
        chip.registers[3] = std::byte{9};
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Smbus expander(bus, 0x20);
        co_await expander.quick();
        co_await expander.quick(true);
        co_await expander.write_byte(3);
        const unsigned byte = co_await expander.read_byte();
        EXPECT_EQ(byte, 9u);
    });
}

TEST(Smbus, carries_blocks_with_their_size_and_without) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x0b, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Smbus battery(bus, 0x0b);
        const auto out = some_bytes(7, 8, 9);
        co_await battery.write_block_data(0x40, out);
        EXPECT_EQ(chip.registers[0x40], std::byte{3});
        EXPECT_EQ(chip.registers[0x43], std::byte{9});
        std::array<std::byte, 32> in{};
        const std::size_t count = co_await battery.read_block_data(0x40, in);
        EXPECT_EQ(count, 3u);
        EXPECT_EQ(in[2], std::byte{9});
        co_await battery.write_i2c_block_data(0x50, out);
        EXPECT_EQ(chip.registers[0x50], std::byte{7});
        const std::size_t same = co_await battery.read_i2c_block_data(0x50, std::span(in).first(2));
        EXPECT_EQ(same, 2u);
        EXPECT_EQ(in[1], std::byte{8});
    });
}

// An adapter whose driver passes on what the chip says, as hid-cp2112's does.
class Credulous final : public testing::CharacterDevice {
public:
    explicit Credulous(testing::World& world) : CharacterDevice(world, bus_path) {}
    int control(testing::OpenDevice&, unsigned long request, std::uintptr_t argument) override {
        if (request == I2C_FUNCS) testing::pointed_at<unsigned long>(argument) = ~0ul;
        if (request != I2C_SMBUS) return 0;
        testing::pointed_at<i2c_smbus_ioctl_data>(argument).data->block[0] = size;
        return 0;
    }
    std::uint8_t size = 0;
};

TEST(Smbus, takes_no_block_for_longer_than_it_can_be) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    Credulous device(simulation.world());
    const auto body = [&]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Smbus battery(bus, 0x0b);
        std::array<std::byte, 64> in{};
        for (const unsigned size : {33u, 255u}) {
            device.size = static_cast<std::uint8_t>(size);
            const auto read = co_await attempt(battery.read_block_data(0x40, in));
            EXPECT_EQ(number_of(read), EPROTO);
        }
        device.size = 32;
        const std::size_t count = co_await battery.read_block_data(0x40, in);
        EXPECT_EQ(count, 32u);
    };
    EXPECT_EQ(simulation.run<i2c_limits>(body), 0) << simulation.log();
}

TEST(Smbus, calls_a_chip_that_answers_with_a_word) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x0b, chip);
        chip.registers[6] = std::byte{0xcd};
        chip.registers[7] = std::byte{0xab};
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::Smbus controller(bus, 0x0b);
        const unsigned answer = co_await controller.process_call(4, 0x0201);
        EXPECT_EQ(answer, 0xabcdu);
        EXPECT_EQ(chip.registers[5], std::byte{2});
    });
}

TEST(Smbus, keeps_chips_apart_that_share_a_bus) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chips[2];
        adapter.attach(0x20, chips[0]);
        adapter.attach(0x21, chips[1]);
        auto bus = co_await i2c::Bus::open(bus_path);
        const auto fill = [&](std::uint8_t address) -> Task<void> {
            i2c::Smbus chip(bus, address);
            for (unsigned i = 0; i < 50; ++i) {
                co_await chip.write_byte_data(static_cast<std::uint8_t>(i), address);
            }
        };
        co_await gather(fill(0x20), fill(0x21));
        for (std::size_t i = 0; i < 50; ++i) {
            EXPECT_EQ(chips[0].registers[i], std::byte{0x20});
            EXPECT_EQ(chips[1].registers[i], std::byte{0x21});
        }
    });
}

TEST(Smbus, is_refused_a_chip_that_the_kernel_has_and_what_the_adapter_cannot_do) {
    on_bus(
        [](I2cAdapter& adapter) -> Task<void> {
            I2cRegisters chip;
            adapter.attach(0x50, chip);
            adapter.claim(0x50);
            auto bus = co_await i2c::Bus::open(bus_path);
            const auto taken = co_await attempt(i2c::Smbus(bus, 0x50).read_byte_data(0));
            EXPECT_EQ(number_of(taken), EBUSY);
            const auto unable = co_await attempt(i2c::Smbus(bus, 0x51).read_word_data(0));
            EXPECT_EQ(number_of(unable), EOPNOTSUPP);
            const auto plain = co_await attempt(bus.write(0x51, {}));
            EXPECT_EQ(number_of(plain), EOPNOTSUPP);
        },
        {.functions = I2C_FUNC_SMBUS_BYTE_DATA});
}

}  // namespace
}  // namespace ringlet::support
