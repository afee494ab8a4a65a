// Names, values, and walking what is stored.
#include <ringlet/http/header.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <string>

using namespace ringlet::http;
using namespace std::string_view_literals;

TEST(HttpHeader, names_are_compared_without_case) {
    EXPECT_TRUE(same_name("Content-Type", "content-TYPE"));
    EXPECT_TRUE(same_name("", ""));
    EXPECT_FALSE(same_name("Content-Type", "Content-Typ"));
    EXPECT_FALSE(same_name("a[", "a{"));  // 0x20 apart, and no letters
}

TEST(HttpHeader, names_are_tokens) {
    for (const auto each : {"A"sv, "x-1"sv, "!#$%&'*+-.^_`|~"sv})
        EXPECT_TRUE(is_header_name(each));
    for (const auto each : {""sv, "a b"sv, "a:"sv, "a\r"sv, "a\0"sv, "(a)"sv, "\xc3\xbc"sv}) {
        EXPECT_FALSE(is_header_name(each)) << each;
    }
}

TEST(HttpHeader, values_have_no_control_characters) {
    for (const auto each : {""sv, "a b\tc"sv, "\"x\"; y=z"sv, "\xc3\xbc"sv}) {
        EXPECT_TRUE(is_header_value(each)) << each;
    }
    for (const auto each : {"a\r\nB: c"sv, "a\n"sv, "a\r"sv, "\0"sv, "\x1b[31m"sv, "\x7f"sv}) {
        EXPECT_FALSE(is_header_value(each)) << each;
    }
}

TEST(HttpHeader, stored_ones_are_walked_in_order) {
    static_assert(std::forward_iterator<Headers::Iterator>);
    std::string all;
    for (const Header each : Headers("A\0one\0B\0\0C\0three\0"sv)) {
        all += std::string(each.name) + "=" + std::string(each.value) + ";";
    }
    EXPECT_EQ(all, "A=one;B=;C=three;");
    EXPECT_EQ(Headers("").begin(), Headers("").end());
}
