// Run on an emulated board's machine `vexpress`: the driver on an adapter that knows I2C, with
// chips that QEMU emulates, as boards/qemu-armv7/board.json names them; and one more that the
// machine has. i2c_chips_test.py runs it.
#include "i2c/i2c_cases.hpp"

#include <ringlet/i2c/at24.hpp>
#include <ringlet/i2c/lm75.hpp>
#include <ringlet/i2c/scan.hpp>

#include <algorithm>
#include <chrono>

namespace ringlet::support {
namespace {

constexpr const char* chips_path = "/dev/i2c-0";
// An adapter without a bus: its lines read as low, as if a chip held them.
constexpr const char* stuck_path = "/dev/i2c-1";

constexpr std::uint8_t pins_address = 0x20;  // a MAX7310; 2 is the register of their polarity
constexpr std::uint8_t display_address = 0x39;
constexpr std::uint8_t thermometer_address = 0x48;  // a TMP105; 2 and 3 are those of its alert
constexpr std::uint8_t memory_address = 0x50;       // a 24C32
constexpr std::uint8_t nobody = 0x33;

Runtime<i2c_limits> runtime;

template <class Body>
void run_on_chips(Body body) {
    RINGLET_RUN_ON_KERNEL(runtime, body);
}

template <std::size_t size>
std::array<std::byte, size> counted(unsigned first) {
    std::array<std::byte, size> bytes;
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i);
    return bytes;
}

TEST(KernelI2cChips, are_on_an_adapter_that_knows_i2c) {
    run_on_chips([]() -> Task<void> {
        const auto bus = co_await i2c::Bus::open(chips_path);
        EXPECT_TRUE(bus.can(I2C_FUNC_I2C | I2C_FUNC_SMBUS_QUICK | I2C_FUNC_SMBUS_READ_BYTE));
    });
}

TEST(KernelI2cChips, are_found) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        const auto found = co_await i2c::scan(bus);
        std::bitset<128> wanted;
        for (const unsigned address :
             {pins_address, display_address, thermometer_address, memory_address}) {
            wanted.set(address);
        }
        EXPECT_EQ(found.chips, wanted);
        EXPECT_TRUE(found.taken.none());
    });
}

TEST(KernelI2cChips, are_written_and_read_with_and_without_a_stop_in_between) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        const auto out = some_bytes(0x01, 0x00, 'a', 'b', 'c', 'd');  // place 0x100
        co_await bus.write(memory_address, out);
        const auto place = std::span(out).first(2);
        std::array<std::byte, 2> in{};
        co_await bus.write_read(memory_address, place, in);
        EXPECT_EQ(in, some_bytes('a', 'b'));
        co_await bus.read(memory_address, in);  // from where the chip stands
        EXPECT_EQ(in, some_bytes('c', 'd'));
        co_await bus.write(memory_address, place);
        co_await bus.read(memory_address, in);
        EXPECT_EQ(in, some_bytes('a', 'b'));
        co_await bus.write(thermometer_address, {});
    });
}

// All to one chip: after a repeated start QEMU's bus asks no other.
TEST(KernelI2cChips, take_and_give_many_messages_in_one_transfer) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        const auto low = some_bytes(2, 0x12, 0x30);
        const auto high = some_bytes(3, 0x45, 0x60);
        std::array<std::array<std::byte, 2>, i2c::messages_max / 2 - 1> in{};
        std::array<i2c::Message, i2c::messages_max> messages;
        messages[0] = i2c::Message::write(thermometer_address, low);
        messages[1] = i2c::Message::write(thermometer_address, high);
        for (std::size_t i = 0; i < in.size(); ++i) {
            const auto number = std::span(i % 2 == 0 ? low : high).first(1);
            messages[2 * i + 2] = i2c::Message::write(thermometer_address, number);
            messages[2 * i + 3] = i2c::Message::read(thermometer_address, in[i]);
        }
        co_await bus.transfer(messages);
        for (std::size_t i = 0; i < in.size(); ++i) {
            EXPECT_EQ(in[i], i % 2 == 0 ? some_bytes(0x12, 0x30) : some_bytes(0x45, 0x60));
        }
    });
}

TEST(KernelI2cChips, that_are_absent_do_not_acknowledge) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        std::array<std::byte, 2> bytes{};
        const auto read = co_await attempt(bus.read(nobody, bytes));
        EXPECT_EQ(number_of(read), ENXIO);
        EXPECT_TRUE(!read && i2c::is_not_acknowledged(read.error()));
        const auto asked = co_await attempt(i2c::Smbus(bus, nobody).read_byte_data(0));
        EXPECT_EQ(number_of(asked), ENXIO);
    });
}

TEST(KernelI2cChips, that_refuse_a_byte_say_so_in_another_word) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        const auto out = some_bytes(2, 0x5a, 0x5b);
        const auto done = co_await attempt(bus.write(pins_address, out));
        EXPECT_EQ(number_of(done), EIO);
        EXPECT_FALSE(!done && i2c::is_not_acknowledged(done.error()));
        const unsigned polarity = co_await i2c::Smbus(bus, pins_address).read_byte_data(2);
        EXPECT_EQ(polarity, 0x5au);  // the one before had been taken
    });
}

TEST(KernelI2cChips, understand_the_calls_of_smbus) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::Smbus pins(bus, pins_address);
        co_await pins.quick();
        co_await pins.write_byte_data(2, 0xc3);
        const unsigned polarity = co_await pins.read_byte_data(2);
        EXPECT_EQ(polarity, 0xc3u);
        i2c::Smbus thermometer(bus, thermometer_address);
        co_await thermometer.write_word_data(3, 0x3412);
        const unsigned word = co_await thermometer.read_word_data(3);
        EXPECT_EQ(word, 0x3412u);
        co_await thermometer.write_byte(3);  // the register, which stays chosen
        const unsigned byte = co_await thermometer.read_byte();
        EXPECT_EQ(byte, 0x12u);
        const auto out = some_bytes(0x12, 0x50);
        co_await thermometer.write_i2c_block_data(2, out);
        std::array<std::byte, 2> in{};
        const std::size_t count = co_await thermometer.read_i2c_block_data(2, in);
        EXPECT_EQ(count, 2u);
        EXPECT_EQ(in, out);
        const unsigned answer = co_await thermometer.process_call(2, 0x3021);
        EXPECT_EQ(answer, 0x3021u);
    });
}

TEST(KernelI2cChips, are_a_memory_that_is_written_across_pages) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::At24 memory(bus, memory_address, i2c::at24c32);
        const auto blank = some_bytes(0xff, 0xff, 0xff, 0xff);
        co_await memory.write(26, blank);
        co_await memory.write(130, blank);
        const auto out = counted<100>(1);
        co_await memory.write(30, out);
        std::array<std::byte, 108> in{};
        co_await memory.read(26, in);
        EXPECT_TRUE(std::ranges::equal(std::span(in).first(4), blank));
        EXPECT_TRUE(std::ranges::equal(std::span(in).subspan(4, 100), out));
        EXPECT_TRUE(std::ranges::equal(std::span(in).last(4), blank));
    });
}

TEST(KernelI2cChips, are_a_memory_that_has_an_end) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        // Several transfers for what is read.
        i2c::At24 memory(bus, memory_address, i2c::at24c32, {.read_bytes = 7});
        const auto out = counted<40>(100);
        co_await memory.write(memory.size() - 40, out);
        std::array<std::byte, 40> in{};
        co_await memory.read(memory.size() - 40, in);
        EXPECT_EQ(in, out);
        const auto beyond = co_await attempt(memory.write(memory.size() - 39, out));
        EXPECT_EQ(number_of(beyond), EINVAL);
    });
}

TEST(KernelI2cChips, are_waited_for_as_long_as_a_memory_may_be_deaf) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::At24 memory(bus, nobody, i2c::at24c32, {.write_time = 40ms});
        const auto out = some_bytes(1);
        const auto begin = std::chrono::steady_clock::now();
        const auto done = co_await attempt(memory.write(0, out));
        EXPECT_EQ(number_of(done), ENXIO);
        EXPECT_GE(std::chrono::steady_clock::now() - begin, 40ms);
    });
}

TEST(KernelI2cChips, keep_whole_pages_of_a_write_that_is_cut) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::At24 memory(bus, memory_address, i2c::at24c32);
        std::array<std::byte, 160> before{};
        const auto out = counted<160>(1);
        co_await memory.write(0x200, before);
        // At 17 kHz, which this adapter has, all would take 100 ms.
        const auto cut = co_await attempt(timeout(30ms, memory.write(0x200, out)));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        std::array<std::byte, 160> in{};
        co_await memory.read(0x200, in);
        const auto kept = static_cast<std::size_t>(std::ranges::count_if(
            in, [](std::byte each) { return each != std::byte{0}; }));
        EXPECT_EQ(kept % 32, 0u);
        EXPECT_LT(kept, out.size());
        EXPECT_TRUE(std::ranges::equal(std::span(in).first(kept), std::span(out).first(kept)));
    });
}

TEST(KernelI2cChips, are_a_thermometer_whose_alert_is_set) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::Lm75 thermometer(bus, thermometer_address, i2c::tmp102_bits);
        co_await thermometer.set_alert(60'500, -10'250);
        std::array<std::byte, 2> in{};
        auto number = some_bytes(3);
        co_await bus.write_read(thermometer_address, number, in);
        EXPECT_EQ(in, some_bytes(0x3c, 0x80));
        number = some_bytes(2);
        co_await bus.write_read(thermometer_address, number, in);
        EXPECT_EQ(in, some_bytes(0xf5, 0xc0));
    });
}

TEST(KernelI2cChips, are_shared_by_tasks) {
    run_on_chips([]() -> Task<void> {
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::At24 memory(bus, memory_address, i2c::at24c32);
        i2c::Smbus pins(bus, pins_address);
        const auto fill = [&](std::uint32_t offset) -> Task<void> {
            const auto out = counted<40>(offset);
            std::array<std::byte, 40> in{};
            co_await memory.write(offset, out);
            co_await memory.read(offset, in);
            EXPECT_EQ(in, out);
        };
        unsigned turns = 0;
        const auto turn = [&]() -> Task<void> {
            for (;; ++turns) {
                co_await pins.write_byte_data(2, static_cast<std::uint8_t>(turns));
                const unsigned polarity = co_await pins.read_byte_data(2);
                EXPECT_EQ(polarity, turns % 256);
            }
        };
        const auto both = [&]() -> Task<void> { co_await gather(fill(0x410), fill(0x481)); };
        co_await race(both(), turn());
        EXPECT_GT(turns, 0u);
    });
}

// A bus that is stuck: this adapter's driver has a limit of its own, a second for each time that
// the clock should rise, and its word for it is that of an address nobody acknowledged.
TEST(KernelI2cChips, do_not_answer_on_a_stuck_bus_which_holds_no_other) {
    run_on_chips([]() -> Task<void> {
        auto stuck = co_await i2c::Bus::open(stuck_path, {.timeout = 50ms, .retries = 0});
        auto bus = co_await i2c::Bus::open(chips_path);
        i2c::Smbus pins(bus, pins_address);
        bool done = false;
        unsigned meanwhile = 0;
        const auto ask = [&]() -> Task<void> {
            const auto begin = std::chrono::steady_clock::now();
            const auto asked = co_await attempt(stuck.write(thermometer_address, {}));
            EXPECT_EQ(number_of(asked), ENXIO);
            EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
            done = true;
        };
        const auto work = [&]() -> Task<void> {
            while (!done) {
                co_await pins.read_byte_data(2);
                ++meanwhile;
            }
        };
        co_await gather(ask(), work());
        EXPECT_GT(meanwhile, 10u);
    });
}

}  // namespace
}  // namespace ringlet::support
