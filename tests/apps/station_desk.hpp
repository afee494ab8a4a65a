// Desk: all that a station has around it, simulated: a board with its devices, what happens to
// them, and a server. For tests, and to see the station at work without a board.
//
//   Simulation simulation(seed);
//   Desk desk(simulation, {.config = "\"window\": \"2s\""});
//   desk.run();                        // for two minutes of virtual time
//   desk.server = Mood::refuses;
//   desk.run();                        // the same board, started again
#pragma once

#include <ringlet/io/tcp.hpp>
#include <ringlet/testing/can_bus.hpp>
#include <ringlet/testing/gpio_chip.hpp>
#include <ringlet/testing/i2c_adapter.hpp>
#include <ringlet/testing/i2c_chips.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/testing/watchdog_device.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace station {

// What the server does with a batch.
enum class Mood : std::uint8_t {
    well,      // takes it: 204
    is_busy,   // 503
    refuses,   // 422: never wants it
    breaks,    // closes the connection
    forgets,   // takes it, and closes the connection without an answer
    is_silent, // never answers
};

struct DeskOptions {
    // Further members of station.json, as text: `"window": "2s", "store-batches": 4`.
    std::string config;
    // The devices speak for so long after the start; the station is stopped so long after it.
    ringlet::Nanoseconds speaks_for = std::chrono::seconds(110);
    ringlet::Nanoseconds runs_for = std::chrono::seconds(120);
    // Where the server says what it took; null: nowhere.
    void (*on_batch)(std::string_view batch, ringlet::Nanoseconds since_start) = nullptr;
};

class Desk {
public:
    static constexpr const char* store_path = "/var/store";
    static constexpr unsigned led_line = 1;

    // Allocates. The simulation outlives it, and has no devices of its own.
    Desk(ringlet::testing::Simulation& simulation, const DeskOptions& options = {});
    Desk(const Desk&) = delete;

    // What happens meanwhile; a peer of the next runs.
    template <class F>
    void meanwhile(F function) {
        simulation_.add_peer(function, std::ref(*this)).named("what happens");
    }

    // The station from its start to its stop. Gives its exit status.
    int run();

    // All that the server took, in the order in which it did; again if it came again.
    const std::vector<std::string_view>& batches() const { return batches_; }
    ringlet::testing::Simulation& simulation() { return simulation_; }
    ringlet::testing::World& world() { return simulation_.world(); }
    ringlet::testing::Random& random() { return random_; }
    ringlet::Nanoseconds since_start() const;
    DeskOptions& options() { return options_; }

    Mood server = Mood::well;
    ringlet::testing::I2cAdapter sensors;
    ringlet::testing::I2cThermometer thermometer;
    ringlet::testing::GpioChip pins;
    ringlet::testing::TerminalLine& line;
    ringlet::testing::CanBus bus;
    ringlet::testing::CanInterface& can;    // the station's
    ringlet::testing::CanInterface& other;  // the one who speaks
    ringlet::testing::WatchdogDevice watchdog;

    // What the devices said.
    std::uint64_t lines_sent = 0;
    std::uint64_t frames_sent = 0;
    std::uint64_t presses = 0;

private:
    using Socket = ringlet::TcpSocket;

    void write_files();
    ringlet::Task<void> speak_on_line();
    ringlet::Task<void> speak_on_can();
    ringlet::Task<void> press_button();
    ringlet::Task<void> warm_up();
    ringlet::Task<void> stop_later();
    ringlet::Task<void> serve(Socket& client);
    ringlet::Task<std::string_view> hear(Socket& client);
    bool speaks() const { return since_start() < options_.speaks_for; }
    ringlet::Nanoseconds pause(unsigned least_ms, unsigned most_ms);
    void take(std::string_view batch);

    ringlet::testing::Simulation& simulation_;
    DeskOptions options_;
    ringlet::testing::Random random_;
    ringlet::Instant started_ = 0;
    std::vector<char> request_;
    std::vector<char> taken_;  // of which batches_ are views; never grows
    std::vector<std::string_view> batches_;
};

}  // namespace station
