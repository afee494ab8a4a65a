// Durations, sizes and counts, from the text that people write.
//
//   parse_duration("1.5h")   parse_size("64KiB")   parse_count("8", 1, 64)
//
// Exact: what cannot be expressed, or does not fit, is refused and never rounded. No sign, no
// space, no exponent. None of this looks at the locale.
#pragma once

#include <ringlet/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string_view>

namespace ringlet {

// Why a text was refused, in words that follow the text itself: "'5' has no unit; use ...".
class Refusal {
public:
    static constexpr std::size_t bytes_max = 112;

    explicit Refusal(std::string_view words);
    const char* words() const { return words_; }

private:
    char words_[bytes_max];
};

template <class T>
using Parsed = std::expected<T, Refusal>;

// A whole number, in the range from `min` to `max`.
Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t min = 0,
                                  std::uint64_t max = std::numeric_limits<std::uint64_t>::max());

// A number with up to nine decimals and one of the units ns, us, ms, s, m (minutes), h, d.
Parsed<Nanoseconds> parse_duration(std::string_view text, Nanoseconds min = Nanoseconds::zero(),
                                   Nanoseconds max = Nanoseconds::max());

// Bytes: a number with up to nine decimals, and none of the units or one of B; KiB, MiB, GiB, TiB
// (1024); kB, MB, GB, TB (1000; KB, too). A lone k or M, which people read both ways, is refused.
Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t min = 0,
                                 std::uint64_t max = std::numeric_limits<std::uint64_t>::max());

}  // namespace ringlet
