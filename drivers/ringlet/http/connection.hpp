// Connection: one slot of the pool: a socket, whom it is connected to, its buffers, and how far the
// response on it has been read.
//
//                acquire                 response at its end
//      free ---------------> leased ---------------------------> idle
//       ^                      |  ^                               |
//       |     anything else    |  +------------ acquire ----------+
//       +----------------------+                                  |
//       +---- the idle time-out, or its place is needed ----------+
#pragma once

#include <ringlet/http/error.hpp>
#include <ringlet/http/limits.hpp>
#include <ringlet/http/response_parser.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/time/deadline.hpp>

#include <array>

namespace ringlet::http {

class ConnectionPool;

// The links are the pool's, for its lists of free and of idle ones; the timer is the idle time-out.
class Connection : public ListLink<>, public Timer {
public:
    enum class State : std::uint8_t { free, leased, idle };

    // buffers: Limits::bytes_per_connection().
    Connection(ConnectionPool& pool, const Limits& limits, std::span<std::byte> buffers);

    // ---- the socket
    TcpSocket& socket() { return socket_; }
    // Connected, and nothing is under way on it or left over.
    bool is_fresh() const { return is_fresh_; }
    void connected(TcpSocket socket);
    // The socket is nobody's any more; it stays open until its place is needed or close().
    void give_up() { is_fresh_ = is_busy_ = false; }
    void close();
    // Takes over another one's socket, which ends closed.
    void take_socket(Connection& other);

    // ---- whom it is for; an empty host: nobody in particular
    HostKey host() const { return {{host_.data(), host_bytes_}, port_}; }
    void set_host(const HostKey& key);
    void clear_host() { host_bytes_ = 0; }

    // ---- the URL that is asked for
    std::string_view url() const { return {url_.data(), url_bytes_}; }
    // Of Limits::url_bytes at most. May be a part of buffer().
    void set_url(std::string_view url);
    std::size_t url_bytes_max() const { return url_.size(); }

    // ---- one request
    // Readies it for a response.
    void begin(bool to_head_request);
    std::span<std::byte> buffer() { return buffer_; }
    // What was received into the buffer and not looked at yet.
    std::span<const std::byte> received() const {
        return buffer_.subspan(received_at_, received_bytes_);
    }
    void set_received(std::size_t at, std::size_t count) {
        received_at_ = at;
        received_bytes_ = count;
    }
    void consume(std::size_t count) {
        received_at_ += count;
        received_bytes_ -= count;
    }
    ResponseParser& parser() { return parser_; }
    const ResponseParser& parser() const { return parser_; }

    // ---- reading the body
    struct Reading {
        Deadline total = Deadline::none();
        Nanoseconds pause_max = Nanoseconds::max();  // Timeouts::body
        std::optional<std::uint64_t> bytes_max;      // Request::body_bytes_max
        std::uint64_t bytes_max_default = 0;         // Limits::body_bytes, for read_all()
        std::uint64_t given = 0;
    };
    Reading& reading() { return reading_; }
    const Reading& reading() const { return reading_; }

    // The response, if there is one, is done with. Fresh again, if it was read to its end, or what
    // is left of it stands in the buffer.
    void end_response();

private:
    friend class ConnectionPool;
    static void idle_too_long(Pending& pending);
    static constexpr PendingHooks hooks_{
        .reason = "http.idle", .catches = false, .cancel = nullptr, .expire = idle_too_long};

    ConnectionPool& pool_;
    TcpSocket socket_{Descriptor()};
    std::span<char> header_room_;
    std::span<std::byte> buffer_;
    std::span<char> url_;
    std::size_t received_at_ = 0;
    std::size_t received_bytes_ = 0;
    std::size_t url_bytes_ = 0;
    ResponseParser parser_;
    Reading reading_;
    std::array<char, host_bytes_max> host_{};
    std::size_t host_bytes_ = 0;
    std::uint16_t port_ = 0;
    State state_ = State::free;
    bool is_fresh_ = false;
    bool is_busy_ = false;  // between begin() and the end of the response
};

}  // namespace ringlet::http
