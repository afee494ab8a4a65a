// The errors of the HTTP client: what kind of thing went wrong, and at which step of a request.
//
//   const auto response = co_await attempt(client.get(url));
//   if (!response && http::kind_of(response.error()) == http::Kind::timeout) ...
//
// An error keeps the kernel's code, so `error == std::errc::connection_refused` works. Errors that
// are not HTTP's stay whole: the resolver's (kind name), a full frame pool, Limits::descriptors
// (kind runtime). kind_of() and step_of() know them, too.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>

namespace ringlet::http {

inline constexpr Domain domain = driver_domain(2);

enum class Kind : std::uint8_t {
    none,       // no error of a request
    request,    // the request cannot be sent as it is: bad URL, bad header, https
    name,       // the host's name was not resolved: the resolver's error, or there is none
    transport,  // the connection was not made or broke: the kernel's code
    timeout,    // one of Timeouts has passed: std::errc::timed_out
    protocol,   // what the server sent is not HTTP that can be trusted: std::errc::bad_message
    limit,      // one of http::Limits was reached: std::errc::message_size
    status,     // Request::require_success, and the status is none of 200 to 299
    runtime,    // the runtime's error: no frame, no descriptor, ...
};

// Where a request was.
enum class Step : std::uint8_t {
    none,
    line,     // waiting for a connection of the pool
    resolve,  // looking up the host's name
    connect,
    send,  // sending head and body
    head,  // waiting for the response's head
    body,  // reading the response's body
};

// Why, as far as the code does not tell.
enum class Reason : std::uint8_t {
    none,
    // request
    url,          // no http:// URL, or characters that do not belong into one
    https,        // https:// cannot be spoken
    credentials,  // "user:password@" in a URL
    header,       // a header with bad characters, or one that is the client's own
    resend,       // a redirect wants a streamed body once more
    body_length,  // a streamed body is shorter than its length
    // name
    no_resolver,  // ClientOptions::resolver is null: std::errc::destination_address_required
    // transport
    broken,        // the code says how
    closed_early,  // the server closed before the response's end: std::errc::no_message_available
    // timeout
    step_time,   // the step's time limit
    total_time,  // Timeouts::total
    // protocol
    malformed,  // no HTTP, or framing that can be read in two ways
    encoding,   // a transfer coding other than chunked
    upgrade,    // the server changes the protocol (101)
    // limit
    redirects,      // Limits::redirects
    url_bytes,      // Limits::url_bytes
    request_bytes,  // the request's head is longer than Limits::buffer_bytes
    header_bytes,   // Limits::header_bytes
    body_bytes,     // Limits::body_bytes, Request::body_bytes_max, or the caller's buffer
};

Kind kind_of(Error error);
Step step_of(Error error);
// Reason::none if it is not an error of Domain http, or of a status.
Reason reason_of(Error error);
// The status of an error of kind `status`; 0 of any other.
unsigned status_of(Error error);

// "connect", "timeout", ...: static text.
const char* name(Step step);
const char* name(Kind kind);

// For the parts of the client.
Error make_error(Reason reason, Step step);
Error status_error(unsigned status);
// What an await at `step` failed with, as the client's error: the kernel's errors and time-outs
// become its own, others stay.
Error error_at(Step step, Error error);

}  // namespace ringlet::http
