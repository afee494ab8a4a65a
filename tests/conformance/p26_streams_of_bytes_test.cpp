// P26: streams of bytes: TCP, Unix sockets, pipes and files; datagrams where these have bounds. The
// same bodies run over each kind: short reads and writes, the end, half-close, a peer that is gone;
// lines and frames with limits.
#include "io/io_cases.hpp"

#include <ringlet/ringlet.hpp>

#include <array>
#include <cstring>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using support::error_of;
using support::expect_descriptors;

// Two ends: what goes into `writer` comes out of `reader`. A constructor, for GCC before 14.
template <class Writer, class Reader>
struct Ends {
    Ends(Writer one, Reader other) : writer(std::move(one)), reader(std::move(other)) {}
    Writer writer;
    Reader reader;
};

struct Tcp {
    using Both = Ends<TcpSocket, TcpSocket>;
    static Task<Both> open() {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        auto client = co_await TcpSocket::connect(address);
        auto server = co_await listener.accept();
        co_return Both(std::move(client), std::move(server));
    }
};

struct Unix {
    using Both = Ends<UnixSocket, UnixSocket>;
    static Task<Both> open() {
        static unsigned count = 0;
        char name[64];
        std::snprintf(name, sizeof name, "@ringlet-p26-%d-%u", ::getpid(), ++count);
        auto listener = co_await UnixListener::listen(std::string_view(name));
        auto client = co_await UnixSocket::connect(std::string_view(name));
        auto server = co_await listener.accept();
        co_return Both(std::move(client), std::move(server));
    }
};

struct Piped {
    using Both = Ends<PipeWriter, PipeReader>;
    static Task<Both> open() {
        auto pipe = co_await Pipe::open();
        co_return Both(std::move(pipe.writer), std::move(pipe.reader));
    }
};

// What was written first is read then: a file's end is where it ends now.
struct Filed {
    using Both = Ends<File, File>;
    static Task<Both> open() {
        const auto folder = co_await support::make_test_folder();
        const auto path = folder / "stream";
        auto writer = co_await File::open(path, OpenMode::replace);
        auto reader = co_await File::open(path);
        co_return Both(std::move(writer), std::move(reader));
    }
};

template <class Writer>
Task<void> write_whole(Writer& writer, std::span<const std::byte> bytes) {
    if constexpr (requires { writer.send_all(bytes); })
        co_await writer.send_all(bytes);
    else
        co_await writer.write_all(bytes);
}

// In pieces of any size, as a slow peer's come.
template <class Writer>
Task<void> write_pieces(Writer& writer, std::string_view text, std::size_t piece) {
    while (!text.empty()) {
        const std::string_view part = text.substr(0, piece);
        co_await write_whole(writer, bytes_of(part));
        text.remove_prefix(part.size());
    }
    co_await writer.close();
}

// ---- the bodies ----

template <class Kind>
Task<void> carries_lines() {
    for (const std::size_t piece : {1u, 3u, 7u, 100u}) {
        auto ends = co_await Kind::open();
        co_await write_pieces(ends.writer, "one\r\n\nmuch too long a line\nthe last", piece);
        std::array<char, 12> storage;
        LineReader lines(ends.reader, storage);
        const auto one = co_await lines.next();
        EXPECT_EQ(one, "one");
        const auto empty = co_await lines.next();
        EXPECT_EQ(empty, "");
        const auto long_one = co_await attempt(lines.next());
        EXPECT_EQ(error_of(long_one), line_too_long);
        EXPECT_EQ(lines.line_number(), 3u);
        const auto last = co_await lines.next();
        EXPECT_EQ(last, "the last");
        const auto end = co_await lines.next();
        EXPECT_FALSE(end.has_value());
        const auto still = co_await lines.next();
        EXPECT_FALSE(still.has_value());
    }
    co_await expect_descriptors(0);
}

template <class Kind>
Task<void> carries_frames() {
    using namespace std::string_view_literals;
    for (const std::size_t piece : {1u, 3u, 7u, 100u}) {
        auto ends = co_await Kind::open();
        co_await write_pieces(ends.writer, "\0\3one\0\0\0\5three\0\4cu"sv, piece);
        std::array<std::byte, 10> storage;
        FrameReader frames(ends.reader, storage, {.length_bytes = 2});
        const auto one = co_await frames.next();
        EXPECT_EQ(text_of(*one), "one");
        const auto empty = co_await frames.next();
        EXPECT_TRUE(empty.has_value() && empty->empty());
        const auto three = co_await frames.next();
        EXPECT_EQ(text_of(*three), "three");
        const auto cut = co_await attempt(frames.next());
        EXPECT_EQ(error_of(cut), unexpected_end);
    }
    co_await expect_descriptors(0);
}

template <class Kind>
Task<void> refuses_frames_over_the_limit() {
    auto ends = co_await Kind::open();
    co_await write_pieces(ends.writer, "\x7f and what else", 100);
    std::array<std::byte, 32> storage;
    FrameReader frames(ends.reader, storage, {.length_bytes = 1, .frame_bytes_max = 16});
    for (int i = 0; i < 2; ++i) {
        const auto over = co_await attempt(frames.next());
        EXPECT_EQ(error_of(over), frame_too_long);
    }
}

template <class Kind>
Task<void> ends_where_more_was_expected() {
    auto ends = co_await Kind::open();
    co_await write_pieces(ends.writer, "12345", 2);
    std::array<std::byte, 4> four;
    co_await read_exactly(ends.reader, four);
    EXPECT_EQ(text_of(four), "1234");
    const auto cut = co_await attempt(read_exactly(ends.reader, four));
    EXPECT_EQ(error_of(cut), unexpected_end);
    const auto end = co_await read_from(ends.reader, std::span(four));
    EXPECT_EQ(end, 0u);
}

// More than every buffer on the way holds, so that both sides wait for the other.
template <class Kind>
Task<void> moves_more_than_all_buffers_hold() {
    static std::array<std::byte, 600'000> sent;
    static std::array<std::byte, 600'000> received;
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<std::byte>(i * 31);
    received.fill({});
    auto ends = co_await Kind::open();
    co_await gather(write_whole(ends.writer, sent), read_exactly(ends.reader, received));
    EXPECT_TRUE(sent == received);
}

template <class Kind>
Task<void> tells_a_writer_that_nobody_reads() {
    auto ends = co_await Kind::open();
    co_await ends.reader.close();
    Error why;
    for (int i = 0; i < 100 && why == Error(); ++i) {  // TCP learns it from the answer only
        const auto written = co_await attempt(write_whole(ends.writer, bytes_of("x")));
        if (!written)
            why = written.error();
        else
            co_await sleep(1ms);
    }
    EXPECT_EQ(why, std::errc::broken_pipe);
    co_await ends.writer.close();
    co_await expect_descriptors(0);
}

// What waits for bytes is not in the way of what is sent.
template <class Kind>
Task<void> can_be_half_closed() {
    auto ends = co_await Kind::open();
    std::array<std::byte, 16> answer;
    auto ask = [&]() -> Task<void> {
        co_await ends.writer.send_all(bytes_of("question"));
        co_await ends.writer.shutdown_send();
        co_await read_exactly(ends.writer, std::span(answer).first(8));
        const auto end = co_await ends.writer.receive(answer);
        EXPECT_EQ(end, 0u);
        const auto more = co_await attempt(ends.writer.send(bytes_of("x")));
        EXPECT_EQ(error_of(more), std::errc::broken_pipe);
    };
    auto echo = [&]() -> Task<void> {
        std::array<std::byte, 3> buffer;
        for (;;) {
            const auto count = co_await ends.reader.receive(buffer);
            if (count == 0) break;
            co_await ends.reader.send_all(std::span(buffer).first(count));
        }
        co_await ends.reader.close();
    };
    co_await gather(ask(), echo());
    EXPECT_EQ(text_of(std::span(answer).first(8)), "question");
}

template <class Kind>
Task<void> is_reset_by_a_peer_that_leaves_bytes_unread() {
    auto ends = co_await Kind::open();
    co_await ends.writer.send_all(bytes_of("unread"));
    co_await poll(ends.reader.descriptor(), POLLIN);
    co_await ends.reader.close();
    std::array<std::byte, 8> buffer;
    const auto reset = co_await attempt(ends.writer.receive(buffer));
    EXPECT_EQ(error_of(reset), std::errc::connection_reset);
    const auto sent = co_await attempt(ends.writer.send(bytes_of("x")));
    EXPECT_EQ(error_of(sent), std::errc::broken_pipe);
}

// A time limit around a read takes nothing away.
template <class Kind>
Task<void> stays_whole_after_a_read_that_timed_out() {
    auto ends = co_await Kind::open();
    std::array<char, 16> storage;
    LineReader lines(ends.reader, storage);
    co_await write_whole(ends.writer, bytes_of("in two "));
    for (int i = 0; i < 3; ++i) {
        const auto late = co_await attempt(timeout(3ms, lines.next()));
        EXPECT_EQ(error_of(late), std::errc::timed_out);
    }
    co_await write_whole(ends.writer, bytes_of("parts\n"));
    const auto line = co_await lines.next();
    EXPECT_EQ(line, "in two parts");
}

}  // namespace

#define OVER(kind, body)                                                                           \
    RINGLET_CASE(StreamsOver##kind, body) {                                                        \
        co_await body<kind>();                                                                     \
    }
#define OVER_STREAMS(body) OVER(Tcp, body) OVER(Unix, body) OVER(Piped, body)
#define OVER_SOCKETS(body) OVER(Tcp, body) OVER(Unix, body)

OVER_STREAMS(carries_lines)
OVER(Filed, carries_lines)
OVER_STREAMS(carries_frames)
OVER(Filed, carries_frames)
OVER_STREAMS(refuses_frames_over_the_limit)
OVER(Filed, refuses_frames_over_the_limit)
OVER_STREAMS(ends_where_more_was_expected)
OVER(Filed, ends_where_more_was_expected)
OVER_STREAMS(moves_more_than_all_buffers_hold)
OVER_STREAMS(tells_a_writer_that_nobody_reads)
OVER_STREAMS(stays_whole_after_a_read_that_timed_out)
OVER_SOCKETS(can_be_half_closed)
OVER_SOCKETS(is_reset_by_a_peer_that_leaves_bytes_unread)

// ---- datagrams: each is a frame ----

namespace {

// The same frames, each a datagram: what bounds a frame is the receiver's buffer.
template <class Socket>
Task<void> keep_the_bounds(Socket& from, Socket& to) {
    for (const char* each : {"one", "", "much too long", "last"}) {
        co_await from.send(bytes_of(each));
    }
    std::array<std::byte, 8> buffer;
    const auto one = co_await to.receive(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(one.size)), "one");
    const auto empty = co_await to.receive(buffer);
    EXPECT_EQ(empty.size, 0u);
    const auto cut = co_await to.receive(buffer);
    EXPECT_TRUE(cut.truncated);
    EXPECT_EQ(text_of(std::span(buffer).first(cut.size)), "much too");
    const auto last = co_await to.receive(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(last.size)), "last");
    EXPECT_FALSE(last.truncated);
}

}  // namespace

RINGLET_CASE(DatagramsOverUdp, keep_their_bounds) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto client = co_await UdpSocket::open(AF_INET);
    co_await client.connect(address);
    co_await keep_the_bounds(client, server);
}

RINGLET_CASE(DatagramsOverUnix, keep_their_bounds) {
    const auto folder = co_await support::make_test_folder();
    auto server = co_await UnixDatagram::bind(std::string_view(folder / "datagrams"));
    const auto address = co_await server.local_address();
    auto client = co_await UnixDatagram::open();
    co_await client.connect(address);
    co_await keep_the_bounds(client, server);
}

// ---- every order of completions, and transfers of any length ----

TEST(Streams, are_whole_whatever_pieces_they_come_in) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        for (const support::Case body :
             {StreamsOverTcp_carries_lines, StreamsOverUnix_carries_lines,
              StreamsOverPiped_carries_lines, StreamsOverFiled_carries_lines,
              StreamsOverTcp_carries_frames, StreamsOverUnix_carries_frames,
              StreamsOverPiped_carries_frames, StreamsOverFiled_carries_frames,
              StreamsOverTcp_can_be_half_closed, StreamsOverUnix_can_be_half_closed,
              StreamsOverTcp_moves_more_than_all_buffers_hold,
              StreamsOverUnix_moves_more_than_all_buffers_hold,
              StreamsOverPiped_moves_more_than_all_buffers_hold, DatagramsOverUdp_keep_their_bounds,
              DatagramsOverUnix_keep_their_bounds}) {
            support::run_simulated(
                body, {.seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true});
        }
    }
}

}  // namespace ringlet
