// What the user can set, with its bounds.
#pragma once

#include <ringlet/app/board.hpp>
#include <ringlet/app/options.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

namespace station {

inline constexpr std::size_t url_bytes_max = 512;

// Aliases are the board file's; an empty one: the station does without.
struct Settings {
    std::string_view board = ringlet::default_board_file;
    std::string_view sensor;  // a bus
    std::uint32_t sensor_address = 0x48;
    ringlet::Nanoseconds sensor_every = std::chrono::seconds(1);
    std::string_view button;
    ringlet::Nanoseconds debounce = std::chrono::milliseconds(5);
    std::string_view serial;
    std::uint32_t baud = 115'200;
    std::string_view can;
    std::string_view led;
    std::string_view watchdog;
    ringlet::Nanoseconds watchdog_timeout = std::chrono::seconds(30);

    std::string_view name = "station";
    ringlet::Nanoseconds window = std::chrono::seconds(10);
    std::string_view store = "/var/lib/ringlet-station/batches";
    std::uint32_t store_batches = 1024;

    std::string_view url;
    ringlet::Nanoseconds post_timeout = std::chrono::seconds(20);
    ringlet::Nanoseconds retry_max = std::chrono::minutes(1);
};

inline constexpr std::size_t options_count = 19;

// The command line's table over `settings`.
std::array<ringlet::Option, options_count> option_table(Settings& settings);
// The command with that table; both are static or outlive it.
ringlet::Command command(std::span<const ringlet::Option> table);

}  // namespace station
