// What tests/board/drivers_test.py and i2c_chips_test.py compare with the tools that people use.
//
//   device_tool i2c-read BUS ADDRESS REGISTER            prints the byte
//   device_tool i2c-write BUS ADDRESS REGISTER VALUE
//   device_tool i2c-scan BUS                             prints the addresses, a line each
//   device_tool i2c-exchange BUS ADDRESS BYTE COUNT      sends the one, prints so many
//   device_tool i2c-temperature BUS ADDRESS BITS         prints what an LM75 has
//   device_tool i2c-store BUS ADDRESS OFFSET TEXT        writes to a 24C32
//   device_tool i2c-recall BUS ADDRESS OFFSET COUNT      prints what stands there, up to 256 bytes
//   device_tool gpio-set CHIP LINE VALUE                 holds the line until input ends
//   device_tool gpio-monitor CHIP LINE COUNT             prints so many edges: 1 or 0, and a number
//
// Numbers given may be hexadecimal, as 0x48.
#include <ringlet/gpio/lines.hpp>
#include <ringlet/i2c/at24.hpp>
#include <ringlet/i2c/lm75.hpp>
#include <ringlet/i2c/scan.hpp>
#include <ringlet/ringlet.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace ringlet;

namespace {

constexpr Limits limits{.workers = 1};
Runtime<limits> runtime;

char** words;  // after the program's name

unsigned number(int index) {
    return static_cast<unsigned>(std::strtoul(words[index], nullptr, 0));
}
std::uint8_t byte(int index) {
    return static_cast<std::uint8_t>(number(index));
}
BoardPin line() {
    return {.chip = words[1], .line = number(2)};
}

Task<void> i2c_read() {
    auto bus = co_await i2c::Bus::open(words[1]);
    const unsigned value = co_await i2c::Smbus(bus, byte(2)).read_byte_data(byte(3));
    std::printf("0x%02x\n", value);
}

Task<void> i2c_write() {
    auto bus = co_await i2c::Bus::open(words[1]);
    co_await i2c::Smbus(bus, byte(2)).write_byte_data(byte(3), byte(4));
}

Task<void> i2c_scan() {
    auto bus = co_await i2c::Bus::open(words[1]);
    const auto found = co_await i2c::scan(bus);
    for (std::size_t address = 0; address < found.chips.size(); ++address) {
        if (found.chips.test(address)) std::printf("%02zx\n", address);
    }
}

Task<void> i2c_exchange() {
    auto bus = co_await i2c::Bus::open(words[1]);
    const auto out = static_cast<std::byte>(byte(3));
    std::array<std::byte, 256> in{};
    const auto wanted = std::span(in).first(byte(4));
    co_await bus.write_read(byte(2), std::span(&out, 1), wanted);
    for (const std::byte each : wanted) std::printf("0x%02x ", static_cast<unsigned>(each));
}

Task<void> i2c_temperature() {
    auto bus = co_await i2c::Bus::open(words[1]);
    i2c::Lm75 thermometer(bus, byte(2), number(3));
    const int temperature = co_await thermometer.read_millicelsius();
    std::printf("%d\n", temperature);
}

Task<void> i2c_store() {
    auto bus = co_await i2c::Bus::open(words[1]);
    i2c::At24 memory(bus, byte(2), i2c::at24c32);
    co_await memory.write(number(3), bytes_of(words[4]));
}

Task<void> i2c_recall() {
    auto bus = co_await i2c::Bus::open(words[1]);
    i2c::At24 memory(bus, byte(2), i2c::at24c32);
    std::array<std::byte, 256> bytes{};
    const std::size_t count = number(4);
    co_await memory.read(number(3), std::span(bytes).first(count));
    std::fwrite(bytes.data(), 1, count, stdout);
}

Task<void> gpio_set() {
    auto lamp = co_await gpio::Lines::open_output(line(), {.values = number(3)});
    std::puts("set");
    std::fflush(stdout);
    std::byte input{};
    co_await standard_input().read(std::span(&input, 1));
}

Task<void> gpio_monitor() {
    auto button = co_await gpio::Lines::open_input(line(), {.edges = gpio::Edges::both});
    std::puts("ready");
    std::fflush(stdout);
    for (unsigned left = number(3); left > 0; --left) {
        const auto event = co_await button.next();
        std::printf("%d %u\n", event.is_rising() ? 1 : 0, event.seqno);
        std::fflush(stdout);
    }
}

struct Command {
    std::string_view name;
    int words;  // its own included
    Task<void> (*run)();
};
constexpr Command commands[] = {{"i2c-read", 4, i2c_read},
                                {"i2c-write", 5, i2c_write},
                                {"i2c-scan", 2, i2c_scan},
                                {"i2c-exchange", 5, i2c_exchange},
                                {"i2c-temperature", 4, i2c_temperature},
                                {"i2c-store", 5, i2c_store},
                                {"i2c-recall", 5, i2c_recall},
                                {"gpio-set", 4, gpio_set},
                                {"gpio-monitor", 4, gpio_monitor}};

}  // namespace

int main(int count, char** arguments) {
    words = arguments + 1;
    for (const Command& each : commands) {
        if (count == each.words + 1 && each.name == words[0]) return runtime.run(each.run);
    }
    std::fputs("usage: see tests/board/device_tool.cpp\n", stderr);
    return 2;
}
