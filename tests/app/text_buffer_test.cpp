#include <ringlet/app/text_buffer.hpp>
#include <ringlet/app/utf8.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace ringlet {
namespace {

TEST(TextBuffer, starts_empty_and_is_always_terminated) {
    FixedText<16> text;
    EXPECT_EQ(text.view(), "");
    EXPECT_STREQ(text.c_str(), "");
    text.append("abc");
    text.append('d');
    text.append(2, 'e');
    EXPECT_STREQ(text.c_str(), "abcdee");
    text.clear();
    EXPECT_STREQ(text.c_str(), "");
}

TEST(TextBuffer, holds_one_byte_less_than_its_memory) {
    FixedText<8> text;
    text.append("1234567");
    EXPECT_FALSE(text.is_truncated());
    EXPECT_EQ(text.view(), "1234567");
    text.append('8');
    EXPECT_TRUE(text.is_truncated());
    EXPECT_STREQ(text.c_str(), "1234...");
}

TEST(TextBuffer, ignores_what_comes_after_it_was_cut) {
    FixedText<8> text;
    text.append("123456789");
    text.append("x");
    text.format("%d", 1);
    text.append_number(std::uint64_t{1});
    EXPECT_EQ(text.view(), "1234...");
    text.clear();
    EXPECT_FALSE(text.is_truncated());
}

TEST(TextBuffer, formats_and_cuts_what_does_not_fit) {
    FixedText<8> text;
    text.format("%d-%s", 12, "34");
    EXPECT_EQ(text.view(), "12-34");
    text.format("%s", "56789");
    EXPECT_EQ(text.view(), "12-3...");
    FixedText<8> exact;
    exact.format("%s", "1234567");
    EXPECT_FALSE(exact.is_truncated());
}

TEST(TextBuffer, halves_no_character_when_it_cuts) {
    FixedText<9> text;
    text.append("\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC");
    EXPECT_EQ(text.view(), "\xE2\x82\xAC...");
}

TEST(TextBuffer, writes_numbers) {
    FixedText<400> text;
    text.append_number(std::numeric_limits<std::uint64_t>::max());
    text.append(' ');
    text.append_number(std::numeric_limits<std::int64_t>::min());
    text.append(' ');
    text.append_number(0.1);
    text.append(' ');
    text.append_fixed(2.345, 1);
    EXPECT_EQ(text.view(), "18446744073709551615 -9223372036854775808 0.1 2.3");
    text.clear();
    text.append_fixed(std::numeric_limits<double>::max(), 32);
    EXPECT_EQ(text.size(), 309u + 33u);
}

TEST(TextBuffer, makes_text_from_outside_printable) {
    FixedText<32> text;
    text.append_printable("a\nb\x1B\x7F\xC3\xA9");
    EXPECT_EQ(text.view(), "a?b??\xC3\xA9");
}

TEST(Utf8, knows_valid_characters) {
    EXPECT_EQ(utf8_length("a"), 1u);
    EXPECT_EQ(utf8_length("\xC3\xA9"), 2u);
    EXPECT_EQ(utf8_length("\xE2\x82\xAC"), 3u);
    EXPECT_EQ(utf8_length("\xF0\x9F\x8C\xA1"), 4u);
    EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4u);
    EXPECT_EQ(utf8_length(std::string_view("\0", 1)), 1u);
}

TEST(Utf8, refuses_what_is_not_utf8) {
    for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3x", "\xE0\x9F\xBF",
                            "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80", "\xFF", "\xFE", "\xF0\x9F\x8C"}) {
        EXPECT_EQ(utf8_length(bad), 0u) << bad;
    }
    EXPECT_EQ(utf8_length(""), 0u);
}

TEST(Utf8, agrees_with_the_definition_for_all_code_points) {
    for (unsigned point = 0; point <= 0x10FFFF; ++point) {
        std::string text;
        const auto put = [&](unsigned byte) { text += static_cast<char>(byte); };
        if (point < 0x80) put(point);
        else if (point < 0x800) put(0xC0 | point >> 6), put(0x80 | (point & 63));
        else if (point < 0x10000) {
            put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
        } else {
            put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 63));
            put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
        }
        const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
        ASSERT_EQ(utf8_length(text), is_surrogate ? 0 : text.size()) << point;
    }
}

TEST(Utf8, counts_and_cuts_characters) {
    EXPECT_EQ(utf8_count("a\xC3\xA9z"), 3u);
    EXPECT_EQ(utf8_first("a\xC3\xA9z", 2), "a\xC3\xA9");
    EXPECT_EQ(utf8_first("abc", 9), "abc");
    EXPECT_EQ(utf8_first("abc", 0), "");
    EXPECT_EQ(utf8_cut("a\xC3\xA9z", 2), 1u);
    EXPECT_EQ(utf8_cut("a\xC3\xA9z", 3), 3u);
    EXPECT_EQ(utf8_cut("\x80\x80\x80\x80\x80\x80", 5), 5u);
}

}  // namespace
}  // namespace ringlet
