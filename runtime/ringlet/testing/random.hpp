// A small generator whose numbers depend on its seed alone, on every machine: splitmix64.
//
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
#pragma once

#include <ringlet/base/panic.hpp>

#include <cstddef>
#include <cstdint>

namespace ringlet::testing {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    // From `least` to `most`, both included. The bias of the remainder does not matter here.
    std::uint64_t between(std::uint64_t least, std::uint64_t most) {
        RINGLET_ASSERT(least <= most);
        const std::uint64_t count = most - least + 1;
        return count == 0 ? next() : least + next() % count;
    }
    // The same for sizes and indices, which have 32 bits on some boards.
    std::size_t size_between(std::size_t least, std::size_t most) {
        return static_cast<std::size_t>(between(least, most));
    }

private:
    std::uint64_t state_;
};

}  // namespace ringlet::testing
