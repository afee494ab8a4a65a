// Endpoint: what is probed.
#pragma once

#include <ringlet/app/text_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace timeout_app {

// The longest that can be named, in bytes.
inline constexpr std::size_t endpoint_bytes_max = 1024;

// Views into the text that it was parsed from.
struct Endpoint {
    enum class Kind : std::uint8_t { tcp, http, unix_socket, serial };

    Kind kind = Kind::tcp;
    std::string_view text;  // as it was given
    std::string_view host;  // of tcp and http, without brackets
    std::uint16_t port = 0;
    std::string_view path;  // of unix_socket; of serial, with its settings: uart::parse_address()
    std::string_view request;  // of serial: parse_request()

    // Whether the host must be looked up.
    bool has_name() const;
    // Of serial: the path alone.
    std::string_view device() const { return path.substr(0, path.find(',')); }
};

// Parses tcp://HOST:PORT, http://HOST[:PORT][/PATH], unix:PATH or serial:LINE,send=REQUEST. Empty
// if it is none of these: then `why` has the reason in words.
std::optional<Endpoint> parse_endpoint(std::string_view text, ringlet::TextBuffer& why);

}  // namespace timeout_app
