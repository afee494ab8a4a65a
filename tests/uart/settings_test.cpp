// Speed, format, flow control and RS-485: what is set, what is refused, and what is put back.
#include "uart/uart_cases.hpp"

#include <asm/termbits.h>
#include <sys/ioctl.h>

namespace ringlet::support {
namespace {

termios2 told_by(TerminalLine& line) {
    termios2 settings{};
    EXPECT_EQ(line.control(TCGETS2, reinterpret_cast<std::uintptr_t>(&settings)), 0);
    return settings;
}

bool are_equal(const termios2& one, const termios2& other) {
    return std::memcmp(&one, &other, sizeof one) == 0;
}

constexpr tcflag_t format = CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS;

TEST(UartSettings, are_raw_and_eight_bits_without_parity_unless_told) {
    on_line([](TerminalLine& line) -> Task<void> {
        const auto uart = co_await uart::Uart::open(line_path);
        EXPECT_TRUE(line.is_raw());
        EXPECT_EQ(uart.baud(), 115'200u);
        const termios2 set = told_by(line);
        EXPECT_EQ(set.c_cflag & format, tcflag_t{CS8});
        EXPECT_EQ(set.c_iflag & (IXON | IXOFF | ICRNL | ISTRIP), 0u);
        EXPECT_EQ(set.c_oflag & OPOST, 0u);
        EXPECT_EQ(set.c_cc[VMIN], 1);
        EXPECT_EQ(set.c_cc[VTIME], 0);
    });
}

TEST(UartSettings, of_each_kind_reach_the_port) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path, {.baud = 250'000, .stop_bits = 2});
        EXPECT_EQ(line.port.baud(), 250'000u);
        EXPECT_EQ(told_by(line).c_cflag & format, tcflag_t{CS8 | CSTOPB});
        co_await uart.set({.baud = 1'234, .data_bits = 7, .parity = uart::Parity::even,
                           .flow_control = uart::FlowControl::hardware});
        EXPECT_EQ(line.port.baud(), 1'234u);
        EXPECT_EQ(uart.baud(), 1'234u);
        EXPECT_EQ(told_by(line).c_cflag & format, tcflag_t{CS7 | PARENB | CRTSCTS});
        co_await uart.set({.parity = uart::Parity::odd,
                           .flow_control = uart::FlowControl::software});
        EXPECT_EQ(told_by(line).c_cflag & format, tcflag_t{CS8 | PARENB | PARODD});
        EXPECT_EQ(told_by(line).c_iflag & (IXON | IXOFF), tcflag_t{IXON | IXOFF});
        co_await uart.set({.data_bits = 5, .parity = uart::Parity::mark});
        EXPECT_EQ(told_by(line).c_cflag & format, tcflag_t{CS5 | PARENB | PARODD | CMSPAR});
        co_await uart.set({.data_bits = 6, .parity = uart::Parity::space});
        EXPECT_EQ(told_by(line).c_cflag & format, tcflag_t{CS6 | PARENB | CMSPAR});
        co_await uart.set({.rs485 = uart::Rs485{}});
        EXPECT_TRUE(line.port.is_rs485());
    });
}

TEST(UartSettings, that_the_hardware_has_not_are_refused_in_words) {
    on_line([](TerminalLine& line) -> Task<void> {
        line.port.options = {.has_rs485 = false, .has_parity = false, .baud_max = 230'400};
        const auto fast = co_await attempt(uart::Uart::open(line_path, {.baud = 1'000'000}));
        EXPECT_TRUE(!fast && fast.error() == uart::Detail::baud);
        EXPECT_STREQ(text(fast.error()), "the serial port cannot have that speed");
        const auto even =
            co_await attempt(uart::Uart::open(line_path, {.parity = uart::Parity::even}));
        EXPECT_TRUE(!even && even.error() == uart::Detail::format);
        EXPECT_EQ(number_of(even), EINVAL);
        const auto bus = co_await attempt(uart::Uart::open(line_path, {.rs485 = uart::Rs485{}}));
        EXPECT_EQ(number_of(bus), ENOTTY);
        EXPECT_FALSE(line.is_raw());  // put back each time
    });
}

TEST(UartSettings, of_rs485_are_refused_if_the_kernel_makes_others_of_them) {
    on_line([](TerminalLine&) -> Task<void> {
        auto uart = co_await uart::Uart::open(
            line_path, {.rs485 = uart::Rs485{.delay_before = 100ms, .delay_after = 1ms}});
        const uart::Rs485 others[] = {{.delay_before = 101ms}, {.delay_after = 1s}};
        for (const uart::Rs485& each : others) {
            const auto set = uart.set({.rs485 = each});
            EXPECT_TRUE(!set && set.error() == uart::Detail::rs485);
            EXPECT_EQ(number_of(set), EINVAL);
        }
        co_await uart.close();
        const auto opened =
            co_await attempt(uart::Uart::open(line_path, {.rs485 = others[0]}));
        EXPECT_TRUE(!opened && opened.error() == uart::Detail::rs485);
    });
}

TEST(UartSettings, are_put_back_when_it_is_closed_or_destroyed) {
    on_line([](TerminalLine& line) -> Task<void> {
        const termios2 before = told_by(line);
        {
            auto uart = co_await uart::Uart::open(line_path, {.rs485 = uart::Rs485{}});
            auto moved = std::move(uart);
            EXPECT_TRUE(line.is_raw());
        }
        EXPECT_TRUE(are_equal(before, told_by(line)));
        EXPECT_FALSE(line.port.is_rs485());
        auto uart = co_await uart::Uart::open(line_path);
        co_await uart.close();
        EXPECT_FALSE(uart.is_open());
        EXPECT_TRUE(are_equal(before, told_by(line)));
        co_await uart.close();
    });
}

TEST(UartSettings, keep_others_out_unless_told) {
    on_line([](TerminalLine&) -> Task<void> {
        {
            const auto uart = co_await uart::Uart::open(line_path);
            const auto second = co_await attempt(uart::Uart::open(line_path));
            EXPECT_EQ(number_of(second), EBUSY);
        }
        const auto one = co_await uart::Uart::open(line_path, {.exclusive = false});
        const auto other = co_await uart::Uart::open(line_path, {.exclusive = false});
        EXPECT_TRUE(one.is_open() && other.is_open());
    });
}

TEST(UartSettings, of_a_shared_line_do_not_keep_others_out_nor_let_them_in) {
    on_line([](TerminalLine& line) -> Task<void> {
        {
            auto shared = co_await uart::Uart::open(line_path, {.exclusive = false});
            co_await shared.set({.baud = 19'200});
            EXPECT_FALSE(line.port.is_exclusive());
            const auto second = co_await uart::Uart::open(line_path, {.exclusive = false});
            EXPECT_EQ(line.control(TIOCEXCL, 0), 0);  // by another program
        }
        EXPECT_TRUE(line.port.is_exclusive());
        EXPECT_EQ(line.control(TIOCNXCL, 0), 0);
        auto alone = co_await uart::Uart::open(line_path);
        co_await alone.set({.exclusive = false});
        EXPECT_TRUE(line.port.is_exclusive());  // as it was opened
    });
}

TEST(UartSettings, are_not_for_what_is_no_line) {
    on_line([](TerminalLine& line) -> Task<void> {
        const auto missing = co_await attempt(uart::Uart::open("/dev/ttyS7"));
        EXPECT_EQ(number_of(missing), ENOENT);
        testing::world().write_file("/dev/file", "");
        const auto file = co_await attempt(uart::Uart::open("/dev/file"));
        EXPECT_EQ(number_of(file), ENOTTY);
        line.hang_up();
        const auto gone = co_await attempt(uart::Uart::open(line_path));
        EXPECT_EQ(number_of(gone), EIO);
    });
}

}  // namespace
}  // namespace ringlet::support
