// What the user can set, with its bounds.
#pragma once

#include <ringlet/app/options.hpp>
#include <ringlet/base/units.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fetch {

using namespace ringlet::literals;

inline constexpr std::uint32_t concurrency_max = 64;
inline constexpr std::uint32_t per_host_max = 16;
inline constexpr std::uint32_t retries_max = 100;
inline constexpr std::uint64_t body_bytes_max = std::uint64_t{1} << 40;  // 1 TiB

struct Settings {
    std::uint32_t concurrency = 8;  // requests at once
    std::uint32_t per_host = 4;     // connections
    ringlet::Nanoseconds timeout = std::chrono::seconds(30);  // of one attempt
    std::uint32_t retries = 2;
    std::uint64_t max_body = 64_MiB;
    std::string_view output;     // a folder's path; empty: bodies are counted and dropped
    bool jsonl = false;
    std::string_view urls_from;  // a path, or "-"; empty: no more than the operands
    std::span<char* const> urls;
};

// The command line's table over `settings`. 8 rows.
std::array<ringlet::Option, 8> option_table(Settings& settings);
// The command with that table; both are static or outlive it.
ringlet::Command command(std::span<const ringlet::Option> table);

}  // namespace fetch
