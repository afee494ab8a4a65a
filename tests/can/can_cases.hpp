// What the cases of CAN share: a world with a bus, and two nodes on it.
#pragma once

#include <ringlet/can/error.hpp>
#include <ringlet/can/socket.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/can_bus.hpp>
#include <ringlet/testing/virtual_time.hpp>

#include <support/cases.hpp>

namespace ringlet::support {

using namespace std::chrono_literals;
using can::make_frame;
using testing::CanBus;
using testing::CanBusOptions;
using testing::CanInterface;
using testing::Simulation;
using testing::SimulationOptions;

inline constexpr Limits can_limits{
    .tasks = 16,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 32}, {1024, 32}, {2048, 8}, {8192, 2}}};

struct Nodes {
    CanBus& bus;
    CanInterface& here;   // "can0"
    CanInterface& there;  // "can1"
};

// Runs `body(nodes)` with can0 and can1 on one bus.
template <class F>
void on_bus(F body, const CanBusOptions& options = {}, const SimulationOptions& world = {}) {
    Simulation simulation(world);
    CanBus bus(simulation.world(), options);
    Nodes nodes{bus, bus.add("can0"), bus.add("can1")};
    EXPECT_EQ(simulation.run<can_limits>(body, std::ref(nodes)), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

inline Instant now() {
    return testing::world().now();
}

template <class... Values>
std::array<std::byte, sizeof...(Values)> some_bytes(Values... values) {
    return {static_cast<std::byte>(values)...};
}

// The errno of what must have failed; 0 if it did not.
template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

}  // namespace ringlet::support
