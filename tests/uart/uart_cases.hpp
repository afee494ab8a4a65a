// What the cases of serial lines share: a world with a line in it, whose other end the test holds.
#pragma once

#include <ringlet/ringlet.hpp>
#include <ringlet/testing/serial_device.hpp>
#include <ringlet/testing/virtual_time.hpp>
#include <ringlet/uart/error.hpp>
#include <ringlet/uart/uart.hpp>

#include <support/cases.hpp>

namespace ringlet::support {

using namespace std::chrono_literals;
using testing::Flaw;
using testing::SerialDevice;
using testing::Simulation;
using testing::SimulationOptions;
using testing::TerminalLine;

inline constexpr Limits uart_limits{
    .tasks = 16,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 32}, {1024, 16}, {2048, 4}, {8192, 2}}};

inline constexpr const char* line_path = "/dev/ttyS0";

// Runs `body(line)` with a line at line_path, which is left as it was found.
template <class F>
void on_line(F body, const SimulationOptions& world = {}) {
    Simulation simulation(world);
    simulation.world().make_folder("/dev");
    TerminalLine& line = simulation.world().make_terminal(line_path);
    EXPECT_EQ(simulation.run<uart_limits>(body, std::ref(line)), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_EQ(simulation.world().loop_stalled(), 0ns);
    if (line.is_hung_up()) return;
    EXPECT_FALSE(line.is_raw());
    EXPECT_EQ(line.port.baud(), 9600u);
    EXPECT_FALSE(line.port.is_exclusive());
    EXPECT_FALSE(line.port.is_rs485());
    EXPECT_FALSE(line.port.sends_break());
}

inline Instant now() {
    return testing::world().now();
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The errno of what must have failed; 0 if it did not.
template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

// What stands at the n-th place of a stream that a test sends: a lost or doubled byte shows.
constexpr std::byte byte_at(std::uint64_t place) {
    return static_cast<std::byte>((place * 0x9e37'79b9'7f4a'7c15) >> 56);
}

}  // namespace ringlet::support
