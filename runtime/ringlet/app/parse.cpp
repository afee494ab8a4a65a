// One scanner for "number, unit", then exact integer arithmetic: no floating point, no strtod.
#include <ringlet/app/parse.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/panic.hpp>

#include <cstring>
#include <numeric>
#include <optional>

namespace ringlet {
namespace {

constexpr int decimals_max = 9;

struct Quantity {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0;        // 5 in "1.5", 50 in "1.50" ...
    std::uint64_t fraction_scale = 1;  // ... out of 10, out of 100
    std::string_view unit;
    bool overflow = false;  // `whole` does not fit
};

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Takes the digits at the front of `text`; false if there are none.
bool take_digits(std::string_view& text, std::uint64_t& value, bool& overflow) {
    if (text.empty() || !is_digit(text.front())) return false;
    while (!text.empty() && is_digit(text.front())) {
        const auto digit = static_cast<std::uint64_t>(text.front() - '0');
        overflow |= __builtin_mul_overflow(value, std::uint64_t{10}, &value);
        overflow |= __builtin_add_overflow(value, digit, &value);
        text.remove_prefix(1);
    }
    return true;
}

// The words for what is no number are the caller's, since only it can say what is accepted.
Parsed<Quantity> scan(std::string_view text, const Refusal& not_a_quantity) {
    Quantity found;
    if (!take_digits(text, found.whole, found.overflow)) {
        return std::unexpected(not_a_quantity);
    }
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        const std::size_t size_before = text.size();
        bool overflow = false;
        if (!take_digits(text, found.fraction, overflow)) {
            return std::unexpected(not_a_quantity);
        }
        const std::size_t decimals = size_before - text.size();
        if (decimals > decimals_max) return std::unexpected(Refusal("has more than 9 decimals"));
        for (std::size_t i = 0; i < decimals; ++i) found.fraction_scale *= 10;
    }
    found.unit = text;
    return found;
}

enum class ScaleFault { inexact, overflow };

// The quantity in steps of which `unit` holds so many. Nine decimals and units below 2^47 keep all
// products within 64 bits once the common factor is taken out.
std::expected<std::uint64_t, ScaleFault> scaled(const Quantity& quantity, std::uint64_t unit) {
    const std::uint64_t common = std::gcd(unit, quantity.fraction_scale);
    std::uint64_t part = 0;
    if (__builtin_mul_overflow(quantity.fraction, unit / common, &part)) {
        return std::unexpected(ScaleFault::overflow);
    }
    const std::uint64_t divisor = quantity.fraction_scale / common;
    if (part % divisor != 0) return std::unexpected(ScaleFault::inexact);
    std::uint64_t sum = 0;
    if (quantity.overflow || __builtin_mul_overflow(quantity.whole, unit, &sum) ||
        __builtin_add_overflow(sum, part / divisor, &sum)) {
        return std::unexpected(ScaleFault::overflow);
    }
    return sum;
}

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

std::optional<std::uint64_t> factor_of(std::string_view name, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (unit.name == name) return unit.factor;
    }
    return std::nullopt;
}

constexpr Unit duration_units[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
};
constexpr std::string_view duration_hint = "use ns, us, ms, s, m, h or d, such as 500ms";

constexpr Unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", std::uint64_t{1} << 10},
    {"MiB", std::uint64_t{1} << 20},
    {"GiB", std::uint64_t{1} << 30},
    {"TiB", std::uint64_t{1} << 40},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
};
constexpr std::string_view size_hint = "use B, KiB, MiB, GiB, TiB (1024) or kB, MB, GB, TB (1000)";

Refusal with_hint(std::string_view words, std::string_view hint) {
    FixedText<Refusal::bytes_max> joined;
    joined.append(words);
    joined.append(hint);
    return Refusal(joined.view());
}

// A range refusal in the words that all three share.
template <class T>
Refusal outside(T min, T max, void (*append)(TextBuffer&, T)) {
    FixedText<Refusal::bytes_max> words;
    words.append("is not between ");
    append(words, min);
    words.append(" and ");
    append(words, max);
    return Refusal(words.view());
}

Refusal outside_count(std::uint64_t min, std::uint64_t max) {
    return outside<std::uint64_t>(
        min, max, [](TextBuffer& text, std::uint64_t value) { text.append_number(value); });
}

}  // namespace

Refusal::Refusal(std::string_view words) {
    RINGLET_ASSERT(words.size() < bytes_max);
    std::memcpy(words_, words.data(), words.size());
    words_[words.size()] = '\0';
}

Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t min, std::uint64_t max) {
    RINGLET_ASSERT(min <= max);
    std::uint64_t value = 0;
    bool overflow = false;
    if (!take_digits(text, value, overflow) || !text.empty()) {
        return std::unexpected(Refusal("is not a whole number, such as 8"));
    }
    if (overflow || value < min || value > max) return std::unexpected(outside_count(min, max));
    return value;
}

Parsed<Nanoseconds> parse_duration(std::string_view text, Nanoseconds min, Nanoseconds max) {
    RINGLET_ASSERT(Nanoseconds::zero() <= min && min <= max);
    const auto quantity = scan(text, with_hint("is not a duration; ", duration_hint));
    if (!quantity) return std::unexpected(quantity.error());
    if (quantity->unit.empty()) {
        return std::unexpected(with_hint("has no unit; ", duration_hint));
    }
    const auto factor = factor_of(quantity->unit, duration_units);
    if (!factor) return std::unexpected(with_hint("has an unknown unit; ", duration_hint));
    const auto count = scaled(*quantity, *factor);
    if (!count && count.error() == ScaleFault::inexact) {
        return std::unexpected(Refusal("is finer than a nanosecond"));
    }
    const auto longest = static_cast<std::uint64_t>(Nanoseconds::max().count());
    if (!count || *count > longest) {
        return std::unexpected(Refusal("is too long; the longest is 106751d"));
    }
    const Nanoseconds duration{static_cast<std::int64_t>(*count)};
    if (duration < min || duration > max) {
        return std::unexpected(outside<Nanoseconds>(min, max, append_duration));
    }
    return duration;
}

Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t min, std::uint64_t max) {
    RINGLET_ASSERT(min <= max);
    const auto quantity = scan(text, Refusal("is not a size, such as 4096 or 64KiB"));
    if (!quantity) return std::unexpected(quantity.error());
    const auto factor = factor_of(quantity->unit, size_units);
    if (!factor) {
        if (quantity->unit.size() == 1 &&
            std::string_view("kKmMgGtT").contains(quantity->unit.front())) {
            return std::unexpected(with_hint("has an ambiguous unit; ", size_hint));
        }
        return std::unexpected(with_hint("has an unknown unit; ", size_hint));
    }
    const auto bytes = scaled(*quantity, *factor);
    if (!bytes && bytes.error() == ScaleFault::inexact) {
        return std::unexpected(Refusal("is not a whole number of bytes"));
    }
    if (!bytes || *bytes < min || *bytes > max) {
        return std::unexpected(outside<std::uint64_t>(min, max, append_size));
    }
    return *bytes;
}

}  // namespace ringlet
