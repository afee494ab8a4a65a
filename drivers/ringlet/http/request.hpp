// Request: what is asked of a server.
//
//   const http::Header headers[] = {{"Authorization", token}};
//   auto response = co_await client.send(
//       {.method = http::Method::put, .url = url, .headers = headers, .body = {bytes}});
//
// It owns nothing: what it points to outlives the await.
#pragma once

#include <ringlet/http/header.hpp>
#include <ringlet/http/limits.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/stream.hpp>

#include <concepts>
#include <optional>
#include <span>

namespace ringlet::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };

// "GET", ...
const char* name(Method method);
// Whether asking twice does no more than asking once (RFC 9110, 9.2.2).
constexpr bool is_idempotent(Method method) {
    return method != Method::post && method != Method::patch;
}

// The body of a request: nothing, bytes, or a stream that is read while it is sent.
class Body {
public:
    constexpr Body() = default;
    constexpr Body(std::span<const std::byte> bytes) : bytes_(bytes), kind_(Kind::bytes) {}
    template <std::convertible_to<std::string_view> Text>
    Body(const Text& text) : Body(bytes_of(text)) {}

    // All that `source` gives, sent in chunks as it comes.
    template <ByteSource S>
    static Body stream(S& source) {
        return Body(&source, read_some<S>, Kind::chunked, 0);
    }
    // `length` bytes of it. If it ends before, the request fails with Reason::body_length.
    template <ByteSource S>
    static Body stream(S& source, std::uint64_t length) {
        return Body(&source, read_some<S>, Kind::counted, length);
    }

    bool is_empty() const { return kind_ == Kind::none; }
    // A stream cannot be sent a second time.
    bool is_stream() const { return kind_ == Kind::chunked || kind_ == Kind::counted; }
    bool is_chunked() const { return kind_ == Kind::chunked; }
    // Meaningless if it is chunked.
    std::uint64_t length() const { return is_stream() ? length_ : bytes_.size(); }
    std::span<const std::byte> bytes() const { return bytes_; }
    Task<std::size_t> read(std::span<std::byte> into) const { return read_(source_, into); }

private:
    enum class Kind : std::uint8_t { none, bytes, chunked, counted };
    using Read = Task<std::size_t> (*)(void* source, std::span<std::byte> into);

    Body(void* source, Read reader, Kind kind, std::uint64_t length)
        : source_(source), read_(reader), length_(length), kind_(kind) {}

    template <ByteSource S>
    static Task<std::size_t> read_some(void* source, std::span<std::byte> into) {
        co_return co_await read_from(*static_cast<S*>(source), into);
    }

    std::span<const std::byte> bytes_;
    void* source_ = nullptr;
    Read read_ = nullptr;
    std::uint64_t length_ = 0;
    Kind kind_ = Kind::none;
};

struct Request {
    Method method = Method::get;
    // http://host[:port][/path][?query]. The host is a name, an IPv4 address, or an IPv6 address
    // in brackets. A fragment (#...) is not sent.
    std::string_view url;
    // Sent as they are. The client's own, which are refused: Connection, Content-Length, Expect,
    // Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade. Instead of the client's own: Host,
    // User-Agent, Accept-Encoding.
    std::span<const Header> headers = {};
    Body body = {};
    std::string_view content_type = {};     // of the body; empty: no such header
    std::optional<Timeouts> timeouts = {};  // instead of the client's
    // A status that is none of 200 to 299 is an error of kind `status`.
    bool require_success = false;
    // False: a redirect is a response like any other.
    bool follow_redirects = true;
    // How long the response's body may be, streamed or not. None: any length for read(),
    // Limits::body_bytes for read_all().
    std::optional<std::uint64_t> body_bytes_max = {};
    // Where the time is added that it waited in line for connections; also if it fails then.
    Nanoseconds* time_in_line = nullptr;
};

}  // namespace ringlet::http
