// What the user can set, with its bounds.
#pragma once

#include <ringlet/app/options.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace timeout_app {

inline constexpr std::size_t endpoints_max = 64;

struct Settings {
    ringlet::Nanoseconds step = std::chrono::seconds(2);       // of one attempt
    ringlet::Nanoseconds deadline = std::chrono::seconds(10);  // of a probe, retries included
    std::uint32_t retries = 1;                                 // of a probe
    ringlet::Nanoseconds interval = std::chrono::seconds(1);   // between the starts of probes
    std::uint32_t count = 10;                                  // probes an endpoint; 0: no end
    std::uint32_t breaker_failures = 5;                        // probes in a row that open it
    ringlet::Nanoseconds breaker_open = std::chrono::seconds(5);
    bool jsonl = false;
};

// The command line's table over `settings`. 8 rows.
std::array<ringlet::Option, 8> option_table(Settings& settings);
// The command with that table; both are static or outlive it.
ringlet::Command command(std::span<const ringlet::Option> table);

}  // namespace timeout_app
