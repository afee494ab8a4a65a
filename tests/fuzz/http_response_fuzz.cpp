// ResponseParser: however a response is split, and however small the caller's buffer is, the same
// head, body and end come out; and what it gives never exceeds its limits.
//
//   input:  options | room for the head | room of a decode | pieces | the connection's bytes...
//
// The model is the same parser, fed with all bytes at once into ample room: a split that changes
// anything is a finding, and so is whatever AddressSanitizer sees.
#include <fuzz_input.hpp>

#include <ringlet/http/error.hpp>
#include <ringlet/http/response_parser.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/io/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace ringlet {
namespace {

using fuzz::expect;
using fuzz::Head;
using fuzz::Pieces;

struct Reading {
    unsigned status = 0;
    std::string headers;
    std::string body;
    Error error;  // Error(): it came to its end
    bool keeps_alive = false;
    friend bool operator==(const Reading&, const Reading&) = default;
};

struct Rooms {
    std::size_t head;
    std::size_t decode;
};

class Reader {
public:
    Reader(const Rooms& rooms, bool to_head_request) : room_(rooms.head), out_(rooms.decode) {
        parser_.begin(room_, to_head_request);
    }

    // False once there is nothing more to feed.
    bool feed(std::string_view piece) {
        // On the heap, where ASan sees its ends.
        const std::vector<char> copy(piece.begin(), piece.end());
        std::string_view rest(copy.data(), copy.size());
        if (!parser_.head_is_complete()) {
            const auto taken = parser_.feed_head(bytes_of(rest));
            if (!taken) return stop(taken.error());
            expect(*taken <= rest.size(), "no more is taken than was given");
            rest.remove_prefix(*taken);
            if (!parser_.head_is_complete()) return true;
            note_head();
        }
        while (!rest.empty() && !parser_.has_ended()) {
            const auto done = parser_.decode(bytes_of(rest), out_);
            if (!done) return stop(done.error());
            expect(done->taken <= rest.size() && done->given <= out_.size(), "decode keeps bounds");
            expect(done->taken > 0, "decode goes on");
            reading_.body += text_of(std::span(out_).first(done->given));
            rest.remove_prefix(done->taken);
        }
        return !parser_.has_ended();
    }

    Reading finish() {
        if (reading_.error == Error()) {
            const auto ended = parser_.feed_end();
            if (!ended) stop(ended.error());
        }
        reading_.keeps_alive = parser_.keeps_alive();
        return reading_;
    }

private:
    bool stop(Error why) {
        expect(http::kind_of(why) != http::Kind::none, "an error says what kind it is");
        reading_.error = why;
        return false;
    }
    void note_head() {
        reading_.status = parser_.status();
        expect(reading_.status >= 200 && reading_.status <= 999, "a final status");
        for (const http::Header each : parser_.headers()) {
            expect(http::is_header_name(each.name), "a header's name is one");
            reading_.headers.append(each.name).append(":").append(each.value).append("\n");
        }
    }

    http::ResponseParser parser_;
    std::vector<char> room_;
    std::vector<std::byte> out_;
    Reading reading_;
};

Reading read(std::string_view stream, const Rooms& rooms, bool to_head_request, Pieces pieces) {
    Reader reader(rooms, to_head_request);
    while (!stream.empty()) {
        const auto piece = stream.substr(0, pieces.next());
        stream.remove_prefix(piece.size());
        if (!reader.feed(piece)) break;
    }
    return reader.finish();
}

void try_response(Head head) {
    const bool to_head_request = head.byte() % 4 == 0;
    const Rooms rooms{.head = 64 + 8 * std::size_t{head.byte()}, .decode = 1 + head.byte() % 64u};
    const unsigned pieces = head.byte();
    // The head's limit counts bytes, however they come; that of what stands around chunks does not.
    const Reading whole = read(head.rest(), {rooms.head, 4096}, to_head_request, Pieces(0));
    const Reading split = read(head.rest(), rooms, to_head_request, Pieces(pieces));
    const bool at_limit = http::kind_of(whole.error) == http::Kind::limit ||
                          http::kind_of(split.error) == http::Kind::limit;
    if (!at_limit) expect(whole == split, "a split changes nothing");
}

// A reference resolves to a URL that can be parsed, or to an error; again, it stays as it is.
void try_url(std::string_view text) {
    constexpr std::string_view base = "http://example.org/a/b?c";
    std::array<char, 2048> room;
    const auto resolved = http::resolve_url(base, text, room);
    if (!resolved) return;
    const auto parsed = http::parse_url(*resolved);
    expect(parsed.has_value(), "what was resolved can be parsed");
    expect(parsed->host.size() <= http::host_bytes_max, "hosts have a limit");
    std::array<char, 2048> again;
    const auto second = http::resolve_url(base, *resolved, again);
    expect(second && *second == *resolved, "resolving twice changes nothing");
}

}  // namespace
}  // namespace ringlet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    ringlet::fuzz::Head head(std::string_view(reinterpret_cast<const char*>(bytes), size));
    head.byte() % 4 == 3 ? ringlet::try_url(head.rest()) : ringlet::try_response(head);
    return 0;
}
