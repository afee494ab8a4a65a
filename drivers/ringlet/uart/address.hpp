// Address: a serial line as users name it, on a command line or in a configuration.
//
//   /dev/ttyUSB0                      as Options are: 115200,8N1
//   /dev/ttyUSB0,9600
//   /dev/ttyUSB0,19200,7E2,rtscts     speed, format, flow control: in any order, each once
//
// A format is data bits (5 to 8), parity (N, E, O, M, S: none, even, odd, mark, space) and stop
// bits (1, 2). Flow control is rtscts or xonxoff. The path ends at the first comma: udev gives no
// device a name with one.
#pragma once

#include <ringlet/base/error.hpp>
#include <ringlet/uart/options.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace ringlet::uart {

inline constexpr std::size_t path_bytes_max = 255;

struct Address {
    std::array<char, path_bytes_max + 1> path{};  // zero-terminated, for Uart::open()
    Options options;
};

// Looks at the text only, not at any device.
//
// Errors: invalid_argument with uart::Detail::path or ::settings.
Result<Address> parse_address(std::string_view text);

}  // namespace ringlet::uart
