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

TEST(HttpHeader, retry_after_is_as_many_seconds_as_the_server_says_but_not_for_ever) {
    using namespace std::chrono_literals;
    const auto pause = [](std::optional<std::string_view> value) {
        return retry_after(value, 60s);
    };
    EXPECT_EQ(pause(std::nullopt), 0s);
    EXPECT_EQ(pause(""), 0s);
    EXPECT_EQ(pause("0"), 0s);
    EXPECT_EQ(pause("59"), 59s);
    EXPECT_EQ(pause("61"), 60s);
    EXPECT_EQ(pause("99999999999999999999999999"), 60s);
    EXPECT_EQ(pause("-5"), 0s);
    EXPECT_EQ(pause("1.5"), 0s);
    EXPECT_EQ(pause("Fri, 31 Dec 1999 23:59:59 GMT"), 0s);
}
