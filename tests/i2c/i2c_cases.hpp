// What the cases of I2C share: a world with a bus in it, and jobs beside the loop.
#pragma once

#include <ringlet/i2c/bus.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/i2c_adapter.hpp>
#include <ringlet/testing/virtual_time.hpp>

#include <support/cases.hpp>

namespace ringlet::support {

using namespace std::chrono_literals;
using testing::I2cAdapter;
using testing::I2cAdapterOptions;
using testing::I2cEeprom;
using testing::I2cRegisters;
using testing::I2cThermometer;
using testing::Simulation;
using testing::SimulationOptions;

inline constexpr Limits i2c_limits{
    .tasks = 32,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 32}, {1024, 16}, {2048, 4}, {8192, 4}},
    .workers = 2};

inline constexpr const char* bus_path = "/dev/i2c-1";

// Runs `body(adapter)` on the bus at bus_path.
template <class F>
void on_bus(F body, const I2cAdapterOptions& options = {}, const SimulationOptions& world = {}) {
    Simulation simulation(world);
    simulation.world().make_folder("/dev");
    I2cAdapter adapter(simulation.world(), bus_path, options);
    EXPECT_EQ(simulation.run<i2c_limits>(body, std::ref(adapter)), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_EQ(simulation.world().loop_stalled(), 0ns);
    EXPECT_TRUE(adapter.is_idle());
}

// Of the world that the current run is in.
inline Instant now() {
    return testing::world().now();
}

// Calls back when a coroutine's frame dies, however it ends.
template <class F>
class AtEnd {
public:
    explicit AtEnd(F check) : check_(check) {}
    AtEnd(const AtEnd&) = delete;
    ~AtEnd() { check_(); }

private:
    F check_;
};

// The errno of what must have failed; 0 if it did not.
template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

template <class... Values>
std::array<std::byte, sizeof...(Values)> some_bytes(Values... values) {
    return {static_cast<std::byte>(values)...};
}

}  // namespace ringlet::support
