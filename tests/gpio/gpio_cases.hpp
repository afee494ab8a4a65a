// What the cases of GPIO share: a world with a chip in it, whose wires the test holds.
#pragma once

#include <ringlet/gpio/error.hpp>
#include <ringlet/gpio/lines.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/gpio_chip.hpp>
#include <ringlet/testing/virtual_time.hpp>

#include <support/cases.hpp>

#include <memory>

namespace ringlet::support {

using namespace std::chrono_literals;
using testing::GpioChip;
using testing::GpioChipOptions;
using testing::Simulation;
using testing::SimulationOptions;

inline constexpr Limits gpio_limits{
    .tasks = 16,
    .operations = 16,
    .descriptors = 12,
    .frames = {{128, 64}, {256, 64}, {512, 32}, {1024, 16}, {2048, 8}, {8192, 2}},
    .workers = 1};

inline constexpr const char* chip_path = "/dev/gpiochip0";

constexpr BoardPin pin(std::uint32_t line, bool active_low = false,
                       PinBias bias = PinBias::as_is) {
    return {.chip = "lab", .line = line, .active_low = active_low, .bias = bias};
}

// Runs `body(chip)` with the chip "lab".
template <class F>
void on_chip(F body, const GpioChipOptions& options = {}, const SimulationOptions& world = {}) {
    Simulation simulation(world);
    simulation.world().make_folder("/dev");
    GpioChip chip(simulation.world(), chip_path, options);
    EXPECT_EQ(simulation.run<gpio_limits>(body, std::ref(chip)), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    for (unsigned line = 0; line < options.lines; ++line) {
        EXPECT_FALSE(chip.is_requested(line)) << line;
    }
}

// A chip made inside a run: too large for a frame.
inline std::unique_ptr<GpioChip> make_chip(const char* path, const GpioChipOptions& options) {
    const Unsealed allowed;
    return std::make_unique<GpioChip>(testing::world(), path, options);
}

// The errno of what must have failed; 0 if it did not.
template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

}  // namespace ringlet::support
