// Lines out of bytes that come in pieces of any size.
#include <io/io_cases.hpp>

#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/pipe.hpp>

#include <cstring>
#include <vector>

using namespace ringlet;
using namespace ringlet::support;

namespace {

// Gives a text in pieces; every read suspends.
struct Pieces {
    Pieces(std::string_view whole, std::size_t piece_bytes) : rest(whole), piece(piece_bytes) {}
    Task<std::size_t> read(std::span<std::byte> into) {
        EXPECT_FALSE(into.empty());
        co_await yield();
        ++reads;
        const std::size_t count = std::min({piece, into.size(), rest.size()});
        if (count > 0) std::memcpy(into.data(), rest.data(), count);
        rest.remove_prefix(count);
        co_return count;
    }
    std::string_view rest;
    std::size_t piece;
    unsigned reads = 0;
};

// Each line, "!" and its number for one that was too long.
Task<std::vector<std::string>> all_lines(Pieces& source, std::span<char> storage,
                                         LineOptions options) {
    LineReader lines(source, storage, options);
    std::vector<std::string> found;
    for (;;) {
        const auto line = co_await attempt(lines.next());
        if (!line) {
            EXPECT_EQ(line.error(), line_too_long);
            found.push_back("!" + std::to_string(lines.line_number()));
            continue;
        }
        if (!*line) break;
        found.emplace_back(**line);
        EXPECT_EQ(lines.line_number(), found.size());
    }
    const auto after = co_await lines.next();
    EXPECT_FALSE(after);
    co_return found;
}

using Lines = std::vector<std::string>;

void expect_lines(std::string_view text, const Lines& expected, std::size_t storage_bytes = 16,
                  LineOptions options = {}) {
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
        for (std::size_t more = 0; more < 3; ++more) {
            ringlet::testing::Simulation simulation;
            const auto body = [&]() -> Task<void> {
                const support::Unsealed for_the_strings;
                Pieces source(text, piece);
                std::vector<char> storage(storage_bytes + more);
                LineOptions limited = options;
                limited.line_bytes_max = std::min(options.line_bytes_max, storage_bytes - 2);
                const auto found = co_await all_lines(source, storage, limited);
                EXPECT_EQ(found, expected) << "in pieces of " << piece;
            };
            EXPECT_EQ(simulation.run<case_limits>(body), 0);
        }
    }
}

}  // namespace

TEST(LineReaders, split_at_newlines) {
    expect_lines("one\ntwo\nthree\n", {"one", "two", "three"});
    expect_lines("", {});
    expect_lines("\n", {""});
    expect_lines("\n\n\na\n", {"", "", "", "a"});
}

TEST(LineReaders, give_a_last_line_without_a_newline) {
    expect_lines("one\ntwo", {"one", "two"});
    expect_lines("x", {"x"});
}

TEST(LineReaders, give_no_last_line_that_was_cut_off_if_told) {
    const LineOptions whole{.last_without_end = false};
    expect_lines("one\ntwo", {"one"}, 16, whole);
    expect_lines("one\ntwo\n", {"one", "two"}, 16, whole);
    expect_lines("x", {}, 16, whole);
    expect_lines("12345678901234567890", {"!1"}, 16, whole);
}

TEST(LineReaders, take_carriage_returns_off_the_end_if_they_shall) {
    expect_lines("one\r\ntwo\n\r\nthr\ree\r\r\n", {"one", "two", "", "thr\ree\r"});
    expect_lines("one\r", {"one\r"});
    expect_lines("one\r\ntwo\n", {"one\r", "two"}, 16, {.carriage_returns = false});
}

TEST(LineReaders, split_at_another_delimiter_if_told) {
    expect_lines("+OK\r+V\n1\r\r", {"+OK", "+V\n1", ""}, 16, {.delimiter = '\r'});
    expect_lines("a\r;b\n;c", {"a\r", "b\n", "c"}, 16, {.delimiter = ';'});
    expect_lines("123456789;ok;", {"!1", "ok"}, 16, {.line_bytes_max = 8, .delimiter = ';'});
}

TEST(LineReaders, go_on_after_a_line_that_is_too_long) {
    const LineOptions eight{.line_bytes_max = 8};
    expect_lines("12345678\n", {"12345678"}, 16, eight);
    expect_lines("12345678\r\n", {"12345678"}, 16, eight);
    expect_lines("12345678", {"12345678"}, 16, eight);
    expect_lines("123456789\nok\n", {"!1", "ok"}, 16, eight);
    expect_lines("123456789\r\nok\n", {"!1", "ok"}, 16, eight);
    expect_lines("12345678\r\r\nok\n", {"!1", "ok"}, 16, eight);
    expect_lines("12345678\r", {"!1"}, 16, eight);
    expect_lines("a\n1234567890123456789012345678901234567890\nb\n123456789",
                 {"a", "!2", "b", "!4"}, 16, eight);
}

TEST(LineReaders, fill_the_smallest_storage) {
    expect_lines("1\n2\r\n34\n\n5", {"1", "2", "!3", "", "5"}, 3);
}

RINGLET_CASE(LineReaders, report_an_endless_line_without_its_end) {
    auto pipe = co_await Pipe::open();
    co_await pipe.writer.write_all(bytes_of("123456789012345"));
    std::array<char, 8> storage;
    LineReader lines(pipe.reader, storage);
    const auto endless = co_await attempt(lines.next());
    EXPECT_EQ(error_of(endless), line_too_long);
    // The rest of it is passed over when it comes.
    co_await pipe.writer.write_all(bytes_of("6789\nshort\n"));
    const auto line = co_await lines.next();
    EXPECT_EQ(line, "short");
}

RINGLET_CASE(LineReaders, keep_half_a_line_over_a_time_limit) {
    auto pipe = co_await Pipe::open();
    std::array<char, 64> storage;
    LineReader lines(pipe.reader, storage);
    co_await pipe.writer.write_all(bytes_of("first\nhal"));
    const auto first = co_await lines.next();
    EXPECT_EQ(first, "first");
    const auto late = co_await attempt(timeout(5ms, lines.next()));
    EXPECT_EQ(error_of(late), std::errc::timed_out);
    co_await pipe.writer.write_all(bytes_of("f\n"));
    const auto half = co_await lines.next();
    EXPECT_EQ(half, "half");
    auto next = [&]() -> Task<void> { co_await lines.next(); };
    const bool came = co_await cancel_in_flight(next);
    EXPECT_FALSE(came);
}

// 100,000 lines: one read a buffer, and no wait for a line that is there.
TEST(LineReaders, read_many_lines_with_few_reads) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i) + "\n";
    const auto body = [&]() -> Task<void> {
        Pieces source(text, text.size());
        static std::array<char, 65536> storage;
        LineReader lines(source, storage);
        std::uint64_t count = 0;
        std::size_t bytes = 0;
        for (;;) {
            const auto line = co_await lines.next();
            if (!line) break;
            ++count;
            bytes += line->size() + 1;
        }
        EXPECT_EQ(count, 100'000u);
        EXPECT_EQ(bytes, text.size());
        EXPECT_LE(source.reads, text.size() / 60'000 + 2);
    };
    ringlet::testing::Simulation simulation;
    EXPECT_EQ(simulation.run<case_limits>(body), 0);
}
