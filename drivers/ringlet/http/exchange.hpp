// Exchange: one request's way through connecting, sending and the head of the response.
//
//      leased --1--> connect ----3----> send ----> head --5--> a Response
//        |              ^                ^  |        |
//        +--2-----------|----------------+  +---4----+--6--> leased again
//                       |                       |
//                       +-----------4-----------+
//
//   1 it is not connected, or turned out dead     4 it was used before and died before any byte of
//   2 it is connected, and quiet                    the response: once, if it may be sent twice
//   3 connected                                   5 all headers are there
//                                                 6 the same, and they are a redirect
#pragma once

#include <ringlet/http/client.hpp>

namespace ringlet::http {

struct Exchange {
    // Both outlive it.
    Exchange(Client& which, const Request& what);

    // The error of an await at `step`, told from the end of all time there is.
    Error error(Step step, Error why) const;
    // A step's time limit, from now on.
    Deadline limit(Nanoseconds span) const;

    Client& client;
    const Request& request;
    Timeouts timeouts;
    Deadline total = Deadline::none();  // from the first connection on
    Url url;        // views into the request's URL, once leased into the connection's
    Method method;  // which a redirect may have changed
    bool has_body;
    bool is_elsewhere = false;   // sent on to another host
    bool source_failed = false;  // what the body is read from, not the connection
    Lease lease;
};

// Errors: kind request, limit (url_bytes).
Result<void> check(Exchange& exchange);
// Waits for a connection to the URL's host.
Task<void> take_connection(Exchange& exchange);
// Sends the request and receives the response's head, connecting before that if need be.
Task<void> make_exchange(Exchange& exchange);

// ---- redirects

// The Location that the response sends the request to; none if it does not.
std::optional<std::string_view> redirection(const Exchange& exchange);
// Turns the exchange to its new URL. True if that is another host's. Of the body, what has come is
// lost.
//
// Errors: kind request: as parse_url(), resend; limit (url_bytes).
Result<bool> redirect(Exchange& exchange);
// Waits for the rest of a short body, so that the connection can go on; otherwise it is given up.
Task<void> pass_over_body(Exchange& exchange);

}  // namespace ringlet::http
