// What a send carries, and what a receive brings: the bytes, and what may come with them.
#pragma once

#include <ringlet/ring/system.hpp>
#include <ringlet/testing/rights.hpp>

#include <optional>
#include <span>

namespace ringlet::testing {

struct Outgoing {
    std::span<const std::byte> bytes;
    const SocketAddress* to = nullptr;  // null: to whom the socket is connected
    Rights rights{};                    // taken over if it was sent
};

struct Incoming {
    std::span<std::byte> into;
    bool whole_size = false;  // MSG_TRUNC: the result is the datagram's size, however much fits
    bool dont_wait = false;   // MSG_DONTWAIT
    SocketAddress from{};     // size 0: nobody with a name
    Rights rights{};
    bool truncated = false;
    // What a CAN socket tells besides.
    std::optional<Instant> at{};          // SO_TIMESTAMPNS_NEW
    std::optional<std::uint32_t> lost{};  // SO_RXQ_OVFL
    int flags = 0;                        // of the message
};

}  // namespace ringlet::testing
