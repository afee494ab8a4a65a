// Addresses of sockets as text: "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock".
#pragma once

#include <ringlet/ring/system.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace ringlet {

// An address and a port: "192.0.2.7:80", "[2001:db8::7]:80", "[fe80::1%2]:80" (2 is the number of
// the interface). "localhost" stands for 127.0.0.1 (RFC 6761, 6.3).
//
// Errors (Domain::app): destination_address_required if a host's name stands in the address's
// place: only a resolver knows names; invalid_argument for everything else that is no address.
// Source: inet_pton(3), ip(7), ipv6(7).
Result<SocketAddress> parse_address(std::string_view text);

// The same, of an address without brackets and a port apart.
Result<SocketAddress> parse_address(std::string_view host, std::uint16_t port);

// The machine itself.
SocketAddress loopback_address(std::uint16_t port);     // 127.0.0.1
SocketAddress loopback_address_v6(std::uint16_t port);  // ::1
// For listening: every address of the machine. The IPv6 one takes IPv4 peers, too, unless
// ListenOptions::v6_only is set.
SocketAddress any_address(std::uint16_t port);     // 0.0.0.0
SocketAddress any_address_v6(std::uint16_t port);  // ::

// The name of a Unix socket: a path, or "@name" for a name that is no file (unix(7), "abstract").
//
// Errors (Domain::app): filename_too_long if it has more than 107 bytes; invalid_argument if it is
// empty or has a NUL in it.
// Source: unix(7).
Result<SocketAddress> unix_address(std::string_view path);

// Of an IPv4 or IPv6 address; 0 for any other.
std::uint16_t port_of(const SocketAddress& address);

// What text(address) gives: text in an object of its own.
class AddressText {
public:
    const char* c_str() const { return characters_.data(); }
    std::string_view view() const { return characters_.data(); }

private:
    friend AddressText text(const SocketAddress& address);
    std::array<char, 120> characters_{};
};

// As parse_address() reads it. Of a Unix socket "unix:" and what unix_address() reads, or "unix:"
// alone if it has no name; "(family 40)" of any other, and "(no address)" of an empty one.
AddressText text(const SocketAddress& address);

}  // namespace ringlet
