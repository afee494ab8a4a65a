// Lines of the serial protocol.
#include <serial_line.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace station {
namespace {

std::string why(std::string_view line) {
    const auto parsed = parse_serial_line(line);
    return parsed ? "good" : parsed.error();
}

TEST(SerialLine, has_a_name_and_a_number) {
    const auto parsed = parse_serial_line("room-2.humidity=45.25");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->channel.view(), "room-2.humidity");
    EXPECT_EQ(parsed->value, 45.25);
    EXPECT_EQ(parse_serial_line("a=-1e-3")->value, -1e-3);
    EXPECT_EQ(parse_serial_line("abcdefghijklmnopqrstuvw=0")->channel.view().size(),
              channel_bytes_max);
}

TEST(SerialLine, may_have_a_checksum_which_then_is_right) {
    EXPECT_EQ(why("humidity=45.2*17"), "wrong checksum");
    unsigned sum = 0;
    for (const char byte : std::string_view("humidity=45.2")) {
        sum ^= static_cast<unsigned char>(byte);
    }
    char line[32];
    for (const char* format : {"humidity=45.2*%02X", "humidity=45.2*%02x"}) {
        std::snprintf(line, sizeof line, format, sum);
        EXPECT_EQ(why(line), "good") << line;
    }
    for (const char* bad : {"a=1*", "a=1*7", "a=1*0xD", "a=1*+D", "a=1*0D ", "a=1*00D"}) {
        EXPECT_EQ(why(bad), "wrong checksum") << bad;
    }
}

TEST(SerialLine, has_to_have_a_checksum_if_told) {
    const auto parsed = parse_serial_line("humidity=45.2", Checksum::required);
    ASSERT_FALSE(parsed);
    EXPECT_STREQ(parsed.error(), "no checksum");
    EXPECT_TRUE(parse_serial_line("humidity=45.2*39", Checksum::required));
}

TEST(SerialLine, is_bad_otherwise) {
    EXPECT_EQ(why(""), "no '='");
    EXPECT_EQ(why("humidity"), "no '='");
    EXPECT_EQ(why("=1"), "no name");
    EXPECT_EQ(why(std::string(channel_bytes_max + 1, 'a') + "=1"), "no name");
    for (const char* name : {"a b=1", "a\t=1", "\"=1", "\xc3\xa4=1"}) {
        EXPECT_EQ(why(name), "no name") << name;
    }
    for (const char* number : {"a=", "a= 1", "a=1 ", "a=1,5", "a=nan", "a=inf", "a=-inf", "a=1e999",
                               "a=0x10", "a==1", "a=1=2"}) {
        EXPECT_EQ(why(number), "no number") << number;
    }
}

}  // namespace
}  // namespace station
