// scan: which addresses of a bus have a chip, as i2cdetect(8) finds them.
#pragma once

#include <ringlet/i2c/smbus.hpp>

#include <bitset>

namespace ringlet::i2c {

// The addresses that chips may have; the others are reserved.
inline constexpr std::uint8_t first_address = 0x08;
inline constexpr std::uint8_t last_address = 0x77;

struct Found {
    std::bitset<128> chips;  // that answered
    std::bitset<128> taken;  // those that a driver of the kernel has, so they were not asked
};

// Asks each address from `first` to `last` for an acknowledgement: with a quick write, but where
// EEPROMs are, which that may harm, by reading a byte. On an adapter that cannot do the one, the
// other. Some chips dislike being asked at all: it is for finding out what is wrong, not for each
// start. Other tasks get their turn between two addresses.
//
// Errors: as of the bus; operation_not_supported if the adapter can do neither; timed_out: the bus
// is stuck, and nothing more was asked.
// Cancellation: it stops between two addresses.
Task<Found> scan(Bus& bus, std::uint8_t first = first_address,
                 std::uint8_t last = last_address);

}  // namespace ringlet::i2c
