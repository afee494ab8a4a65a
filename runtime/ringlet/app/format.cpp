#include <ringlet/app/format.hpp>

#include <iterator>

namespace ringlet {
namespace {

struct Unit {
    const char* name;
    std::uint64_t factor;
};

// Largest first. The last has the factor 1 and takes what no other takes.
constexpr Unit duration_units[] = {
    {"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000},
    {"s", 1'000'000'000},      {"ms", 1'000'000},        {"us", 1'000},
    {"ns", 1},
};
constexpr Unit binary_units[] = {
    {"TiB", std::uint64_t{1} << 40}, {"GiB", std::uint64_t{1} << 30},
    {"MiB", std::uint64_t{1} << 20}, {"KiB", std::uint64_t{1} << 10},
    {"B", 1},
};
constexpr Unit decimal_units[] = {
    {"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"kB", 1'000}, {"B", 1},
};

// The sign goes to `text`; the magnitude of the most negative duration fits in 64 bits.
std::uint64_t take_sign(TextBuffer& text, Nanoseconds duration) {
    const auto count = static_cast<std::uint64_t>(duration.count());
    if (duration >= Nanoseconds::zero()) return count;
    text.append('-');
    return 0 - count;
}

// `thousandths` as decimals without the zeros at their end.
void append_decimals(TextBuffer& text, std::uint64_t thousandths) {
    if (thousandths == 0) return;
    text.append('.');
    for (std::uint64_t step = 100; thousandths != 0; step /= 10) {
        text.append(static_cast<char>('0' + thousandths / step));
        thousandths %= step;
    }
}

// `value / factor` rounded to three digits. What rounds up to a whole `next` is left to the next
// unit: false.
bool append_three_digits(TextBuffer& text, std::uint64_t value, std::uint64_t factor,
                         std::uint64_t next) {
    const std::uint64_t whole = value / factor;
    const std::uint64_t scale = whole >= 100 ? 1 : whole >= 10 ? 10 : 100;
    std::uint64_t fraction = 0;
    if (factor > 1) fraction = (value % factor * scale + factor / 2) / factor;
    const std::uint64_t total = whole * scale + fraction;
    if (next != 0 && total >= next / factor * scale) return false;
    text.append_number(total / scale);
    append_decimals(text, total % scale * (1000 / scale));
    return true;
}

void append_rounded(TextBuffer& text, std::uint64_t value, std::span<const Unit> units) {
    std::size_t at = 0;
    while (at + 1 < units.size() && value < units[at].factor) ++at;
    const std::uint64_t next = at > 0 ? units[at - 1].factor : 0;
    if (!append_three_digits(text, value, units[at].factor, next)) {
        text.append('1');
        --at;
    }
    text.append(units[at].name);
}

}  // namespace

void append_duration(TextBuffer& text, Nanoseconds duration) {
    const std::uint64_t count = take_sign(text, duration);
    if (count == 0) return text.append("0s");
    for (const Unit& unit : duration_units) {
        const std::uint64_t thousandths = count % unit.factor * 1000;
        if (count < unit.factor || thousandths % unit.factor != 0) continue;
        text.append_number(count / unit.factor);
        append_decimals(text, thousandths / unit.factor);
        return text.append(unit.name);
    }
}

void append_size(TextBuffer& text, std::uint64_t bytes) {
    const auto& units = bytes % 1024 == 0 ? binary_units : decimal_units;
    static_assert(std::size(binary_units) == std::size(decimal_units));
    for (const Unit& unit : units) {
        if (unit.factor > 1 && (bytes == 0 || bytes % unit.factor != 0)) continue;
        text.append_number(bytes / unit.factor);
        return text.append(unit.name);
    }
}

void append_duration_rounded(TextBuffer& text, Nanoseconds duration) {
    const std::uint64_t count = take_sign(text, duration);
    if (count == 0) return text.append("0s");
    append_rounded(text, count, duration_units);
}

void append_size_rounded(TextBuffer& text, std::uint64_t bytes) {
    append_rounded(text, bytes, binary_units);
}

}  // namespace ringlet
