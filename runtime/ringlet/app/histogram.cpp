// From a span to its bucket and back.
#include <ringlet/app/histogram.hpp>

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <bit>

namespace ringlet {

// In each doubling the topmost part_bits + 1 bits choose the bucket.
std::size_t Histogram::bucket_of(std::uint64_t units) {
    if (units < parts) return static_cast<std::size_t>(units);
    const unsigned shift = static_cast<unsigned>(std::bit_width(units)) - part_bits - 1;
    return shift * parts + static_cast<std::size_t>(units >> shift);
}

// The longest span that falls into the bucket.
Nanoseconds Histogram::end_of(std::size_t bucket) {
    const std::size_t shift = bucket < parts ? 0 : bucket / parts - 1;
    const std::uint64_t next = std::uint64_t{bucket - shift * parts + 1} << shift;
    return Nanoseconds(static_cast<Instant>(next << unit_bits) - 1);
}

void Histogram::record(Nanoseconds span) {
    const auto length = static_cast<std::uint64_t>(std::max(span.count(), Instant{0}));
    if (span <= span_max) ++counts_[bucket_of(length >> unit_bits)];
    ++count_;
    max_ = std::max(max_, span);
}

Nanoseconds Histogram::quantile(double q) const {
    RINGLET_ASSERT(q >= 0 && q <= 1);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
        if (counts_[bucket] == 0) continue;
        seen += counts_[bucket];
        const double share = static_cast<double>(seen) / static_cast<double>(count_);
        if (share >= q) return std::min(end_of(bucket), max_);
    }
    return max_;  // nothing, or longer than span_max
}

}  // namespace ringlet
