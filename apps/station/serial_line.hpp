// The protocol of the serial line: a value a line, with a checksum if the sender likes.
//
//   humidity=45.2
//   humidity=45.2*39
//
// The checksum is that of NMEA 0183: two hexadecimal digits, the exclusive or of all bytes before
// the '*'.
#pragma once

#include <reading.hpp>

#include <expected>
#include <string_view>

namespace station {

enum class Checksum : bool { optional, required };

// What the line says, or why it is bad, in words.
std::expected<Reading, const char*> parse_serial_line(std::string_view line,
                                                      Checksum checksum = Checksum::optional);

}  // namespace station
