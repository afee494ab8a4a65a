// A server that says what the test tells it to: any bytes, in any pieces, late, never, or followed
// by a reset.
//
//   auto script = [](Peer& peer) -> Task<void> {      // one for each connection
//       co_await peer.hear();
//       co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//   };
//   auto body = [](FakeServer& server, http::Client& client) -> Task<void> { ... };
//   co_await with_server(script, body);
//
// When the body has ended, scripts that still run are cancelled.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/time/sleep.hpp>

#include <support/cases.hpp>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace ringlet::support {

using namespace std::chrono_literals;

// The server's end of a connection.
class Peer {
public:
    Peer(TcpSocket socket, unsigned number) : number_(number), socket_(std::move(socket)) {}

    // Which connection this is, from 1.
    unsigned number() const { return number_; }
    // Requests heard on it.
    unsigned requests() const { return requests_; }
    // The last request, head and body.
    std::string_view request() const { return {buffer_.data(), request_bytes_}; }
    std::string_view head() const { return request().substr(0, head_bytes()); }
    std::string_view body() const { return request().substr(head_bytes()); }
    // "GET /path" of it.
    std::string_view what() const { return request().substr(0, request().find(" HTTP/1.1\r\n")); }
    std::string_view path() const { return what().substr(what().find(' ') + 1); }

    // Receives a request, with its body. False if the connection has ended instead.
    Task<bool> hear() {
        std::memmove(buffer_.data(), buffer_.data() + request_bytes_, size_ - request_bytes_);
        size_ -= request_bytes_;
        request_bytes_ = 0;
        for (;;) {
            request_bytes_ = whole_request();
            if (request_bytes_ > 0) break;
            const auto room = std::as_writable_bytes(std::span(buffer_)).subspan(size_);
            const auto count = co_await attempt(socket_.receive(room));
            if (!count || *count == 0) co_return false;
            size_ += *count;
        }
        ++requests_;
        co_return true;
    }

    Task<void> say(std::string_view text) { return socket_.send_all(bytes_of(text)); }
    // In pieces of so many bytes, with time between them.
    Task<void> say_slowly(std::string_view text, std::size_t piece, Nanoseconds pause) {
        while (!text.empty()) {
            co_await say(text.substr(0, piece));
            text.remove_prefix(std::min(piece, text.size()));
            if (!text.empty()) co_await sleep(pause);
        }
    }
    // A whole response with that body.
    Task<void> answer(std::string_view body, unsigned status = 200, std::string_view headers = {}) {
        std::array<char, 512> head;
        const int size = std::snprintf(
            head.data(), head.size(), "HTTP/1.1 %u x\r\n%.*sContent-Length: %zu\r\n\r\n", status,
            static_cast<int>(headers.size()), headers.data(), body.size());
        co_await say({head.data(), static_cast<std::size_t>(size)});
        co_await say(body);
    }
    // Ends with a reset, since bytes of a request stand unread: call it before hear().
    Task<void> reset_after(std::string_view text) {
        co_await poll(socket_.descriptor(), POLLIN);
        co_await say(text);
        co_await socket_.close();
    }
    // Says and hears nothing more.
    Task<void> stall() { return wait_for_ever(); }
    // Until the client closes.
    Task<void> wait_for_end() {
        std::array<std::byte, 64> ignored;
        for (;;) {
            const auto count = co_await attempt(socket_.receive(ignored));
            if (!count || *count == 0) co_return;
        }
    }
    TcpSocket& socket() { return socket_; }

private:
    static Task<void> wait_for_ever() { co_await sleep(std::chrono::hours(1000)); }

    std::size_t head_bytes() const { return request().find("\r\n\r\n") + 4; }
    // The size of the request that stands in the buffer; 0 if there is more of it to come.
    std::size_t whole_request() const {
        const std::string_view text(buffer_.data(), size_);
        const std::size_t head = text.find("\r\n\r\n");
        if (head == text.npos) return 0;
        if (text.substr(0, head).contains("Transfer-Encoding: chunked")) {
            const std::size_t end = text.find("0\r\n\r\n", head + 2);
            return end == text.npos ? 0 : end + 5;
        }
        std::size_t length = 0;
        constexpr std::string_view name = "Content-Length: ";
        const std::size_t found = text.substr(0, head).find(name);
        if (found != text.npos) {
            std::from_chars(text.data() + found + name.size(), text.data() + head, length);
        }
        const std::size_t whole = head + 4 + length;
        return size_ >= whole ? whole : 0;
    }

    unsigned number_;
    unsigned requests_ = 0;
    std::size_t size_ = 0;
    std::size_t request_bytes_ = 0;
    TcpSocket socket_;
    std::array<char, 3000> buffer_;
};

class FakeServer {
public:
    // Errors: those of TcpListener::listen().
    static Result<FakeServer> open() {
        auto listener = TcpListener::listen(loopback_address(0));
        if (!listener) return std::unexpected(listener.error());
        return FakeServer(std::move(*listener));
    }

    struct Text {
        char characters[192];
        operator std::string_view() const { return characters; }
    };
    // "http://127.0.0.1:port" and the path.
    Text url(std::string_view path = "/", const char* host = "127.0.0.1") const {
        Text out;
        std::snprintf(out.characters, sizeof out.characters, "http://%s:%u%.*s", host, port_,
                      static_cast<int>(path.size()), path.data());
        return out;
    }
    unsigned port() const { return port_; }
    unsigned accepted() const { return accepted_; }

    // Plays `script(Peer&)` for each connection.
    template <class Script>
    Task<void> serve(TaskGroup& group, Script& script) {
        for (;;) {
            auto socket = co_await listener_.accept();
            (void)group.spawn(play<Script>, std::ref(script), std::move(socket), ++accepted_);
        }
    }

private:
    explicit FakeServer(TcpListener listener)
        : listener_(std::move(listener)),
          port_(port_of(listener_.local_address().value_or(SocketAddress()))) {}

    template <class Script>
    static Task<void> play(Script& script, TcpSocket socket, unsigned number) {
        Peer peer(std::move(socket), number);
        // A client that went away is no failure of the server's.
        const auto played = co_await attempt(script(peer));
        static_cast<void>(played);
    }

    TcpListener listener_;
    unsigned port_;
    unsigned accepted_ = 0;
};

inline constexpr http::Limits small_limits{.connections = 4,
                                           .connections_per_host = 3,
                                           .redirects = 4,
                                           .url_bytes = 200,
                                           .header_bytes = 400,
                                           .buffer_bytes = 600,
                                           .body_bytes = 5000,
                                           .idle_ms = 5000};
inline http::Storage<small_limits> small_storage;

// Closes are under way in the background: waits until only so many descriptors are left.
inline Task<void> expect_open_descriptors(unsigned expected) {
    for (int tries = 0; tries < 2000 && scheduler().descriptors() != expected; ++tries) {
        co_await sleep(1ms);
    }
    EXPECT_EQ(scheduler().descriptors(), expected);
}

// Runs `body(FakeServer&, http::Client&)` beside a server. Afterwards no connection is taken.
template <class Script, class Body, class Store = http::Storage<small_limits>>
Task<void> with_server(Script& script, Body& body, http::ClientOptions options = {},
                       Store& store = small_storage) {
    auto server = co_await FakeServer::open();
    http::Client client(store, options);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn([&](TaskGroup& servers) { return server.serve(servers, script); },
                          std::ref(group));
        co_await body(server, client);
        EXPECT_EQ(client.open_connections(), client.idle_connections());
        group.cancel_tasks();
    });
}

// The error of what must have failed; one that compares equal to nothing if it did not.
template <class T>
Error error_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Error() : result.error();
}

// What went wrong, in a form that a failing test can print.
inline void expect_failure(Error error, http::Reason reason, http::Step step) {
    EXPECT_EQ(error.domain(), http::domain) << text(error);
    EXPECT_STREQ(http::name(http::step_of(error)), http::name(step)) << text(error);
    EXPECT_EQ(http::reason_of(error), reason) << text(error);
}

// The body as text.
inline Task<std::string_view> read_text(http::Response& response, std::span<std::byte> into) {
    const auto bytes = co_await response.read_all(into);
    co_return text_of(bytes);
}

}  // namespace ringlet::support
