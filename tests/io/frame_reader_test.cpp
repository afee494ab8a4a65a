// Frames: a length, and so many bytes.
#include <io/io_cases.hpp>

#include <ringlet/io/frame_reader.hpp>
#include <ringlet/io/pipe.hpp>

#include <cstring>
#include <vector>

using namespace ringlet;
using namespace ringlet::support;

namespace {

struct Pieces {
    Pieces(std::string_view whole, std::size_t piece_bytes) : rest(whole), piece(piece_bytes) {}
    Task<std::size_t> receive(std::span<std::byte> into) {
        EXPECT_FALSE(into.empty());
        co_await yield();
        const std::size_t count = std::min({piece, into.size(), rest.size()});
        if (count > 0) std::memcpy(into.data(), rest.data(), count);
        rest.remove_prefix(count);
        co_return count;
    }
    std::string_view rest;
    std::size_t piece;
};

// The frames of `bytes`, in pieces of every size; at the end stands `error`, if there is one.
void expect_frames(std::string_view bytes, FrameOptions options,
                   const std::vector<std::string>& expected, Error error = {}) {
    for (std::size_t piece = 1; piece <= bytes.size() + 1; ++piece) {
        const auto body = [&]() -> Task<void> {
            const support::Unsealed for_the_strings;
            Pieces source(bytes, piece);
            std::array<std::byte, 12> storage;
            FrameReader frames(source, storage, options);
            std::vector<std::string> found;
            Error ended_with{};
            for (int i = 0; i < 20; ++i) {
                const auto frame = co_await attempt(frames.next());
                if (!frame) ended_with = frame.error();
                if (!frame || !*frame) break;
                found.emplace_back(text_of(**frame));
            }
            EXPECT_EQ(found, expected) << "in pieces of " << piece;
            EXPECT_EQ(ended_with, error) << "in pieces of " << piece;
            // It stays so.
            const auto again = co_await attempt(frames.next());
            EXPECT_EQ(again.has_value(), error == Error());
            if (again) {
                EXPECT_FALSE(again->has_value());
            }
        };
        ringlet::testing::Simulation simulation;
        EXPECT_EQ(simulation.run<case_limits>(body), 0);
    }
}

using namespace std::string_view_literals;

}  // namespace

TEST(FrameReaders, understand_prefixes_of_every_size_and_order) {
    expect_frames("\x03" "abc\x00\x01z"sv, {.length_bytes = 1}, {"abc", "", "z"});
    expect_frames("\x00\x03" "abc\x00\x00\x00\x01z"sv, {.length_bytes = 2}, {"abc", "", "z"});
    expect_frames("\x03\x00" "abc\x01\x00z"sv,
                  {.length_bytes = 2, .order = std::endian::little}, {"abc", "z"});
    expect_frames("\x00\x00\x00\x03" "abc\x00\x00\x00\x00"sv, {}, {"abc", ""});
    expect_frames("\x03\x00\x00\x00" "abc"sv, {.order = std::endian::little}, {"abc"});
    expect_frames(""sv, {}, {});
}

TEST(FrameReaders, end_at_a_frame_over_the_limit) {
    expect_frames("\x00\x00\x00\x08" "12345678"sv, {}, {"12345678"});
    expect_frames("\x00\x00\x00\x09" "123456789"sv, {}, {}, frame_too_long);
    expect_frames("\xff\xff\xff\xff" "123456789"sv, {}, {}, frame_too_long);
    expect_frames("\x01" "a\x03" "abc\x01" "b"sv, {.length_bytes = 1, .frame_bytes_max = 2}, {"a"},
                  frame_too_long);
}

TEST(FrameReaders, say_so_when_the_stream_ends_inside_a_frame) {
    expect_frames("\x00\x00"sv, {}, {}, unexpected_end);
    expect_frames("\x00\x00\x00\x03"sv, {}, {}, unexpected_end);
    expect_frames("\x00\x00\x00\x03" "abc\x00\x00\x00\x02x"sv, {}, {"abc"}, unexpected_end);
}

RINGLET_CASE(FrameReaders, keep_half_a_frame_over_a_time_limit) {
    auto pipe = co_await Pipe::open();
    std::array<std::byte, 16> storage;
    FrameReader frames(pipe.reader, storage, {.length_bytes = 1});
    co_await pipe.writer.write_all(bytes_of("\x04wo"));
    const auto late = co_await attempt(timeout(5ms, frames.next()));
    EXPECT_EQ(error_of(late), std::errc::timed_out);
    co_await pipe.writer.write_all(bytes_of("rd"));
    const auto frame = co_await frames.next();
    EXPECT_EQ(text_of(*frame), "word");
}
