// The bounds of an HTTP client, and its time limits.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/units.hpp>

#include <cstddef>
#include <cstdint>

namespace ringlet::http {

// What a Storage is made of. A connection takes header_bytes + buffer_bytes + url_bytes and about
// 700 bytes more. The runtime's Limits::descriptors needs room for the connections, and for those
// of them that are being closed.
struct Limits {
    unsigned connections = 8;           // open at once, idle ones included; more requests wait
    unsigned connections_per_host = 4;  // of those, to one host and port
    unsigned redirects = 5;             // followed for one request
    unsigned url_bytes = 1024;          // the longest URL, given or in a redirect
    unsigned header_bytes = 8192;       // what is received before a body: status line and headers
    unsigned buffer_bytes = 2048;       // of each connection; a request's head has to fit in
    std::uint64_t body_bytes = 1_MiB;   // what read_all() takes, unless the request says otherwise
    unsigned idle_ms = 15'000;          // a connection that nobody needs is closed after this;
                                        // time in which the board sleeps counts

    constexpr std::size_t bytes_per_connection() const {
        return std::size_t{header_bytes} + buffer_bytes + url_bytes;
    }
    // Storage<limits> asserts it at compile time.
    constexpr bool are_valid() const {
        return connections > 0 && connections_per_host > 0 && url_bytes >= 64 &&
               header_bytes >= 128 && buffer_bytes >= url_bytes + 256;
    }
};

// How long each step of a request may take. Nanoseconds::max(): no limit.
//
// `total` runs while the request has a connection, so who waits in line has lost none of it. A
// redirect gives no new time; but should it lead to another host, and that be busy, `total` stands
// still for as long as the request waits in line there.
struct Timeouts {
    Nanoseconds line = std::chrono::minutes(5);      // for a connection of the pool, each time
    Nanoseconds connect = std::chrono::seconds(10);  // resolving the name and connecting
    Nanoseconds send = std::chrono::seconds(30);  // for each 64 KiB, or each chunk that is streamed
    Nanoseconds head = std::chrono::seconds(30);  // from the request's end to the head's
    Nanoseconds body = std::chrono::seconds(30);  // from one piece of the body to the next
    Nanoseconds total = std::chrono::minutes(5);  // all but the line: redirects and the body, too

    // One limit for all, however it is spent.
    static constexpr Timeouts in_all(Nanoseconds total) {
        constexpr auto no = Nanoseconds::max();
        return {.line = no, .connect = no, .send = no, .head = no, .body = no, .total = total};
    }
};

}  // namespace ringlet::http
