#include <ringlet/app/format.hpp>
#include <ringlet/app/parse.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

std::string duration_refusal(std::string_view text) {
    const auto parsed = parse_duration(text);
    return parsed ? "accepted" : parsed.error().words();
}
std::string size_refusal(std::string_view text) {
    const auto parsed = parse_size(text);
    return parsed ? "accepted" : parsed.error().words();
}
std::string exact(Nanoseconds duration) {
    FixedText<64> text;
    append_duration(text, duration);
    return text.c_str();
}
std::string rounded(Nanoseconds duration) {
    FixedText<64> text;
    append_duration_rounded(text, duration);
    return text.c_str();
}
std::string exact_size(std::uint64_t bytes) {
    FixedText<64> text;
    append_size(text, bytes);
    return text.c_str();
}
std::string rounded_size(std::uint64_t bytes) {
    FixedText<64> text;
    append_size_rounded(text, bytes);
    return text.c_str();
}

constexpr const char* duration_hint = "use ns, us, ms, s, m, h or d, such as 500ms";
constexpr const char* size_hint = "use B, KiB, MiB, GiB, TiB (1024) or kB, MB, GB, TB (1000)";

TEST(ParseDuration, accepts_every_unit) {
    EXPECT_EQ(parse_duration("7ns").value(), 7ns);
    EXPECT_EQ(parse_duration("250us").value(), 250us);
    EXPECT_EQ(parse_duration("500ms").value(), 500ms);
    EXPECT_EQ(parse_duration("2s").value(), 2s);
    EXPECT_EQ(parse_duration("3m").value(), 3min);
    EXPECT_EQ(parse_duration("1h").value(), 1h);
    EXPECT_EQ(parse_duration("1d").value(), 24h);
    EXPECT_EQ(parse_duration("0s").value(), 0ns);
}

TEST(ParseDuration, accepts_decimals_exactly) {
    EXPECT_EQ(parse_duration("1.5h").value(), 90min);
    EXPECT_EQ(parse_duration("0.1s").value(), 100ms);
    EXPECT_EQ(parse_duration("0.000000001s").value(), 1ns);
    EXPECT_EQ(parse_duration("1.000ns").value(), 1ns);
    EXPECT_EQ(parse_duration("0.123456789d").value(), 10'666'666'569'600ns);
}

TEST(ParseDuration, says_what_is_wrong) {
    for (const char* text :
         {"", "ms", "-1s", "+1s", " 1s", ".5s", "x", "1.s", "1.", "inf", "nan"}) {
        EXPECT_EQ(duration_refusal(text), std::string("is not a duration; ") + duration_hint)
            << text;
    }
    for (const char* text : {"5", "0", "1.5"}) {
        EXPECT_EQ(duration_refusal(text), std::string("has no unit; ") + duration_hint) << text;
    }
    for (const char* text :
         {"5x", "5S", "5MS", "5 s", "5s ", "5sec", "1e3s", "1,5s", "1.2.3s", "1h30m"}) {
        EXPECT_EQ(duration_refusal(text), std::string("has an unknown unit; ") + duration_hint)
            << text;
    }
    EXPECT_EQ(duration_refusal("1.5ns"), "is finer than a nanosecond");
    EXPECT_EQ(duration_refusal("0.0000001ms"), "is finer than a nanosecond");
    EXPECT_EQ(duration_refusal("0.0000000001s"), "has more than 9 decimals");
}

TEST(ParseDuration, refuses_overflow) {
    EXPECT_EQ(parse_duration("9223372036854775807ns").value(), Nanoseconds::max());
    EXPECT_EQ(parse_duration("106751d").value(), std::chrono::days{106751});
    for (const char* text : {"9223372036854775808ns", "106752d", "18446744073709551616ns",
                             "99999999999999999999999999999999s", "18446744073709551615d"}) {
        EXPECT_EQ(duration_refusal(text), "is too long; the longest is 106751d") << text;
    }
}

TEST(ParseDuration, keeps_to_the_range) {
    EXPECT_EQ(parse_duration("1ms", 1ms, 1h).value(), 1ms);
    EXPECT_EQ(parse_duration("60m", 1ms, 1h).value(), 1h);
    EXPECT_STREQ(parse_duration("999us", 1ms, 1h).error().words(), "is not between 1ms and 1h");
    EXPECT_STREQ(parse_duration("61m", 1ms, 1h).error().words(), "is not between 1ms and 1h");
}

TEST(ParseSize, accepts_binary_decimal_and_plain_bytes) {
    EXPECT_EQ(parse_size("4096").value(), 4096u);
    EXPECT_EQ(parse_size("12B").value(), 12u);
    EXPECT_EQ(parse_size("64KiB").value(), 65536u);
    EXPECT_EQ(parse_size("1MiB").value(), 1048576u);
    EXPECT_EQ(parse_size("1GiB").value(), std::uint64_t{1} << 30);
    EXPECT_EQ(parse_size("1TiB").value(), std::uint64_t{1} << 40);
    EXPECT_EQ(parse_size("2kB").value(), 2000u);
    EXPECT_EQ(parse_size("2KB").value(), 2000u);
    EXPECT_EQ(parse_size("10MB").value(), 10'000'000u);
    EXPECT_EQ(parse_size("1GB").value(), 1'000'000'000u);
    EXPECT_EQ(parse_size("1TB").value(), 1'000'000'000'000u);
    EXPECT_EQ(parse_size("1.5MiB").value(), 1572864u);
    EXPECT_EQ(parse_size("0.5KiB").value(), 512u);
}

TEST(ParseSize, says_what_is_wrong) {
    for (const char* text : {"", "KiB", "-1", "+1", " 1", ".5MB", "1.", "big"}) {
        EXPECT_EQ(size_refusal(text), "is not a size, such as 4096 or 64KiB") << text;
    }
    for (const char* text : {"2k", "2K", "2m", "2M", "2g", "2G", "2t", "2T"}) {
        EXPECT_EQ(size_refusal(text), std::string("has an ambiguous unit; ") + size_hint) << text;
    }
    for (const char* text : {"2b", "2kib", "2 KiB", "2KiBs", "2mb", "2PiB", "0x10", "1e3"}) {
        EXPECT_EQ(size_refusal(text), std::string("has an unknown unit; ") + size_hint) << text;
    }
    EXPECT_EQ(size_refusal("0.1KiB"), "is not a whole number of bytes");
    EXPECT_EQ(size_refusal("1.5"), "is not a whole number of bytes");
}

TEST(ParseSize, refuses_overflow_and_keeps_to_the_range) {
    EXPECT_EQ(parse_size("18446744073709551615").value(), 18446744073709551615u);
    EXPECT_EQ(parse_size("16777215.999999TiB").has_value(), false);
    for (const char* text : {"18446744073709551616", "16777216TiB", "99999999999999999999999TB"}) {
        EXPECT_EQ(size_refusal(text), "is not between 0B and 18446744073709551615B") << text;
    }
    EXPECT_STREQ(parse_size("100", 1024, 65536).error().words(), "is not between 1KiB and 64KiB");
    EXPECT_EQ(parse_size("1KiB", 1024, 65536).value(), 1024u);
}

TEST(ParseCount, accepts_whole_numbers_in_the_range) {
    EXPECT_EQ(parse_count("0").value(), 0u);
    EXPECT_EQ(parse_count("007").value(), 7u);
    EXPECT_EQ(parse_count("18446744073709551615").value(), 18446744073709551615u);
    EXPECT_EQ(parse_count("1", 1, 64).value(), 1u);
    EXPECT_EQ(parse_count("64", 1, 64).value(), 64u);
}

TEST(ParseCount, says_what_is_wrong) {
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "many"}) {
        EXPECT_STREQ(parse_count(text).error().words(), "is not a whole number, such as 8") << text;
    }
    for (const char* text : {"0", "65", "18446744073709551616", "99999999999999999999999999"}) {
        EXPECT_STREQ(parse_count(text, 1, 64).error().words(), "is not between 1 and 64") << text;
    }
    EXPECT_STREQ(parse_count("18446744073709551616").error().words(),
                 "is not between 0 and 18446744073709551615");
}

TEST(ParseCount, does_not_look_beyond_the_view) {
    EXPECT_EQ(parse_count(std::string_view("12345").substr(0, 2)).value(), 12u);
}

TEST(FormatDuration, takes_the_largest_unit_with_three_decimals) {
    EXPECT_EQ(exact(0ns), "0s");
    EXPECT_EQ(exact(1ns), "1ns");
    EXPECT_EQ(exact(1500ns), "1.5us");
    EXPECT_EQ(exact(100ms), "100ms");
    EXPECT_EQ(exact(2s), "2s");
    EXPECT_EQ(exact(90s), "1.5m");
    EXPECT_EQ(exact(90min), "1.5h");
    EXPECT_EQ(exact(48h), "2d");
    EXPECT_EQ(exact(1'234'567ns), "1234.567us");
    EXPECT_EQ(exact(1'000'000'001ns), "1000000.001us");
    EXPECT_EQ(exact(1005ms), "1.005s");
    EXPECT_EQ(exact(-2s), "-2s");
    EXPECT_EQ(exact(Nanoseconds::min()), "-9223372036854775.808us");
}

TEST(FormatDuration, reads_back_as_the_same) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        const Nanoseconds duration{static_cast<std::int64_t>(random() >> (1 + random() % 63))};
        ASSERT_EQ(parse_duration(exact(duration)).value(), duration) << duration.count();
    }
    EXPECT_EQ(parse_duration(exact(Nanoseconds::max())).value(), Nanoseconds::max());
}

TEST(FormatDuration, rounds_to_three_digits_for_reports) {
    EXPECT_EQ(rounded(0ns), "0s");
    EXPECT_EQ(rounded(999ns), "999ns");
    EXPECT_EQ(rounded(1'234'567ns), "1.23ms");
    EXPECT_EQ(rounded(12'345'678ns), "12.3ms");
    EXPECT_EQ(rounded(123'456'789ns), "123ms");
    EXPECT_EQ(rounded(999'600'000ns), "1s");
    EXPECT_EQ(rounded(59'999ms), "1m");
    EXPECT_EQ(rounded(59'940ms), "59.9s");
    EXPECT_EQ(rounded(9'999us), "10ms");
    EXPECT_EQ(rounded(5s), "5s");
    EXPECT_EQ(rounded(90min), "1.5h");
    EXPECT_EQ(rounded(24h * 4000), "4000d");
    EXPECT_EQ(rounded(-1'234'567ns), "-1.23ms");
    EXPECT_EQ(rounded(Nanoseconds::max()), "106752d");
}

TEST(FormatSize, is_exact) {
    EXPECT_EQ(exact_size(0), "0B");
    EXPECT_EQ(exact_size(65536), "64KiB");
    EXPECT_EQ(exact_size(10'000'000), "10MB");
    EXPECT_EQ(exact_size(4097), "4097B");
    EXPECT_EQ(exact_size(std::uint64_t{1} << 40), "1TiB");
    std::mt19937_64 random(2);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t bytes = random() >> random() % 64 << random() % 40;
        ASSERT_EQ(parse_size(exact_size(bytes)).value(), bytes);
    }
}

TEST(FormatSize, rounds_for_reports) {
    EXPECT_EQ(rounded_size(0), "0B");
    EXPECT_EQ(rounded_size(812), "812B");
    EXPECT_EQ(rounded_size(1023), "1023B");
    EXPECT_EQ(rounded_size(1536), "1.5KiB");
    EXPECT_EQ(rounded_size(1'534'000), "1.46MiB");
    EXPECT_EQ(rounded_size((std::uint64_t{1} << 20) - 1), "1MiB");
    EXPECT_EQ(rounded_size(~std::uint64_t{0}), "16777216TiB");
}

}  // namespace
}  // namespace ringlet
