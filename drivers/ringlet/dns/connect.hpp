// Connecting to a host by its name, quickly also where one of its addresses does not answer.
//
// "Happy Eyeballs" (RFC 8305): the addresses are tried in turn, IPv6 and IPv4 alternately, each
// `attempt_delay` after the one before, or at once when one has failed; none is given up for that.
// The first connection counts, and the others are cancelled. It begins as soon as IPv6 addresses
// are known, or `resolution_delay` after the IPv4 ones.
#pragma once

#include <ringlet/dns/resolver.hpp>
#include <ringlet/io/tcp.hpp>

namespace ringlet::dns {

struct ConnectOptions {
    TcpOptions tcp = {};
    Family family = Family::any;  // of the addresses to be tried
    std::chrono::milliseconds attempt_delay{250};
    std::chrono::milliseconds resolution_delay{50};
};

// Connects to a port of a host. The name may be a literal, and outlives the await. There is no
// limit on the time but the kernel's: use timeout().
//
// Errors: those of Resolver::resolve(). If no address could be connected to, the most telling error
// of all: a lack of our own (descriptors, frames, memory), else refused or reset, else timed out,
// else any; of several the first.
// Cancellation: every connection under way is closed in the background.
// Source: RFC 8305.
Task<TcpSocket> connect(Resolver& resolver, std::string_view name, std::uint16_t port,
                        ConnectOptions options = {});

}  // namespace ringlet::dns
