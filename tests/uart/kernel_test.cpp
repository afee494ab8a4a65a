// The driver on ptys: what they have of a serial line, and every byte of a long stream.
//
// RINGLET_UART_BYTES=104857600 makes the stream 100 MiB long; else it is short enough for each run.
#include "uart/uart_cases.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <random>

namespace ringlet::support {
namespace {

class PseudoTerminal {
public:
    PseudoTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_GE(master_, 0);
        EXPECT_EQ(::grantpt(master_), 0);
        EXPECT_EQ(::unlockpt(master_), 0);
        EXPECT_EQ(::ptsname_r(master_, path_, sizeof path_), 0);
    }
    PseudoTerminal(const PseudoTerminal&) = delete;
    ~PseudoTerminal() { hang_up(); }
    const char* path() const { return path_; }
    int master() const { return master_; }
    void hang_up() {
        if (master_ >= 0) ::close(std::exchange(master_, -1));
    }
    termios settings() const {
        termios told{};
        EXPECT_EQ(::tcgetattr(master_, &told), 0);
        return told;
    }

private:
    int master_;
    char path_[64]{};
};

Runtime<uart_limits> kernel_runtime;

TEST(KernelUart, is_raw_while_open_and_then_as_it_was) {
    PseudoTerminal pty;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        const termios before = pty.settings();
        {
            auto uart = co_await uart::Uart::open(pty.path(), {.baud = 31'250});
            EXPECT_EQ(uart.baud(), 31'250u);
            EXPECT_EQ(pty.settings().c_lflag & (ICANON | ECHO | ISIG), 0u);
            EXPECT_EQ(number_of(uart.counters()), ENOTTY);
            const auto parity = uart.set({.parity = uart::Parity::even});
            EXPECT_TRUE(!parity && parity.error() == uart::Detail::format);
            co_await uart.send_break(1ms);
            co_await uart.write_all(bytes_of("last"));
            co_await uart.close();
        }
        const termios after = pty.settings();
        EXPECT_EQ(after.c_lflag, before.c_lflag);
        EXPECT_EQ(after.c_iflag, before.c_iflag);
        EXPECT_EQ(after.c_oflag, before.c_oflag);
        EXPECT_EQ(::cfgetospeed(&after), ::cfgetospeed(&before));
        char last[8];
        EXPECT_EQ(::read(pty.master(), last, sizeof last), 4);
        pty.hang_up();
    });
}

// Whatever becomes of bad bytes; upper case, too, though the kernel is told IUCLC.
TEST(KernelUart, passes_every_byte_as_it_is_and_puts_the_flags_back) {
    PseudoTerminal pty;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        const termios before = pty.settings();
        std::array<std::byte, 256> all;
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
        using enum uart::BadBytes;
        for (const uart::BadBytes kind : {drop, keep, zero}) {
            auto uart = co_await uart::Uart::open(pty.path(), {.bad_bytes = kind});
            EXPECT_EQ((pty.settings().c_iflag & IUCLC) != 0, kind != zero);
            EXPECT_EQ(::write(pty.master(), all.data(), all.size()), 256);
            std::array<std::byte, 256> read{};
            co_await read_exactly(uart, read);
            EXPECT_EQ(read, all);
            co_await uart.write_all(all);
            read = {};
            for (std::size_t got = 0; got < all.size();) {
                const ssize_t count = ::read(pty.master(), &read[got], all.size() - got);
                EXPECT_GT(count, 0);
                if (count <= 0) co_return;
                got += static_cast<std::size_t>(count);
            }
            EXPECT_EQ(read, all);
            co_await uart.close();
            EXPECT_EQ(pty.settings().c_iflag, before.c_iflag);
        }
    });
}

TEST(KernelUart, reads_until_a_delimiter_and_to_the_hang_up) {
    PseudoTerminal pty;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        auto uart = co_await uart::Uart::open(pty.path());
        std::array<char, 64> storage;
        LineReader lines(uart, storage, {.delimiter = '\r'});
        EXPECT_EQ(::write(pty.master(), "\x03one\rtw", 7), 7);
        const auto first = co_await lines.next();
        EXPECT_EQ(first, "\x03one");
        const auto cut = co_await attempt(timeout(5ms, lines.next()));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        EXPECT_EQ(::write(pty.master(), "o\r", 2), 2);
        const auto second = co_await lines.next();
        EXPECT_EQ(second, "two");
        pty.hang_up();
        const auto end = co_await lines.next();
        EXPECT_FALSE(end.has_value());
    });
}

TEST(KernelUart, throws_away_what_has_come_and_nothing_that_comes_later) {
    PseudoTerminal pty;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        auto uart = co_await uart::Uart::open(pty.path());
        std::array<std::byte, 8> buffer;
        EXPECT_EQ(::write(pty.master(), "alate", 5), 5);
        const auto first = co_await uart.read(std::span(buffer).first(1));
        EXPECT_EQ(text_of(std::span(buffer).first(first)), "a");  // so the others are there, too
        co_await uart.discard_received();
        EXPECT_EQ(::write(pty.master(), "now", 3), 3);
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "now");
        pty.hang_up();
        EXPECT_EQ(number_of(uart.discard_received()), EIO);
    });
}

std::uint64_t stream_bytes() {
    const char* const asked = std::getenv("RINGLET_UART_BYTES");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 2'000'000;
}

// From 1 to `most`, but no more than is left.
std::size_t size_up_to(std::size_t most, std::uint64_t left, std::uint_fast32_t random) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(1 + random % most, left));
}

// The device: sends the stream, or checks that it comes, on a thread of its own.
struct Stream {
    int descriptor;
    std::uint64_t bytes;
    std::uint64_t wrong = 0;
};

void* send_stream(void* argument) {
    Stream& stream = *static_cast<Stream*>(argument);
    std::minstd_rand random;
    std::array<std::byte, 4096> buffer;
    for (std::uint64_t place = 0; place < stream.bytes;) {
        const std::size_t size = size_up_to(buffer.size(), stream.bytes - place, random());
        for (std::size_t i = 0; i < size; ++i) buffer[i] = byte_at(place + i);
        const ssize_t count = ::write(stream.descriptor, buffer.data(), size);
        if (count <= 0) break;
        place += static_cast<std::uint64_t>(count);
    }
    return nullptr;
}

void* check_stream(void* argument) {
    Stream& stream = *static_cast<Stream*>(argument);
    std::array<std::byte, 4096> buffer;
    for (std::uint64_t place = 0; place < stream.bytes;) {
        const ssize_t count = ::read(stream.descriptor, buffer.data(), buffer.size());
        if (count <= 0) break;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
            stream.wrong += buffer[i] != byte_at(place++);
    }
    return nullptr;
}

// At the pty's full speed, with reads of any size, time limits and cancellations in between.
TEST(KernelUart, loses_and_doubles_no_byte_of_a_long_stream) {
    PseudoTerminal pty;
    Stream stream{.descriptor = pty.master(), .bytes = stream_bytes()};
    pthread_t device{};
    unsigned cuts = 0;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        auto uart = co_await uart::Uart::open(pty.path());
        {
            const Unsealed for_the_thread;
            EXPECT_EQ(::pthread_create(&device, nullptr, send_stream, &stream), 0);
        }
        std::minstd_rand random;
        static std::array<std::byte, 6000> buffer;
        std::uint64_t place = 0;
        const auto take = [&](std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) stream.wrong += buffer[i] != byte_at(place++);
        };
        const auto read = [&](std::size_t room) -> Task<void> {
            take(co_await uart.read(std::span(buffer).first(room)));
        };
        while (place < stream.bytes && stream.wrong == 0) {
            const std::size_t room = 1 + random() % buffer.size();
            const std::chrono::nanoseconds limit(random() % 30'000);
            const std::uint64_t before = place;
            switch (random() % 4) {
                case 0: {
                    const auto got =
                        co_await attempt(timeout(limit, uart.read(std::span(buffer).first(room))));
                    if (got) take(*got);
                    break;
                }
                case 1: co_await race(read(room), sleep(limit)); break;
                default: co_await read(room); break;
            }
            cuts += place == before;
        }
        EXPECT_EQ(place, stream.bytes);
        const auto more = co_await attempt(timeout(10ms, uart.read(buffer)));
        EXPECT_EQ(number_of(more), ETIMEDOUT);
    });
    ::pthread_join(device, nullptr);
    EXPECT_EQ(stream.wrong, 0u);
    EXPECT_GT(cuts, 0u);
}

TEST(KernelUart, sends_a_long_stream_whole) {
    PseudoTerminal pty;
    Stream stream{.descriptor = pty.master(), .bytes = stream_bytes() / 4};
    pthread_t device{};
    RINGLET_RUN_ON_KERNEL(kernel_runtime, [&]() -> Task<void> {
        auto uart = co_await uart::Uart::open(pty.path());
        {
            const Unsealed for_the_thread;
            EXPECT_EQ(::pthread_create(&device, nullptr, check_stream, &stream), 0);
        }
        std::minstd_rand random;
        static std::array<std::byte, 10'000> buffer;
        for (std::uint64_t place = 0; place < stream.bytes;) {
            const std::size_t size = size_up_to(buffer.size(), stream.bytes - place, random());
            for (std::size_t i = 0; i < size; ++i) buffer[i] = byte_at(place++);
            co_await uart.write_all(std::span(buffer).first(size));
        }
        co_await uart.close();
    });
    ::pthread_join(device, nullptr);
    EXPECT_EQ(stream.wrong, 0u);
}

}  // namespace
}  // namespace ringlet::support
