// Bytes both ways, what goes wrong on the wire, breaks; and what cancellation leaves behind.
#include "uart/uart_cases.hpp"

#include <vector>

namespace ringlet::support {
namespace {

TEST(Uart, carries_bytes_both_ways) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path);
        line.feed("\x03\x11\xff\r");
        std::array<std::byte, 8> buffer;
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "\x03\x11\xff\r");
        co_await uart.write_all(bytes_of("answer"));
        EXPECT_EQ(line.written(), "answer");
        line.hang_up();
        const auto end = co_await uart.read(buffer);
        EXPECT_EQ(end, 0u);
        const auto sent = co_await attempt(uart.write_all(bytes_of("x")));
        EXPECT_EQ(number_of(sent), EIO);
    });
}

TEST(Uart, is_read_until_a_delimiter_and_keeps_what_comes_after_it) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path);
        std::array<char, 32> storage;
        LineReader answers(uart, storage, {.delimiter = '\r'});
        line.feed("+OK\r+VER");
        const auto first = co_await answers.next();
        EXPECT_EQ(first, "+OK");
        const auto cut = co_await attempt(timeout(5ms, answers.next()));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        line.feed("SION 2\r");
        const auto second = co_await answers.next();
        EXPECT_EQ(second, "+VERSION 2");
    });
}

TEST(Uart, is_read_frame_by_frame) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path);
        std::array<std::byte, 32> storage;
        FrameReader frames(uart, storage, {.length_bytes = 1});
        line.feed("\x03one\x05th");
        const auto first = co_await frames.next();
        EXPECT_EQ(text_of(*first), "one");
        line.feed("ree");
        const auto second = co_await frames.next();
        EXPECT_EQ(text_of(*second), "three");
    });
}

// --- what goes wrong on the wire

TEST(Uart, drops_bad_bytes_and_counts_them) {
    on_line([](TerminalLine& line) -> Task<void> {
        line.feed_flawed('x', Flaw::parity);  // before it was opened: not counted
        auto uart = co_await uart::Uart::open(line_path, {.parity = uart::Parity::odd});
        std::array<std::byte, 8> buffer;
        co_await uart.read(buffer);
        line.feed("a");
        line.feed_flawed('b', Flaw::parity);
        line.feed_flawed('c', Flaw::framing);
        line.feed_flawed(0, Flaw::line_break);
        line.port.count_overruns(2);
        line.feed("d");
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "ad");
        co_await uart.write_all(bytes_of("123"));
        const uart::Counters counted = co_await uart.counters();
        EXPECT_EQ(counted, (uart::Counters{.received = 5, .sent = 3, .parity = 1, .framing = 1,
                                           .breaks = 1, .overruns = 2}));
    });
}

TEST(Uart, keeps_bad_bytes_if_told) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart =
            co_await uart::Uart::open(line_path, {.bad_bytes = uart::BadBytes::keep});
        line.feed_flawed('b', Flaw::parity);
        line.feed_flawed(0, Flaw::line_break);
        line.feed_flawed('c', Flaw::framing);
        std::array<std::byte, 8> buffer;
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), std::string_view("b\0c", 3));
    });
}

TEST(Uart, gives_a_zero_for_what_is_bad_if_told) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart =
            co_await uart::Uart::open(line_path, {.bad_bytes = uart::BadBytes::zero});
        line.feed("a");
        line.feed_flawed('b', Flaw::parity);
        line.feed_flawed(0, Flaw::line_break);
        line.feed_flawed('c', Flaw::framing);
        line.feed("d");
        std::array<std::byte, 8> buffer;
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), std::string_view("a\0\0\0d", 5));
    });
}

TEST(Uart, says_so_where_nothing_is_counted) {
    on_line([](TerminalLine& line) -> Task<void> {
        line.port.options.counts = false;
        const auto uart = co_await uart::Uart::open(line_path);
        EXPECT_EQ(number_of(uart.counters()), ENOTTY);
    });
}

// --- what nobody waits for any more

TEST(Uart, throws_away_what_has_come_and_nothing_that_comes_later) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path);
        line.feed("late\n");
        co_await uart.write_all(bytes_of("sent"));
        co_await uart.discard_received();
        EXPECT_EQ(line.room(), testing::world().options().terminal_bytes);
        line.feed("now\n");
        std::array<std::byte, 8> buffer;
        const auto count = co_await uart.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "now\n");
        EXPECT_EQ(line.written(), "sent");
        line.hang_up();
        EXPECT_EQ(number_of(uart.discard_received()), EIO);
    });
}

// --- sending

TEST(Uart, drains_as_long_as_the_wire_takes) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path, {.baud = 1'000});
        const Instant begin = now();
        co_await uart.write_all(bytes_of("12345678901234567890"));
        EXPECT_EQ(now(), begin);
        co_await uart.drain();
        EXPECT_GE(now() - begin, 200'000'000);  // 20 bytes of 10 bits
        EXPECT_LE(now() - begin, 300'000'000);
        co_await uart.write_all(bytes_of("1"));
        line.hang_up();
        const auto gone = co_await attempt(uart.drain());
        EXPECT_EQ(number_of(gone), EIO);
    });
}

TEST(Uart, sends_a_break_after_what_was_written) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path, {.baud = 1'000});
        co_await uart.write_all(bytes_of("12345"));
        co_await uart.send_break(30ms);
        EXPECT_EQ(line.port.last_break(), 30ms);
        const auto cut = co_await attempt(timeout(10ms, uart.send_break(1s)));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        EXPECT_FALSE(line.port.sends_break());
    });
}

// Also where its turn is used up in the drain, and the break begins when it is cancelled already.
TEST(Uart, ends_a_break_wherever_its_turn_ends_and_it_is_cancelled) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path);
        unsigned begun = 0;
        for (unsigned awaits = 0; awaits < 2 * uart_limits.inline_awaits; ++awaits) {
            const auto send = [&]() -> Task<void> {
                for (unsigned i = 0; i < awaits; ++i) co_await Result<void>();
                co_await uart.send_break(1h);
            };
            const auto cut = [&]() -> Task<void> {
                begun += line.port.sends_break();
                co_return;
            };
            co_await race(send(), cut());
            EXPECT_FALSE(line.port.sends_break()) << awaits;
        }
        EXPECT_GT(begun, 0u);
    });
}

TEST(Uart, sends_all_before_it_closes_but_not_before_it_is_destroyed) {
    on_line([](TerminalLine&) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path, {.baud = 1'000});
        const Instant begin = now();
        co_await uart.write_all(bytes_of("12345"));
        co_await uart.close();
        EXPECT_GE(now() - begin, 50'000'000);
        const Instant again = now();
        {
            auto short_lived = co_await uart::Uart::open(line_path, {.baud = 1'000});
            co_await short_lived.write_all(bytes_of("12345"));
        }
        EXPECT_EQ(now(), again);
    });
}

// Flow control holds it up, or the wire is too slow for the time limit.
TEST(Uart, is_let_go_when_its_close_is_cut_short) {
    on_line([](TerminalLine& line) -> Task<void> {
        auto uart = co_await uart::Uart::open(line_path, {.baud = 1});
        co_await uart.write_all(bytes_of("123"));
        const auto cut = co_await attempt(timeout(50ms, uart.close()));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        EXPECT_FALSE(uart.is_open());
        EXPECT_FALSE(line.is_raw());
        EXPECT_EQ(line.port.baud(), 9600u);
        co_await uart.close();
        uart = co_await uart::Uart::open(line_path);
        EXPECT_TRUE(line.is_raw());
        const Instant begin = now();
        co_await uart.close();
        EXPECT_EQ(now(), begin);  // the rest was thrown away
    });
}

// --- no byte is lost

// A peer sends, the program reads with buffers of any size, time limits and cancellations between.
TEST(Uart, loses_and_doubles_no_byte_whatever_is_cut_short) {
    testing::for_each_seed(20, [](std::uint64_t seed) {
        SimulationOptions options = testing::seeded(seed);
        options.faults.interrupted = options.faults.again = seed % 3 == 0 ? 2 : 0;
        on_line(
            [](TerminalLine& line) -> Task<void> {
                constexpr std::uint64_t bytes = 10'000;
                auto uart = co_await uart::Uart::open(line_path);
                testing::Random& random = testing::world().random();
                const auto send = [&]() -> Task<void> {
                    for (std::uint64_t place = 0; place < bytes;) {
                        const std::uint64_t most = std::min<std::uint64_t>(
                            {bytes - place, line.room(), random.between(1, 300)});
                        for (std::uint64_t i = 0; i < most; ++i) {
                            const char byte = static_cast<char>(byte_at(place++));
                            line.feed({&byte, 1});
                        }
                        co_await sleep(Nanoseconds(random.between(0, 20'000)));
                    }
                };
                const auto receive = [&]() -> Task<void> {
                    std::array<std::byte, 200> buffer;
                    std::uint64_t place = 0;
                    const auto take = [&](std::size_t count) {
                        for (std::size_t i = 0; i < count; ++i)
                            EXPECT_EQ(buffer[i], byte_at(place++)) << place;
                    };
                    const auto read = [&](std::size_t room) -> Task<void> {
                        take(co_await uart.read(std::span(buffer).first(room)));
                    };
                    while (place < bytes) {
                        const std::size_t room = random.size_between(1, buffer.size());
                        const Nanoseconds limit(random.between(0, 10'000));
                        switch (random.between(0, 3)) {
                            case 0: {
                                const auto got = co_await attempt(
                                    timeout(limit, uart.read(std::span(buffer).first(room))));
                                if (got) take(*got);
                                break;
                            }
                            case 1: co_await race(read(room), sleep(limit)); break;
                            default: co_await read(room); break;
                        }
                    }
                    EXPECT_EQ(place, bytes);
                };
                co_await gather(send(), receive());
            },
            options);
    });
}

// Of the world that the current run is in.
Task<void> talk() {
    testing::world().make_folder("/dev");
    TerminalLine* line = testing::world().terminal(line_path);
    if (line == nullptr) line = &testing::world().make_terminal(line_path);
    auto uart = co_await uart::Uart::open(line_path, {.baud = 1'000, .rs485 = uart::Rs485{}});
    std::array<char, 32> storage;
    LineReader lines(uart, storage);
    line->feed("one\ntwo\n");
    const auto first = co_await lines.next();
    EXPECT_EQ(first, "one");
    co_await uart.write_all(bytes_of("1"));
    co_await uart.send_break(5ms);
    co_await uart.close();
}

const auto expect_line_as_it_was = [](Simulation& simulation) {
    const TerminalLine* const line = simulation.world().terminal(line_path);
    if (line == nullptr) return;  // cut before
    EXPECT_FALSE(line->is_raw());
    EXPECT_EQ(line->port.baud(), 9600u);
    EXPECT_FALSE(line->port.is_exclusive());
    EXPECT_FALSE(line->port.is_rs485());
    EXPECT_FALSE(line->port.sends_break());
};

TEST(Uart, is_put_back_wherever_it_is_cancelled) {
    run_cancelled<uart_limits>(talk, {}, expect_line_as_it_was);
}

TEST(Uart, is_put_back_wherever_a_fault_hits) {
    run_faulted<uart_limits>(talk, {}, expect_line_as_it_was);
}

}  // namespace
}  // namespace ringlet::support
