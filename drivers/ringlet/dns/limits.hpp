// Limits: every bound of a resolver. Those that size its storage are chosen where it is built; the
// others are the protocol's, or constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringlet::dns {

// A name as text, without the dot at its end, and each of its parts (RFC 1035, 2.3.4).
inline constexpr std::size_t name_bytes_max = 253;
inline constexpr std::size_t label_bytes_max = 63;
// Addresses of one lookup. Further ones in an answer are left out.
inline constexpr unsigned addresses_max = 16;
// Servers, and search domains with their characters together (resolv.conf(5)).
inline constexpr unsigned servers_max = 3;
inline constexpr unsigned search_max = 6;
inline constexpr std::size_t search_bytes_max = 256;
// Lines of the files; longer ones are left out.
inline constexpr std::size_t line_bytes_max = 510;
// What c-ares may allocate while it reads one answer.
inline constexpr std::size_t arena_bytes = 16384;
// An answer over UDP may have this much in any case (RFC 1035, 4.2.1).
inline constexpr std::size_t message_bytes_min = 512;
inline constexpr std::size_t message_bytes_most = 65535;

struct Limits {
    // Questions on their way at once; a name needs one for each kind of address. More wait in line.
    unsigned queries = 4;
    // The longest answer that can be read: message_bytes_min to message_bytes_most. A longer one is
    // an error (Detail::too_long).
    std::size_t message_bytes = 4096;
    // Names in the hosts file, one for each address that it stands with, and their characters.
    // Further ones are left out, with a warning in the log.
    unsigned hosts = 64;
    std::size_t hosts_bytes = 2048;
    // Answers that are remembered; a name takes one for each kind of address. 0: none.
    unsigned cache = 8;

    constexpr bool are_valid() const {
        return queries > 0 && message_bytes >= message_bytes_min &&
               message_bytes <= message_bytes_most && hosts_bytes <= UINT16_MAX;
    }
};

}  // namespace ringlet::dns
