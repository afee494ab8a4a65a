#include <ringlet/app/json.hpp>
#include <ringlet/app/json_lines.hpp>

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace ringlet {
namespace {

class JsonLineTest : public testing::Test {
protected:
    std::array<char, 1024> memory_;
    JsonLine line_{memory_};
    std::string finish() { return std::string(line_.finish().value()); }
};

TEST_F(JsonLineTest, writes_an_empty_object) {
    EXPECT_EQ(finish(), "{}\n");
}

TEST_F(JsonLineTest, writes_every_kind_of_member) {
    const std::string text = "s";
    line_.add("string", text).add("literal", "x").add("double", 1.5).add("int", -3);
    line_.add("unsigned", 3u).add("yes", true).add("no", false).add_null("none");
    EXPECT_EQ(finish(), "{\"string\":\"s\",\"literal\":\"x\",\"double\":1.5,\"int\":-3,"
                        "\"unsigned\":3,\"yes\":true,\"no\":false,\"none\":null}\n");
}

TEST_F(JsonLineTest, writes_64_bit_integers_in_full) {
    line_.add("min", std::numeric_limits<std::int64_t>::min());
    line_.add("max", std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(finish(), "{\"min\":-9223372036854775808,\"max\":18446744073709551615}\n");
}

TEST_F(JsonLineTest, nests_objects) {
    line_.add("a", 1).open("b").add("c", 2).open("d").close().close().add("e", 3);
    EXPECT_EQ(finish(), "{\"a\":1,\"b\":{\"c\":2,\"d\":{}},\"e\":3}\n");
}

TEST_F(JsonLineTest, escapes_what_must_be) {
    line_.add("k\"\n", std::string_view("\"\\\n\r\t\b\f\x01\x1F\x7F\0/", 12));
    EXPECT_EQ(finish(),
              "{\"k\\\"\\n\":\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\\u007f\\u0000/\"}\n");
}

TEST_F(JsonLineTest, keeps_utf8_and_replaces_what_is_not) {
    line_.add("a", "caf\xC3\xA9 \xF0\x9F\x8C\xA1").add("b", "x\xFFy\xC3").add("c", "\xED\xA0\x80");
    EXPECT_EQ(finish(),
              "{\"a\":\"caf\xC3\xA9 \xF0\x9F\x8C\xA1\",\"b\":\"x\xEF\xBF\xBDy\xEF\xBF\xBD\","
              "\"c\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
}

TEST_F(JsonLineTest, writes_null_for_numbers_that_json_does_not_have) {
    line_.add("nan", std::nan("")).add("inf", HUGE_VAL).add("-inf", -HUGE_VAL);
    EXPECT_EQ(finish(), "{\"nan\":null,\"inf\":null,\"-inf\":null}\n");
}

TEST(JsonLine, writes_the_shortest_digits_that_read_back_as_the_same) {
    static JsonArena<1024> json;
    std::mt19937_64 random(3);
    std::array<char, 128> memory;
    for (int i = 0; i < 20'000; ++i) {
        const auto value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) continue;
        JsonLine line(memory);
        const auto text = line.add("v", value).finish();
        const auto document = json.parse(text.value());
        ASSERT_TRUE(document) << json.message() << *text;
        ASSERT_EQ(document->root().number("v").value(), value) << *text;
    }
    JsonLine line(memory);
    EXPECT_EQ(line.add("v", 0.1).add("w", -0.0).add("x", 1e300).finish().value(),
              "{\"v\":0.1,\"w\":-0,\"x\":1e+300}\n");
}

TEST(JsonLine, reports_overflow_at_every_size_and_never_writes_beyond) {
    const std::string full = "{\"key\":\"a\\nb\",\"n\":12,\"o\":{\"p\":true}}\n";
    for (std::size_t size = 0; size <= full.size() + 1; ++size) {
        std::string memory(full.size() + 8, '#');
        const std::span<char> storage(memory);
        JsonLine line(storage.first(size));
        line.add("key", "a\nb").add("n", 12).open("o").add("p", true).close();
        const auto text = line.finish();
        ASSERT_EQ(text.has_value(), size >= full.size()) << size;
        if (text) {
            EXPECT_EQ(*text, full);
        } else {
            EXPECT_EQ(text.error(), std::errc::not_enough_memory);
        }
        EXPECT_EQ(memory.find_first_not_of('#', size), std::string::npos);
    }
}

TEST(JsonLine, is_always_json_whatever_the_strings) {
    static JsonArena<8192> json;
    std::mt19937 random(4);
    std::array<char, 4096> memory;
    for (int i = 0; i < 5'000; ++i) {
        std::string text(random() % 64, '\0');
        for (char& c : text) c = static_cast<char>(1 + random() % 255);
        std::erase(text, '\0');
        JsonLine line(memory);
        const auto written = line.add("v", text).finish();
        const auto document = json.parse(written.value());
        ASSERT_TRUE(document) << json.message();
        // In the tree the same text, but for the replacements.
        const auto value = document->root().string("v").value();
        const bool replaced = value.find("\xEF\xBF\xBD") != value.npos;
        ASSERT_TRUE(replaced || value == text);
    }
}

using JsonLineDeathTest = JsonLineTest;

TEST_F(JsonLineDeathTest, refuses_unbalanced_objects) {
    EXPECT_DEATH(line_.close(), "depth_ > 1");
    EXPECT_DEATH((void)line_.open("a").finish(), "depth_ == 1");
    EXPECT_DEATH(
        {
            for (int i = 0; i < 9; ++i) line_.open("a");
        },
        "depth_ < json_line_nesting_max");
}

}  // namespace
}  // namespace ringlet
