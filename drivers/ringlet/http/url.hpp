// URLs: taking http:// URLs apart, and resolving relative ones.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringlet::http {

// The longest name of a host (RFC 1035, 2.3.4).
inline constexpr std::size_t host_bytes_max = 253;

// What connections are kept for. The case of the host's letters does not count.
struct HostKey {
    std::string_view host;
    std::uint16_t port = 0;

    friend bool operator==(const HostKey& one, const HostKey& other);
};

// A URL's parts, which are views into it.
struct Url {
    std::string_view host;    // without brackets
    std::uint16_t port = 80;  // 80 where none is named
    bool is_v6 = false;       // the host stood in brackets
    // Path and query as they stand, without the fragment: "/a?b", "?b", or empty.
    std::string_view target;

    HostKey key() const { return {host, port}; }
};

// Errors: kind request: https; credentials; url for everything else that is no http:// URL.
// Source: RFC 9110, 4.2; RFC 3986.
Result<Url> parse_url(std::string_view text);

// Resolves a reference ("../b?c", "//host/", "http://...") against the URL that it came with, and
// gives the new URL, without a fragment, in `into`, which overlaps with neither.
//
// Errors: as parse_url(), of the result; limit (url_bytes) if `into` is too small.
// Source: RFC 3986, 5.2.
Result<std::string_view> resolve_url(std::string_view base, std::string_view reference,
                                     std::span<char> into);

}  // namespace ringlet::http
