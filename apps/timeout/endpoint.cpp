// Endpoints, from their text.
#include <endpoint.hpp>
#include <request.hpp>

#include <ringlet/app/parse.hpp>
#include <ringlet/dns/name.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/uart/address.hpp>

namespace timeout_app {
namespace {

using ringlet::TextBuffer;
using Parsed = std::optional<Endpoint>;

// What stands behind `scheme` in `text`, if it begins with that.
std::optional<std::string_view> behind(std::string_view text, std::string_view scheme) {
    if (!text.starts_with(scheme)) return std::nullopt;
    return text.substr(scheme.size());
}

Parsed refuse(TextBuffer& why, std::string_view words) {
    why.append(words);
    return std::nullopt;
}

bool is_address(std::string_view host) {
    return ringlet::parse_address(host, 0).has_value();
}

// An address, or else a name that can be one.
bool check_host(std::string_view host, TextBuffer& why) {
    if (is_address(host)) return true;
    const auto checked = ringlet::dns::check_name(host);
    if (!checked) why.append(ringlet::text(checked.error()));
    return checked.has_value();
}

Parsed parse_tcp(std::string_view text, std::string_view peer, TextBuffer& why) {
    constexpr std::string_view usage =
        "needs a host and a port, as in tcp://192.0.2.7:80 or tcp://[2001:db8::7]:80";
    const std::size_t colon = peer.rfind(':');
    if (colon == peer.npos) return refuse(why, usage);
    std::string_view host = peer.substr(0, colon);
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    const bool is_v6 = host.contains(':');
    if (host.empty() || is_v6 != in_brackets) return refuse(why, usage);
    const auto port = ringlet::parse_count(peer.substr(colon + 1), 1, 65535);
    if (!port) return refuse(why, "the port is a number from 1 to 65535");
    if (is_v6 && !is_address(host)) return refuse(why, "no IPv6 address stands in the brackets");
    if (!check_host(host, why)) return std::nullopt;
    return Endpoint{.kind = Endpoint::Kind::tcp,
                    .text = text,
                    .host = host,
                    .port = static_cast<std::uint16_t>(*port)};
}

Parsed parse_http(std::string_view text, TextBuffer& why) {
    const auto url = ringlet::http::parse_url(text);
    if (!url) return refuse(why, ringlet::text(url.error()));
    if (!check_host(url->host, why)) return std::nullopt;
    return Endpoint{.kind = Endpoint::Kind::http,
                    .text = text,
                    .host = url->host,
                    .port = url->port};
}

Parsed parse_unix(std::string_view text, std::string_view path, TextBuffer& why) {
    if (!ringlet::unix_address(path)) {
        return refuse(why, "needs a path of 1 to 107 bytes, as in unix:/run/service.socket");
    }
    return Endpoint{.kind = Endpoint::Kind::unix_socket, .text = text, .path = path};
}

// The request comes last, since it may have commas; what stands before it has no ",send=", since
// its words are known.
Parsed parse_serial(std::string_view text, std::string_view line, TextBuffer& why) {
    constexpr std::string_view mark = ",send=";
    const std::size_t at = line.find(mark);
    if (at == line.npos) {
        return refuse(why, "needs a request, as in serial:/dev/ttyUSB0,115200,8N1,send=PING");
    }
    const auto address = ringlet::uart::parse_address(line.substr(0, at));
    if (!address) return refuse(why, ringlet::text(address.error()));
    const std::string_view request = line.substr(at + mark.size());
    if (!parse_request(request)) {
        why.format("a request has at most %zu bytes, with \\r \\n \\t \\\\ \\xHH as in C",
                   Request::bytes_max);
        return std::nullopt;
    }
    return Endpoint{.kind = Endpoint::Kind::serial,
                    .text = text,
                    .path = line.substr(0, at),
                    .request = request};
}

}  // namespace

bool Endpoint::has_name() const {
    return (kind == Kind::tcp || kind == Kind::http) && !is_address(host);
}

Parsed parse_endpoint(std::string_view text, TextBuffer& why) {
    if (text.size() > endpoint_bytes_max) {
        why.format("an endpoint has at most %zu bytes", endpoint_bytes_max);
        return std::nullopt;
    }
    if (const auto peer = behind(text, "tcp://")) return parse_tcp(text, *peer, why);
    if (text.starts_with("http://")) return parse_http(text, why);
    if (const auto path = behind(text, "unix:")) return parse_unix(text, *path, why);
    if (const auto line = behind(text, "serial:")) return parse_serial(text, *line, why);
    if (text.starts_with("https://")) {
        return refuse(why, "https:// cannot be probed, for there is no TLS here; use http://, or "
                           "tcp:// to see whether it takes connections");
    }
    return refuse(why, "is no endpoint; use tcp://HOST:PORT, http://HOST[:PORT][/PATH], unix:PATH "
                       "or serial:PATH,send=REQUEST");
}

}  // namespace timeout_app
