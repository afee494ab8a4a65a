// What the user can set, with its bounds.
#pragma once

#include <ringlet/app/options.hpp>
#include <ringlet/base/units.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pipeline {

using namespace ringlet::literals;

inline constexpr std::uint32_t workers_max = 16;
inline constexpr std::uint32_t queue_depth_max = 256;
inline constexpr std::size_t line_bytes_max = 64_KiB;

struct Settings {
    std::uint32_t workers = 4;
    std::uint32_t queue_depth = 64;  // of each queue
    std::uint32_t window = 100;      // records
    std::uint64_t max_line = 4_KiB;  // without the newline
    std::string_view output;         // a path; empty: standard output
    bool jsonl = false;
    std::string_view source;
};

// The command line's table over `settings`. 6 rows.
std::array<ringlet::Option, 6> option_table(Settings& settings);
// The command with that table; both are static or outlive it.
ringlet::Command command(std::span<const ringlet::Option> table);

}  // namespace pipeline
