// The errors that the GPIO driver finds itself; all others are the kernel's.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>

namespace ringlet::gpio {

inline constexpr Domain domain = driver_domain(3);

enum class Detail : std::uint16_t {
    none,
    no_chip,        // no_such_device: no chip of that label or name
    several_chips,  // invalid_argument: lines of one request are on different chips
};

constexpr bool operator==(Error error, Detail detail) {
    return error.domain() == domain && error.detail() == static_cast<std::uint16_t>(detail);
}

// The error of a detail, with its std::errc; detail is not `none`.
Error error_of(Detail detail);

}  // namespace ringlet::gpio
