// The head of a request: checking what the caller gave, and writing it.
#pragma once

#include <ringlet/http/request.hpp>
#include <ringlet/http/url.hpp>

namespace ringlet::http {

// Errors: kind request: header.
Result<void> check_headers(const Request& request);

struct RequestHead {
    const Request& request;
    Method method;  // which a redirect may have changed
    bool has_body;
    // The request was sent on to another host, which gets no secrets: without Authorization,
    // Cookie, Proxy-Authorization and Host of the caller's.
    bool is_elsewhere;
    const Url& url;
    std::string_view user_agent;
};

// Gives the head's size. Errors: limit: request_bytes.
Result<std::size_t> write_head(const RequestHead& head, std::span<std::byte> into);

}  // namespace ringlet::http
