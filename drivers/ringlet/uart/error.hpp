// The errors that the UART driver finds itself; all others are the kernel's.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>

namespace ringlet::uart {

inline constexpr Domain domain = driver_domain(4);

enum class Detail : std::uint16_t {
    none,
    baud,      // invalid_argument: the hardware has no speed near the one asked for
    format,    // invalid_argument: it has not these data bits, stop bits, parity or flow control
    path,      // invalid_argument: parse_address() found none, or one that is too long
    settings,  // invalid_argument: parse_address() cannot read what stands behind the path
    rs485,     // invalid_argument: RS-485, but not with that RTS, those delays or that receiving
};

constexpr bool operator==(Error error, Detail detail) {
    return error.domain() == domain && error.detail() == static_cast<std::uint16_t>(detail);
}

// The error of a detail, with its std::errc; detail is not `none`.
Error error_of(Detail detail);

}  // namespace ringlet::uart
