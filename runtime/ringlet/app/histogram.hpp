// Histogram: latencies in memory of a fixed size, however many there are; and their percentiles.
//
// Log-linear buckets: of the spans from 2^n to 2^(n+1) units, each 32nd part has a bucket; below
// 32 units each unit has one. So a bucket is narrow where spans are short, and never wider than
// 1/32 of what it holds.
//
//   units  0 1 2 ... 31 | 32 33 ... 63 | 64 66 ... 126 | 128 132 ... 252 | ...
//   width  1            | 1            | 2             | 4               |
#pragma once

#include <ringlet/base/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ringlet {

class Histogram {
public:
    // A unit of 1.024 us, so that no division is needed.
    static constexpr Nanoseconds resolution{1024};
    // 73 minutes. What is longer is counted, too; a quantile that falls there is max().
    static constexpr Nanoseconds span_max{(Instant{1} << 42) - 1};

    // A negative span counts as zero.
    void record(Nanoseconds span);

    std::uint64_t count() const { return count_; }
    // The longest, exactly; zero if there was none.
    Nanoseconds max() const { return max_; }

    // The span that at least a share `q` of all does not exceed (0.5: the median), rounded up to
    // the end of its bucket: too long by at most 1/32 or a unit, whichever is more, and never
    // longer than max(). quantile(1) is max(). Zero if there was none. 0 <= q <= 1.
    Nanoseconds quantile(double q) const;

    void clear() { *this = {}; }

private:
    static constexpr unsigned unit_bits = 10;
    static constexpr unsigned part_bits = 5;
    static constexpr unsigned span_bits = 42;
    static constexpr std::size_t parts = std::size_t{1} << part_bits;
    static constexpr std::size_t buckets = (span_bits - unit_bits - part_bits + 1) * parts;

    static std::size_t bucket_of(std::uint64_t units);
    static Nanoseconds end_of(std::size_t bucket);

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    Nanoseconds max_{0};
};

}  // namespace ringlet
