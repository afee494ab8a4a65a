// Serial lines, as people write them.
#include <ringlet/uart/address.hpp>
#include <ringlet/uart/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace ringlet::uart {
namespace {

TEST(UartAddress, is_a_path_and_settings_in_any_order) {
    const struct {
        std::string text;
        const char* path;
        Options options;
    } cases[] = {
        {"/dev/ttyS0", "/dev/ttyS0", {}},
        {"/dev/ttyS0,9600", "/dev/ttyS0", {.baud = 9600}},
        {"/dev/ttyS0,115200,8N1", "/dev/ttyS0", {}},
        {"/dev/ttyS0,19200,7E2,rtscts", "/dev/ttyS0",
         {.baud = 19'200, .data_bits = 7, .stop_bits = 2, .parity = Parity::even,
          .flow_control = FlowControl::hardware}},
        {"a,xonxoff,5m1,31250", "a",
         {.baud = 31'250, .data_bits = 5, .parity = Parity::mark,
          .flow_control = FlowControl::software}},
        {"a,6O1", "a", {.data_bits = 6, .parity = Parity::odd}},
        {"a,8s2", "a", {.stop_bits = 2, .parity = Parity::space}},
        {"/dev/serial/by-path/usb-0:1.2:1.0-port0=#@", "/dev/serial/by-path/usb-0:1.2:1.0-port0=#@",
         {}},
    };
    for (const auto& each : cases) {
        const auto address = parse_address(each.text);
        ASSERT_TRUE(address.has_value()) << each.text;
        EXPECT_STREQ(address->path.data(), each.path);
        EXPECT_EQ(address->options.baud, each.options.baud) << each.text;
        EXPECT_EQ(address->options.data_bits, each.options.data_bits) << each.text;
        EXPECT_EQ(address->options.stop_bits, each.options.stop_bits) << each.text;
        EXPECT_EQ(address->options.parity, each.options.parity) << each.text;
        EXPECT_EQ(address->options.flow_control, each.options.flow_control) << each.text;
    }
}

TEST(UartAddress, has_a_path_that_a_kernel_can_open) {
    const std::string longest(path_bytes_max, 'x');
    const auto fits = parse_address(longest + ",9600");
    ASSERT_TRUE(fits.has_value());
    EXPECT_EQ(fits->path.data(), longest);
    for (const std::string& text : {std::string(), std::string(",9600"), longest + "x",
                                    std::string("/dev\0/x", 7)}) {
        const auto refused = parse_address(text);
        EXPECT_TRUE(!refused && refused.error() == Detail::path) << text;
    }
    EXPECT_STREQ(text(error_of(Detail::path)), "the path of a serial line has 1 to 255 bytes");
}

TEST(UartAddress, with_settings_that_are_none_or_come_twice_is_refused) {
    for (const char* const settings :
         {"", "0", "-1", "+9600", "9600 ", "9600baud", "4294967296", "8N", "8N1x", "4N1", "9N1",
          "8X1", "8N0", "8N3", "8N1.5", "RTSCTS", "rts", "none", "9600,", ",9600", "9600,115200",
          "8N1,8N1", "rtscts,xonxoff", "9600,8N1,rtscts,9600", "send=x"}) {
        const auto refused = parse_address(std::string("/dev/ttyS0,") + settings);
        EXPECT_TRUE(!refused && refused.error() == Detail::settings) << settings;
    }
    EXPECT_STREQ(text(error_of(Detail::settings)),
                 "settings of a serial line are written as in 115200,8N1 or 19200,7E2,rtscts");
}

}  // namespace
}  // namespace ringlet::uart
