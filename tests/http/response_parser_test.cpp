// Responses as bytes, whole and in every piece.
#include <ringlet/http/error.hpp>
#include <ringlet/http/response_parser.hpp>
#include <ringlet/io/bytes.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

using namespace ringlet;
using http::Reason;

namespace {

struct Options {
    bool to_head = false;
    std::size_t header_bytes = 512;
    std::size_t out_bytes = 16;  // of each decode
    bool ends = true;            // the connection, after the last byte
};

// What a response was read as, in words: one string to compare.
struct Outcome {
    std::string head;
    std::string body;
    std::string end;  // "ended", "open" or the error
    std::size_t surplus = 0;
    bool keeps_alive = false;

    bool operator==(const Outcome&) const = default;
};

class Reader {
public:
    explicit Reader(const Options& options) : options_(options), room_(options.header_bytes) {
        parser_.begin(room_, options.to_head);
    }

    // False once there is nothing more to feed.
    bool feed(std::string_view bytes) {
        std::string_view rest = bytes;
        if (!parser_.head_is_complete()) {
            const auto taken = parser_.feed_head(bytes_of(rest));
            if (!taken) return stop(taken.error());
            rest.remove_prefix(*taken);
            if (parser_.head_is_complete()) note_head();
        }
        std::vector<std::byte> out(options_.out_bytes);
        while (!rest.empty() && parser_.head_is_complete() && !parser_.has_ended()) {
            const auto done = parser_.decode(bytes_of(rest), out);
            if (!done) return stop(done.error());
            EXPECT_LE(done->given, out.size());
            rest.remove_prefix(done->taken);
            outcome_.body += text_of(std::span(out).first(done->given));
        }
        outcome_.surplus += rest.size();
        return true;
    }

    Outcome finish() {
        if (outcome_.end.empty() && options_.ends && !parser_.has_ended()) {
            const auto ended = parser_.feed_end();
            if (!ended) stop(ended.error());
        }
        if (outcome_.end.empty()) outcome_.end = parser_.has_ended() ? "ended" : "open";
        outcome_.keeps_alive = parser_.keeps_alive();
        return outcome_;
    }

    const http::ResponseParser& parser() const { return parser_; }

private:
    bool stop(Error why) {
        outcome_.end = std::string(http::name(http::step_of(why))) + ": " + text(why);
        return false;
    }
    void note_head() {
        outcome_.head = std::to_string(parser_.status());
        for (const http::Header each : parser_.headers()) {
            outcome_.head += "|" + std::string(each.name) + "=" + std::string(each.value);
        }
    }

    Options options_;
    std::vector<char> room_;
    http::ResponseParser parser_;
    Outcome outcome_;
};

Outcome read_whole(std::string_view response, const Options& options = {}) {
    Reader reader(options);
    reader.feed(response);
    return reader.finish();
}

void expect_error(std::string_view response, Reason reason, http::Step step,
                  const Options& options = {}) {
    const std::string expected =
        std::string(http::name(step)) + ": " + text(http::make_error(reason, step));
    EXPECT_EQ(read_whole(response, options).end, expected) << response;
}

void expect_bad_head(std::string_view response) {
    expect_error(response, Reason::malformed, http::Step::head);
}

constexpr std::string_view chunked_response =
    "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\nEmpty:\r\n\r\n"
    "5\r\nhello\r\n"
    "1;name=value\r\n,\r\n"
    "00c\r\n beautiful w\r\n"
    "4\r\norld\r\n"
    "0\r\nTrailer: ignored\r\n\r\n";

const Outcome chunked_outcome{
    "200|Server=x|Transfer-Encoding=chunked|Empty=", "hello, beautiful world", "ended", 0, true};

}  // namespace

TEST(HttpResponseParser, reads_a_counted_body) {
    const auto read = read_whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y:  z \t\r\n\r\nhello");
    EXPECT_EQ(read.head, "200|Content-Length=5|X-Y=z");
    EXPECT_EQ(read.body, "hello");
    EXPECT_EQ(read.end, "ended");
    EXPECT_TRUE(read.keeps_alive);
}

TEST(HttpResponseParser, reads_chunks_and_leaves_trailers_out) {
    EXPECT_EQ(read_whole(chunked_response), chunked_outcome);
}

TEST(HttpResponseParser, reads_the_same_wherever_it_is_split) {
    for (std::size_t out_bytes : {1, 3, 16, 1000}) {
        for (std::size_t one = 0; one <= chunked_response.size(); ++one) {
            for (std::size_t two = one; two <= chunked_response.size(); two += 7) {
                Reader reader({.out_bytes = out_bytes});
                reader.feed(chunked_response.substr(0, one));
                reader.feed(chunked_response.substr(one, two - one));
                reader.feed(chunked_response.substr(two));
                ASSERT_EQ(reader.finish(), chunked_outcome) << one << " " << two;
            }
        }
    }
}

TEST(HttpResponseParser, reads_the_same_byte_by_byte) {
    Reader reader({});
    for (const char& each : chunked_response)
        reader.feed({&each, 1});
    EXPECT_EQ(reader.finish(), chunked_outcome);
}

TEST(HttpResponseParser, decodes_in_place) {
    std::array<char, 512> room;
    std::string buffer(chunked_response);
    http::ResponseParser parser;
    parser.begin(room, false);
    const std::size_t head = *parser.feed_head(bytes_of(buffer));
    const auto bytes = std::as_writable_bytes(std::span(buffer)).subspan(head);
    const auto done = parser.decode(bytes, bytes);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(text_of(bytes.first(done->given)), "hello, beautiful world");
    EXPECT_TRUE(parser.has_ended());
}

TEST(HttpResponseParser, leaves_what_comes_after_the_end) {
    EXPECT_EQ(read_whole("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc").surplus, 2u);
    const auto chunked = read_whole(std::string(chunked_response) + "HTTP/1.1 200");
    EXPECT_EQ(chunked.surplus, 12u);
    EXPECT_EQ(chunked.body, chunked_outcome.body);
    EXPECT_EQ(read_whole("HTTP/1.1 204 No Content\r\n\r\nabc").surplus, 3u);
}

TEST(HttpResponseParser, reads_to_the_connections_end_where_nothing_tells_the_length) {
    const auto read = read_whole("HTTP/1.1 200 OK\r\n\r\nall of this");
    EXPECT_EQ(read.body, "all of this");
    EXPECT_EQ(read.end, "ended");
    EXPECT_FALSE(read.keeps_alive);
    EXPECT_EQ(read_whole("HTTP/1.1 200 OK\r\n\r\nall of this", {.ends = false}).end, "open");
}

TEST(HttpResponseParser, knows_responses_without_a_body) {
    for (const std::string_view each :
         {"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
          "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
        const auto read = read_whole(each, {.ends = false});
        EXPECT_EQ(read.end, "ended") << each;
        EXPECT_TRUE(read.keeps_alive) << each;
    }
    for (const std::string_view each :
         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        const auto read = read_whole(each, {.to_head = true, .ends = false});
        EXPECT_EQ(read.end, "ended") << each;
        EXPECT_TRUE(read.keeps_alive) << each;
    }
}

TEST(HttpResponseParser, passes_over_interim_responses) {
    const std::string interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\nA: b\r\n\r\n";
    const std::string whole = interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (std::size_t at = 0; at <= whole.size(); ++at) {
        Reader reader({});
        reader.feed(std::string_view(whole).substr(0, at));
        reader.feed(std::string_view(whole).substr(at));
        const auto read = reader.finish();
        EXPECT_EQ(read.head, "200|Content-Length=2") << at;
        EXPECT_EQ(read.body, "ok") << at;
    }
    expect_bad_head("HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n");
    expect_bad_head("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect_error(interim, Reason::closed_early, http::Step::head);
}

TEST(HttpResponseParser, hears_the_response_behind_an_interim_one_that_says_close) {
    for (const std::string interim : {"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n",
                                      "HTTP/1.0 100 Continue\r\n\r\n"}) {
        const auto read = read_whole(interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        EXPECT_EQ(read.head, "200|Content-Length=2") << interim;
        EXPECT_EQ(read.body, "ok");
        EXPECT_TRUE(read.keeps_alive);
    }
}

TEST(HttpResponseParser, knows_which_connections_live_on) {
    const auto keeps = [](std::string_view head) {
        return read_whole(std::string(head) + "Content-Length: 0\r\n\r\n").keeps_alive;
    };
    EXPECT_TRUE(keeps("HTTP/1.1 200 OK\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nConnection: close\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"));
    const auto chunked =
        read_whole("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "1\r\na\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.body, "a");
    EXPECT_EQ(chunked.end, "ended");
    EXPECT_FALSE(chunked.keeps_alive);
}

TEST(HttpResponseParser, finds_headers_whatever_their_case) {
    Reader reader({});
    reader.feed("HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\n\r\n");
    EXPECT_EQ(reader.parser().header("X-ONE").value_or("?"), "1");
    EXPECT_EQ(reader.parser().header("empty").value_or("?"), "");
    EXPECT_FALSE(reader.parser().header("x").has_value());
    EXPECT_FALSE(reader.parser().header("x-one ").has_value());
}

TEST(HttpResponseParser, refuses_what_is_no_http) {
    for (const std::string_view each :
         {"hello\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "HTTP/1.1 \r\n\r\n",
          "HTTP/1.1 abc OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\n",
          "HTTP/1.7 200 OK\r\n\r\n", "HTTP/1.1 099 Low\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
          "RTSP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : c\r\n\r\n",
          "HTTP/1.1 200 OK\r\n: c\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA: b\rc: d\r\n\r\n"}) {
        expect_bad_head(each);
    }
    using namespace std::string_view_literals;
    expect_bad_head("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"sv);
}

TEST(HttpResponseParser, refuses_framing_that_can_be_read_in_two_ways) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    for (const std::string_view each :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
          "Content-Length: 5\r\nContent-Length: 6\r\n",
          "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
          "Content-Length: -5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
          "Content-Length: 5 5\r\n", "Content-Length: 18446744073709551616\r\n",
          "Content-Length:\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
        expect_bad_head(ok + std::string(each) + "\r\nhello");
    }
    expect_bad_head("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST(HttpResponseParser, refuses_codings_other_than_chunked) {
    for (const std::string_view each :
         {"gzip", "gzip, chunked", "chunked, gzip", "identity", "x"}) {
        expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(each) + "\r\n\r\n",
                     Reason::encoding, http::Step::head);
    }
}

TEST(HttpResponseParser, refuses_to_change_the_protocol) {
    expect_error(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        Reason::upgrade, http::Step::head);
    // Only offered: no harm.
    const auto read = read_whole(
        "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\na");
    EXPECT_EQ(read.body, "a");
}

TEST(HttpResponseParser, refuses_bad_chunks) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string_view each :
         {"x\r\n", "-1\r\n", "\r\n", "1g\r\n", "5\r\nhello5\r\n", "5\r\nhelloworld",
          "10000000000000000\r\n", "ffffffffffffffffff\r\n", "0\r\nbad trailer\r\n\r\n"}) {
        expect_error(head + std::string(each), Reason::malformed, http::Step::body);
    }
}

TEST(HttpResponseParser, tells_where_a_response_ends_too_early) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect_error("", Reason::closed_early, http::Step::head);
    expect_error("HTTP/1.1 200 OK\r\nContent-", Reason::closed_early, http::Step::head);
    expect_error("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Reason::closed_early,
                 http::Step::body);
    for (const std::string_view each : {"", "5", "5\r\nhel", "5\r\nhello\r\n", "0\r\n"}) {
        expect_error(chunked + std::string(each), Reason::closed_early, http::Step::body);
    }
}

TEST(HttpResponseParser, bounds_the_head_to_the_byte) {
    const std::string exact =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLong: " + std::string(200, 'x') + "\r\n\r\n";
    EXPECT_EQ(read_whole(exact, {.header_bytes = exact.size()}).end, "ended");
    expect_error(exact, Reason::header_bytes, http::Step::head, {.header_bytes = exact.size() - 1});
    // However it comes, and if it never ends.
    Reader reader({.header_bytes = 300});
    bool goes_on = reader.feed("HTTP/1.1 200 OK\r\n");
    unsigned fed = 0;
    for (; goes_on && fed < 1000; ++fed)
        goes_on = reader.feed("A: b\r\n");
    EXPECT_LT(fed, 60u);
    EXPECT_EQ(reader.finish().end, "head: the response's headers are too long "
                                   "(http::Limits::header_bytes)");
}

TEST(HttpResponseParser, bounds_interim_responses_that_never_end) {
    Reader reader({.header_bytes = 300});
    unsigned fed = 0;
    while (fed < 1000 && reader.feed("HTTP/1.1 100 Continue\r\n\r\n"))
        ++fed;
    EXPECT_EQ(fed, 12u);
}

TEST(HttpResponseParser, bounds_what_stands_around_chunks) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string_view endless : {"1;" /* an extension */, "0\r\nA: " /* a trailer */}) {
        Reader reader({.header_bytes = 300});
        ASSERT_TRUE(reader.feed(chunked + std::string(endless)));
        unsigned fed = 0;
        while (fed < 1000 && reader.feed("xxxxxxxxxx"))
            ++fed;
        EXPECT_LT(fed, 31u) << endless;
    }
    // Many small chunks are no reason.
    std::string many = chunked;
    for (int i = 0; i < 1000; ++i)
        many += "1\r\nx\r\n";
    EXPECT_EQ(read_whole(many + "0\r\n\r\n", {.header_bytes = 300}).body, std::string(1000, 'x'));
}

TEST(HttpResponseParser, lets_a_body_be_received_straight) {
    std::array<char, 512> room;
    http::ResponseParser parser;
    parser.begin(room, false);
    ASSERT_TRUE(parser.feed_head(bytes_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")));
    EXPECT_EQ(parser.straight_room(100), 10u);
    parser.took_straight(4);
    EXPECT_EQ(parser.straight_room(100), 6u);
    EXPECT_EQ(parser.straight_room(5), 5u);
    EXPECT_EQ(parser.left().value_or(0), 6u);
    parser.took_straight(6);
    EXPECT_TRUE(parser.has_ended());
    EXPECT_EQ(parser.straight_room(100), 0u);
    parser.begin(room, false);
    ASSERT_TRUE(
        parser.feed_head(bytes_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")));
    EXPECT_EQ(parser.straight_room(100), 0u);
    EXPECT_FALSE(parser.left().has_value());
}

TEST(HttpResponseParser, begins_anew_after_anything) {
    std::array<char, 512> room;
    http::ResponseParser parser;
    for (const std::string_view before : {"HT garbage", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n\r\n"}) {
        parser.begin(room, false);
        static_cast<void>(parser.feed_head(bytes_of(before)));
        EXPECT_TRUE(parser.has_begun());
        parser.begin(room, false);
        EXPECT_FALSE(parser.has_begun());
        ASSERT_TRUE(parser.feed_head(bytes_of("HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n")));
        EXPECT_EQ(parser.status(), 404u);
        EXPECT_EQ(parser.content_length().value_or(0), 1u);
    }
}
