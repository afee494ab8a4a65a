// Internet addresses as text: "127.0.0.1:8080", "[::1]:8080".
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

// Of an IPv4 or IPv6 address; 0 for any other.
std::uint16_t port_of(const SocketAddress& address);

// What text(address) gives: text in an object of its own.
class AddressText {
public:
    const char* c_str() const { return characters_.data(); }
    std::string_view view() const { return characters_.data(); }

private:
    friend AddressText text(const SocketAddress& address);
    std::array<char, 80> characters_{};
};

// As parse_address() reads it; "(family 1)" for an address that is neither IPv4 nor IPv6.
AddressText text(const SocketAddress& address);

}  // namespace ringlet
