// EEPROMs: pages, waiting while they store, and what a cut write leaves.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/at24.hpp>
#include <ringlet/i2c/lm75.hpp>

#include <algorithm>

namespace ringlet::support {
namespace {

using SmallChip = I2cEeprom<256, 8, 1>;
using LargeChip = I2cEeprom<4096, 32, 2>;

template <std::size_t size>
std::array<std::byte, size> counted() {
    std::array<std::byte, size> bytes;
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i + 1);
    return bytes;
}

TEST(At24, reads_back_what_it_was_given_across_pages) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        LargeChip chip;
        adapter.attach(0x50, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c32);
        const auto out = counted<100>();
        co_await memory.write(30, out);
        EXPECT_TRUE(std::ranges::equal(out, std::span(chip.memory).subspan(30, 100)));
        EXPECT_EQ(chip.memory[29], std::byte{0});
        EXPECT_EQ(chip.memory[130], std::byte{0});
        EXPECT_EQ(chip.pages_written, 5u);  // 2, 32, 32, 32, 2 bytes
        std::array<std::byte, 100> in{};
        co_await memory.read(30, in);
        EXPECT_EQ(in, out);
    });
}

TEST(At24, waits_also_on_an_adapter_that_says_less_of_a_missing_acknowledgement) {
    for (const int number : {EREMOTEIO, EIO}) {
        on_bus(
            [](I2cAdapter& adapter) -> Task<void> {
                LargeChip chip;
                adapter.attach(0x50, chip);
                auto bus = co_await i2c::Bus::open(bus_path);
                i2c::At24 memory(bus, 0x50, i2c::at24c32);
                const auto out = counted<100>();
                co_await memory.write(30, out);
                std::array<std::byte, 100> in{};
                co_await memory.read(30, in);
                EXPECT_EQ(in, out);
            },
            {.not_acknowledged = number});
    }
}

// The time limit is the chip's: it was deaf for 5 ms, whenever the program heard of it.
TEST(At24, is_not_given_up_because_the_loop_was_held_up) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    I2cAdapter adapter(simulation.world(), bus_path);
    LargeChip chip;
    adapter.attach(0x50, chip);
    const auto body = [&]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c32);
        const auto out = counted<64>();
        const auto stall = [&]() -> Task<void> {
            while (adapter.transfers() < 2) co_await sleep(20us);  // the first question has begun
            testing::world().take_time(15ms);
        };
        co_await gather(memory.write(0, out), stall());
        EXPECT_EQ(testing::world().loop_stalled(), 15ms);
        EXPECT_TRUE(std::ranges::equal(out, std::span(chip.memory).first(64)));
    };
    EXPECT_EQ(simulation.run<i2c_limits>(body), 0) << simulation.log();
}

// Others have the bus for longer than that before its turn comes.
TEST(At24, may_be_deaf_for_its_whole_time_after_a_wait_in_line) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        SmallChip busy;
        SmallChip chip;
        busy.write_time = 0ns;
        chip.write_time = 25ms;
        adapter.attach(0x51, busy);
        adapter.attach(0x50, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c02);
        const auto begin = some_bytes(0, 1);
        co_await bus.write(0x50, begin);  // from now on it is deaf for 25 ms
        std::array<std::byte, 200> others;
        std::array<std::byte, 1> in{};
        co_await gather(bus.read(0x51, others), memory.read(0, in));  // 18 ms, then its turn
        EXPECT_EQ(in[0], std::byte{1});
    });
}

TEST(At24, returns_from_a_write_when_all_is_stored) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        SmallChip chip;
        adapter.attach(0x50, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c02);
        const auto out = counted<16>();
        const Instant begin = now();
        co_await memory.write(0, out);
        EXPECT_GE(now() - begin, 10'000'000);
        const unsigned transfers = adapter.transfers();
        std::array<std::byte, 16> in{};
        co_await memory.read(0, in);
        EXPECT_EQ(adapter.transfers(), transfers + 1);  // it is not deaf any more
        EXPECT_EQ(in, out);
    });
}

TEST(At24, has_its_upper_half_behind_the_next_address_if_its_places_have_one_byte) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cEeprom<256, 16, 1> halves[2];
        adapter.attach(0x50, halves[0]);
        adapter.attach(0x51, halves[1]);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c04);
        const auto out = counted<20>();
        co_await memory.write(250, out);
        EXPECT_EQ(halves[0].memory[255], out[5]);
        EXPECT_EQ(halves[1].memory[0], out[6]);
        std::array<std::byte, 20> in{};
        co_await memory.read(250, in);
        EXPECT_EQ(in, out);
    });
}

TEST(At24, leaves_the_bus_to_others_while_it_stores) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        LargeChip chip;
        I2cThermometer thermometer;
        adapter.attach(0x50, chip);
        adapter.attach(0x48, thermometer);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c32);
        i2c::Lm75 other(bus, 0x48);
        const auto out = counted<128>();
        Instant longest = 0;
        const auto measure = [&]() -> Task<void> {
            for (;;) {
                const Instant begin = now();
                co_await other.read_millicelsius();
                longest = std::max(longest, now() - begin);
                co_await sleep(1ms);
            }
        };
        co_await race(memory.write(0, out), measure());
        EXPECT_GT(longest, 0);
        EXPECT_LT(longest, 5'000'000);  // a page's transfer, but not the time that it is stored
    });
}

TEST(At24, refuses_what_lies_beyond_its_end) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c02);
        std::array<std::byte, 2> bytes{};
        const auto read = co_await attempt(memory.read(255, bytes));
        EXPECT_EQ(number_of(read), EINVAL);
        const auto write = co_await attempt(memory.write(257, {}));
        EXPECT_EQ(number_of(write), EINVAL);
        EXPECT_EQ(adapter.transfers(), 0u);
    });
}

TEST(At24, that_is_absent_is_told_after_the_time_that_it_may_be_deaf) {
    on_bus([](I2cAdapter&) -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c02);
        std::array<std::byte, 2> bytes{};
        const Instant begin = now();
        const auto read = co_await attempt(memory.read(0, bytes));
        EXPECT_TRUE(!read && i2c::is_not_acknowledged(read.error()));
        EXPECT_GE(now() - begin, 10'000'000);
        EXPECT_LT(now() - begin, 12'000'000);
    });
}

// Cut anywhere: pages are whole, the first ones are written, and the next call goes through.
Task<void> write_pages() {
    testing::world().make_folder("/dev");
    I2cAdapter adapter(testing::world(), bus_path);
    LargeChip chip;
    adapter.attach(0x50, chip);
    const AtEnd check([&] {
        EXPECT_TRUE(adapter.is_idle());
        const auto written = counted<64>();
        const std::size_t count = chip.pages_written * 32;
        EXPECT_TRUE(std::ranges::equal(std::span(written).first(count),
                                       std::span(chip.memory).first(count)));
        EXPECT_EQ(chip.memory[count], std::byte{0});
    });
    auto bus = co_await i2c::Bus::open(bus_path);
    i2c::At24 memory(bus, 0x50, i2c::at24c32);
    const auto out = counted<64>();
    co_await memory.write(0, out);
}

TEST(At24, has_whole_pages_wherever_a_write_is_cancelled) {
    run_cancelled<i2c_limits>(write_pages);
}

TEST(At24, waits_for_what_a_cancelled_write_left_it_storing) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        LargeChip chip;
        adapter.attach(0x50, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        i2c::At24 memory(bus, 0x50, i2c::at24c32);
        const auto out = counted<64>();
        const auto cut = co_await attempt(timeout(5ms, memory.write(0, out)));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        EXPECT_EQ(chip.pages_written, 1u);
        std::array<std::byte, 32> in{};
        co_await memory.read(0, in);
        EXPECT_TRUE(std::ranges::equal(in, std::span(out).first(32)));
    });
}

}  // namespace
}  // namespace ringlet::support
