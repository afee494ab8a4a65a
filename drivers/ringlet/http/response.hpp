// Response: what a server answered. It holds its connection until it is destroyed or released.
//
//   auto response = co_await client.get("http://192.0.2.7/readings");
//   std::array<std::byte, 4096> room;
//   const auto body = co_await response.read_all(room);
//
// A connection whose response was read to its end goes back to the pool; any other is closed.
#pragma once

#include <ringlet/http/connection_pool.hpp>
#include <ringlet/task/task.hpp>

#include <optional>

namespace ringlet::http {

// Move-only. It must not outlive its Client. Views into it end with it.
class [[nodiscard]] Response {
public:
    // For the client.
    explicit Response(Lease lease) : lease_(std::move(lease)) {}

    unsigned status() const { return parser().status(); }
    bool is_success() const { return status() >= 200 && status() <= 299; }

    // The value of the first header of that name, whatever its case.
    std::optional<std::string_view> header(std::string_view name) const;
    Headers headers() const { return parser().headers(); }

    // The body's length, if the server has told it.
    std::optional<std::uint64_t> content_length() const { return parser().content_length(); }
    // The URL that was answered: the last one, if there were redirects.
    std::string_view url() const { return lease_.connection().url(); }

    // Reads some of the body: what is there, or waits for something. Gives how much; 0 at the end.
    // `into` must not be empty.
    //
    // Errors: transport (closed_early if the server stops before the end), timeout (it may be read
    // on), protocol, limit (Request::body_bytes_max).
    // Cancellation: nothing was read, or all that was is given; it may be read on.
    // Source: RFC 9112, 6 and 7.
    Task<std::size_t> read(std::span<std::byte> into);

    // Reads the rest of the body into `into`, and gives the part of it that is the body.
    //
    // Errors: as read's; limit (body_bytes) if it is longer than `into`, or than
    // Request::body_bytes_max, or without that Limits::body_bytes: at once, if the server has told
    // the length.
    // Cancellation: any part may have been read.
    Task<std::span<std::byte>> read_all(std::span<std::byte> into);

    // True once the body was read to its end (also if there is none).
    bool has_ended() const { return parser().has_ended(); }

    // Gives the connection back now. Afterwards only release() and the destructor may be called.
    void release() { lease_.release(); }

private:
    const ResponseParser& parser() const { return lease_.connection().parser(); }

    Lease lease_;
};

}  // namespace ringlet::http
