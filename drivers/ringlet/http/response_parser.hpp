// ResponseParser: turns the bytes of a response into its head and its body. Knows no sockets.
//
//   1 begin()                                    for each response
//   2 feed_head() until head_is_complete()       interim responses (1xx) are passed over
//   3 decode() until has_ended()                 or straight_room() and took_straight()
//   4 feed_end()                                 where the connection ends before
//
// llhttp reads the head, and the framing of chunks; a body that is counted, or that ends with its
// connection, needs no parser. What can be read in two ways is refused: a length beside chunks, two
// lengths, codings other than chunked, HTTP other than 1.0 and 1.1.
#pragma once

#include <ringlet/base/error.hpp>
#include <ringlet/http/header.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace ringlet::http {

class ResponseParser {
public:
    ResponseParser() = default;
    ResponseParser(const ResponseParser&) = delete;
    ResponseParser& operator=(const ResponseParser&) = delete;

    // Readies it for a response. `room` keeps the headers, belongs to the caller, and its size is
    // the limit for all that comes before the body. A response to HEAD has no body.
    void begin(std::span<char> room, bool to_head_request);

    // Takes in bytes that have come, and gives how many: all of them, until the head is complete.
    // What it leaves belongs to the body.
    //
    // Errors: protocol, limit (header_bytes).
    Result<std::size_t> feed_head(std::span<const std::byte> bytes);
    bool head_is_complete() const { return state_ != State::head; }
    // Whether any byte has come since begin().
    bool has_begun() const { return head_bytes_ > 0; }

    // Of a complete head. The views end with the next begin().
    unsigned status() const { return status_; }
    Headers headers() const { return Headers({room_.data(), stored_}); }
    std::optional<std::string_view> header(std::string_view name) const;
    std::optional<std::uint64_t> content_length() const { return content_length_; }

    struct Decoded {
        std::size_t taken = 0;  // of `in`
        std::size_t given = 0;  // bytes of the body, in `out`
    };
    // Decodes some of the body, as far as `out`, which must not be empty, has room; call it again
    // with what is left of `in`. `out` may begin where `in` does.
    //
    // Errors: protocol, limit (header_bytes: of what stands around chunks).
    Result<Decoded> decode(std::span<const std::byte> in, std::span<std::byte> out);

    // How many of `wanted` bytes may be received straight into the caller's memory: those are the
    // body as it is. 0 where decode() is needed. Then took_straight() tells how many came.
    std::size_t straight_room(std::size_t wanted) const;
    void took_straight(std::size_t count);

    // The connection has ended.
    //
    // Errors: closed_early, unless that was the body's end.
    Result<void> feed_end();

    bool has_ended() const { return state_ == State::ended; }
    // What is left of a body whose length is known.
    std::optional<std::uint64_t> left() const;
    // Whether the connection may be used again once the response has ended.
    bool keeps_alive() const { return keeps_alive_; }
    void forbid_reuse() { keeps_alive_ = false; }

private:
    enum class State : std::uint8_t { head, counted, chunked, until_end, ended };
    struct Callbacks;

    void open_body(bool to_head_request);
    Result<void> check_head();
    Result<void> check_encoding() const;
    Decoded copy(std::span<const std::byte> in, std::span<std::byte> out);
    Result<Decoded> decode_chunks(std::span<const std::byte> in, std::span<std::byte> out);
    void store(const char* characters, std::size_t count);
    bool end_name();
    void end_value();

    // llhttp's own state, an llhttp_t; its header stays out of ours.
    alignas(std::uint64_t) std::byte machine_[104]{};
    std::span<char> room_;
    std::size_t stored_ = 0;
    std::size_t name_begin_ = 0;  // of the header that is being stored
    std::size_t head_bytes_ = 0;  // fed so far, interim responses included
    std::size_t overhead_ = 0;    // fed since the last byte of a body that has chunks
    std::uint64_t left_ = 0;      // of a counted body
    std::optional<std::uint64_t> content_length_;
    std::byte* out_ = nullptr;  // where decode_chunks() puts the next byte
    unsigned status_ = 0;
    State state_ = State::ended;
    bool to_head_request_ = false;
    bool keeps_alive_ = false;
    bool chunks_have_ended_ = false;
};

}  // namespace ringlet::http
