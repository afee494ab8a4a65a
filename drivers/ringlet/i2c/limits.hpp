// What an I2C bus is opened with.
#pragma once

#include <chrono>
#include <cstddef>

namespace ringlet::i2c {

// The kernel keeps these with the adapter, so they hold for every program that uses the bus.
struct Limits {
    // For one transfer, rounded up to 10 ms: after that the kernel gives up, with timed_out. No
    // call on the bus lasts longer than about twice this, and the line before it; so it is also
    // what a cancelled call can still take. Adapters that bit-bang (i2c-gpio), LPI2C of i.MX, and
    // OMAP have a limit of their own instead: docs/i2c.md.
    std::chrono::milliseconds timeout{200};
    // Of a transfer that lost the bus to another master; on adapters that bit-bang, of an address
    // that nobody acknowledged.
    unsigned retries = 1;
};

// The kernel takes no longer message, and no more of them in a transfer (i2c-dev).
inline constexpr std::size_t message_bytes_max = 8192;
inline constexpr std::size_t messages_max = 42;

}  // namespace ringlet::i2c
