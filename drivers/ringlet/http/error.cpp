// The words of the HTTP client's errors.
//
// An Error's detail is the step and the reason, or the status with a bit that says so.
#include <ringlet/http/error.hpp>

#include <ringlet/dns/error.hpp>

namespace ringlet::http {
namespace {

constexpr std::uint16_t status_bit = 0x8000;
constexpr unsigned step_shift = 8;

Kind kind_of(Reason reason) {
    switch (reason) {
        case Reason::none: return Kind::none;
        case Reason::url:
        case Reason::https:
        case Reason::credentials:
        case Reason::header:
        case Reason::resend:
        case Reason::body_length: return Kind::request;
        case Reason::no_resolver: return Kind::name;
        case Reason::broken:
        case Reason::closed_early: return Kind::transport;
        case Reason::step_time:
        case Reason::total_time: return Kind::timeout;
        case Reason::malformed:
        case Reason::encoding:
        case Reason::upgrade: return Kind::protocol;
        case Reason::redirects:
        case Reason::url_bytes:
        case Reason::request_bytes:
        case Reason::header_bytes:
        case Reason::body_bytes: return Kind::limit;
    }
    return Kind::none;
}

std::errc code_of(Reason reason) {
    switch (kind_of(reason)) {
        case Kind::timeout: return std::errc::timed_out;
        case Kind::protocol: return std::errc::bad_message;
        case Kind::limit: return std::errc::message_size;
        default: break;
    }
    switch (reason) {
        case Reason::https: return std::errc::protocol_not_supported;
        case Reason::no_resolver: return std::errc::destination_address_required;
        case Reason::closed_early: return std::errc::no_message_available;
        default: return std::errc::invalid_argument;
    }
}

const char* words_of_step_time(Step step) {
    switch (step) {
        case Step::none: break;
        case Step::line: return "no connection of the pool became free in time";
        case Step::resolve: return "the host's name was not resolved in time";
        case Step::connect: return "the connection was not made in time";
        case Step::send: return "the server did not take the request in time";
        case Step::head: return "the server did not answer in time";
        case Step::body: return "the response's body stopped for too long";
    }
    return nullptr;
}

const char* words_of_total_time(Step step) {
    switch (step) {
        case Step::none:
        case Step::line: break;  // Timeouts::total stands still there
        case Step::resolve: return "the request's time was up while the name was looked up";
        case Step::connect: return "the request's time was up while it connected";
        case Step::send: return "the request's time was up while it was sent";
        case Step::head: return "the request's time was up before the server answered";
        case Step::body: return "the request's time was up while the body came";
    }
    return nullptr;
}

const char* words_of_status(unsigned status) {
    switch (status) {
        case 400: return "the server answered 400: bad request";
        case 401: return "the server answered 401: unauthorized";
        case 403: return "the server answered 403: forbidden";
        case 404: return "the server answered 404: not found";
        case 405: return "the server answered 405: method not allowed";
        case 408: return "the server answered 408: request timeout";
        case 409: return "the server answered 409: conflict";
        case 410: return "the server answered 410: gone";
        case 413: return "the server answered 413: content too large";
        case 429: return "the server answered 429: too many requests";
        case 500: return "the server answered 500: internal server error";
        case 501: return "the server answered 501: not implemented";
        case 502: return "the server answered 502: bad gateway";
        case 503: return "the server answered 503: service unavailable";
        case 504: return "the server answered 504: gateway timeout";
        default: break;
    }
    switch (status / 100) {
        case 3: return "the server answered with a redirect that is not followed (3xx)";
        case 4: return "the server refused the request (4xx)";
        case 5: return "the server failed (5xx)";
        default: return "the server answered with an unknown status";
    }
}

const char* words_of(Error error) {
    if (const unsigned status = status_of(error); status != 0) return words_of_status(status);
    switch (reason_of(error)) {
        case Reason::none:
        case Reason::broken: return nullptr;  // errno's
        case Reason::url: return "not an http:// URL";
        case Reason::https: return "https:// cannot be spoken: there is no TLS here, use http://";
        case Reason::credentials:
            return "a URL with a user's name: use a header, \"Authorization\"";
        case Reason::header:
            return "a header has characters that it must not have, or is the client's own";
        case Reason::resend: return "a redirect wants a streamed body to be sent once more";
        case Reason::body_length: return "a streamed body is shorter than was said";
        case Reason::no_resolver: return "a host's name, and no resolver to look it up";
        case Reason::closed_early: return "the server closed the connection too early";
        case Reason::step_time: return words_of_step_time(step_of(error));
        case Reason::total_time: return words_of_total_time(step_of(error));
        case Reason::malformed: return "the server's response is not sound HTTP/1.1";
        case Reason::encoding: return "the response has a transfer coding other than chunked";
        case Reason::upgrade: return "the server changes to another protocol";
        case Reason::redirects: return "too many redirects (http::Limits::redirects)";
        case Reason::url_bytes: return "a URL is too long (http::Limits::url_bytes)";
        case Reason::request_bytes:
            return "the request's head is too long (http::Limits::buffer_bytes)";
        case Reason::header_bytes:
            return "the response's headers are too long (http::Limits::header_bytes)";
        case Reason::body_bytes: return "the response's body is longer than the limit";
    }
    return nullptr;
}

const DomainWords words(domain, words_of);

Error make(std::errc code, Reason reason, Step step) {
    const auto detail = static_cast<unsigned>(step) << step_shift | static_cast<unsigned>(reason);
    return {code, domain, static_cast<std::uint16_t>(detail)};
}

}  // namespace

Kind kind_of(Error error) {
    if (error.domain() == dns::domain) return Kind::name;
    if (error.domain() == Domain::runtime) return Kind::runtime;
    if (status_of(error) != 0) return Kind::status;
    return kind_of(reason_of(error));
}

Step step_of(Error error) {
    if (error.domain() == dns::domain) return Step::resolve;
    if (error.domain() != domain || status_of(error) != 0) return Step::none;
    return static_cast<Step>(error.detail() >> step_shift);
}

Reason reason_of(Error error) {
    if (error.domain() != domain || (error.detail() & status_bit) != 0) return Reason::none;
    return static_cast<Reason>(error.detail() & 0xff);
}

unsigned status_of(Error error) {
    if (error.domain() != domain || (error.detail() & status_bit) == 0) return 0;
    return error.detail() & ~unsigned{status_bit};
}

const char* name(Step step) {
    switch (step) {
        case Step::none: break;
        case Step::line: return "line";
        case Step::resolve: return "resolve";
        case Step::connect: return "connect";
        case Step::send: return "send";
        case Step::head: return "head";
        case Step::body: return "body";
    }
    return "none";
}

const char* name(Kind kind) {
    switch (kind) {
        case Kind::none: break;
        case Kind::request: return "request";
        case Kind::name: return "name";
        case Kind::transport: return "transport";
        case Kind::timeout: return "timeout";
        case Kind::protocol: return "protocol";
        case Kind::limit: return "limit";
        case Kind::status: return "status";
        case Kind::runtime: return "runtime";
    }
    return "none";
}

Error make_error(Reason reason, Step step) {
    return make(code_of(reason), reason, step);
}

Error status_error(unsigned status) {
    const auto detail = static_cast<std::uint16_t>(status_bit | status);
    return {std::errc::protocol_error, domain, detail};
}

Error error_at(Step step, Error error) {
    if (error.domain() == Domain::kernel) return make(error.code(), Reason::broken, step);
    if (error == Error(std::errc::timed_out, Domain::runtime)) {
        return make_error(Reason::step_time, step);
    }
    return error;
}

}  // namespace ringlet::http
