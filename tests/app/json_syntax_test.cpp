#include <ringlet/app/json_syntax.hpp>

#include <gtest/gtest.h>

#include <string>

namespace ringlet {
namespace {

std::string words(std::string_view text) {
    const auto fault = find_json_fault(text);
    return fault ? fault->words : "none";
}
std::size_t offset(std::string_view text) {
    const auto fault = find_json_fault(text);
    return fault ? fault->offset : 9999;
}

TEST(JsonSyntax, accepts_all_that_rfc_8259_does) {
    for (const char* text : {"0",
                             "-0",
                             "1",
                             "-1.5e+10",
                             "1E5",
                             "1e-5",
                             "0.0",
                             "true",
                             "false",
                             "null",
                             "\"\"",
                             "[]",
                             "{}",
                             " \t\r\n[ ] ",
                             "{\"a\":1}",
                             "[1,[2,[3]],{\"a\":{}}]",
                             "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
                             "\"\\uD83D\\uDE00\"",
                             "\"\\ufFfF\"",
                             "\"caf\xC3\xA9\"",
                             "\"\x7F\"",
                             "{\"\":0}",
                             "{\"a\":[],\"b\":{},\"c\":[{}]}",
                             "[{},{}]",
                             "[[],[]]"}) {
        EXPECT_EQ(words(text), "none") << text;
    }
}

TEST(JsonSyntax, says_where_and_what) {
    const struct {
        const char* text;
        std::size_t offset;
        const char* words;
    } cases[] = {
        {"", 0, "expected a value"},
        {"  ", 2, "expected a value"},
        {"[1,]", 3, "expected a value"},
        {"[,1]", 1, "expected a value"},
        {"[1 2]", 3, "expected ',' or ']'"},
        {"[1}", 2, "expected ',' or ']'"},
        {"[1", 2, "expected ',' or ']'"},
        {"{\"a\":1,}", 7, "expected a key in double quotes"},
        {"{a:1}", 1, "expected a key in double quotes"},
        {"{1:1}", 1, "expected a key in double quotes"},
        {"{", 1, "expected a key in double quotes"},
        {"{\"a\" 1}", 5, "expected ':'"},
        {"{\"a\"}", 4, "expected ':'"},
        {"{\"a\":}", 5, "expected a value"},
        {"{\"a\":1 \"b\"", 7, "expected ',' or '}'"},
        {"{\"a\":1]", 6, "expected ',' or '}'"},
        {"1 2", 2, "expected the end of the text"},
        {"{}{}", 2, "expected the end of the text"},
        {"]", 0, "expected a value"},
        {"tru", 0, "expected a value (true, false or null)"},
        {"truex", 4, "expected the end of the text"},
        {"TRUE", 0, "expected a value"},
        {"NaN", 0, "expected a value (NaN and Infinity are none in JSON)"},
        {"Infinity", 0, "expected a value (NaN and Infinity are none in JSON)"},
        {"-Infinity", 1, "expected a digit"},
        {"'a'", 0, "expected a value (strings are in double quotes)"},
        {"01", 1, "a number must not begin with 0"},
        {"-01", 2, "a number must not begin with 0"},
        {"+1", 0, "expected a value"},
        {".5", 0, "expected a value"},
        {"1.", 2, "expected a digit"},
        {"1.e5", 2, "expected a digit"},
        {"1e", 2, "expected a digit"},
        {"1e+", 3, "expected a digit"},
        {"-", 1, "expected a digit"},
        {"0x10", 1, "expected the end of the text"},
        {"\"abc", 4, "expected '\"'"},
        {"\"a\nb\"", 2, "a control character in a string must be escaped"},
        {"\"a\tb\"", 2, "a control character in a string must be escaped"},
        {"\"\xFF\"", 1, "a string is not valid UTF-8"},
        {"\"\xC3", 1, "a string is not valid UTF-8"},
        {"\"\xED\xA0\x80\"", 1, "a string is not valid UTF-8"},
        {"\"\\", 2, "expected an escape"},
        {"\"\\u12", 5, "expected a hexadecimal digit"},
        {"\"\\u12x4\"", 5, "expected a hexadecimal digit"},
        {"\"a\\u0000\"", 2, "\\u0000 is not accepted"},
        {"\"\\uD800\"", 1, "a high surrogate without the low one"},
        {"\"\\uD800\\n\"", 1, "a high surrogate without the low one"},
        {"\"\\uD800\\u0041\"", 1, "a high surrogate without the low one"},
        {"\"\\uDC00\"", 1, "a low surrogate without the high one"},
        {"// comment", 0, "expected a value"},
        {"\v1", 0, "expected a value"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(words(c.text), c.words) << c.text;
        EXPECT_EQ(offset(c.text), c.offset) << c.text;
    }
    EXPECT_TRUE(words("\"\\x\"").starts_with("expected an escape: one of"));
    EXPECT_EQ(words({"\0", 1}), "expected a value");
    EXPECT_EQ(words({"1\0", 2}), "expected the end of the text");
    EXPECT_EQ(words({"\"\0\"", 3}), "a control character in a string must be escaped");
}

TEST(JsonSyntax, limits_nesting) {
    const auto nested = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : "{\"a\":";
        text += "1";
        for (std::size_t i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
        return text;
    };
    EXPECT_EQ(words(nested(json_nesting_max)), "none");
    const auto fault = find_json_fault(nested(json_nesting_max + 1));
    ASSERT_TRUE(fault);
    EXPECT_TRUE(fault->is_nesting);
    EXPECT_EQ(fault->words, std::string("arrays and objects are nested more than 32 deep"));
    EXPECT_TRUE(find_json_fault(std::string(1'000'000, '['))->is_nesting);
    // Empty ones at the limit count as well.
    EXPECT_EQ(words(std::string(32, '[') + std::string(32, ']')), "none");
    EXPECT_TRUE(find_json_fault(std::string(33, '[') + std::string(33, ']'))->is_nesting);
}

TEST(JsonSyntax, limits_the_length_of_a_number) {
    EXPECT_EQ(words(std::string(json_number_bytes_max, '1')), "none");
    EXPECT_EQ(words("[" + std::string(json_number_bytes_max + 1, '1') + "]"),
              "a number has more than 63 characters");
    EXPECT_EQ(offset("[" + std::string(json_number_bytes_max + 1, '1') + "]"), 1u);
}

}  // namespace
}  // namespace ringlet
