// The errors that the CAN driver finds itself; all others are the kernel's.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>

namespace ringlet::can {

inline constexpr Domain domain = driver_domain(5);

enum class Detail : std::uint16_t {
    none,
    no_flexible_rate,  // operation_not_supported: the interface, or the socket, is not for CAN FD
};

constexpr bool operator==(Error error, Detail detail) {
    return error.domain() == domain && error.detail() == static_cast<std::uint16_t>(detail);
}

// The error of a detail, with its std::errc; detail is not `none`.
Error error_of(Detail detail);

}  // namespace ringlet::can
