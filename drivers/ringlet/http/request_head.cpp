// The request line and the headers.
#include <ringlet/http/request_head.hpp>

#include <ringlet/http/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace ringlet::http {
namespace {

// Framing and connections are the client's business.
constexpr std::string_view reserved[] = {
    "connection", "content-length",    "expect", "keep-alive", "te",
    "trailer",    "transfer-encoding", "upgrade"};

// Meant for the host that the caller named.
constexpr std::string_view secret[] = {"authorization", "cookie", "host", "proxy-authorization"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::any_of(names, [&](auto each) { return same_name(each, name); });
}

bool gives(const Request& request, std::string_view name) {
    return std::ranges::any_of(request.headers,
                               [&](const Header& each) { return same_name(each.name, name); });
}

class Writer {
public:
    explicit Writer(std::span<std::byte> room) : room_(room) {}

    Writer& put(std::string_view text) {
        fits_ = fits_ && text.size() <= room_.size() - size_;
        if (!fits_ || text.empty()) return *this;
        std::memcpy(room_.data() + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }
    Writer& put(std::uint64_t number) {
        std::array<char, 20> digits;
        const auto written = std::to_chars(digits.begin(), digits.end(), number);
        return put(std::string_view(digits.data(), written.ptr));
    }
    Writer& header(std::string_view name, std::string_view value) {
        return put(name).put(": ").put(value).put("\r\n");
    }
    bool fits() const { return fits_; }
    std::size_t size() const { return size_; }

private:
    std::span<std::byte> room_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

void put_host(Writer& out, const Url& url) {
    out.put("Host: ").put(url.is_v6 ? "[" : "").put(url.host).put(url.is_v6 ? "]" : "");
    if (url.port != 80) out.put(":").put(std::uint64_t{url.port});
    out.put("\r\n");
}

void put_headers(Writer& out, const RequestHead& head) {
    for (const Header& each : head.request.headers) {
        if (head.is_elsewhere && is_one_of(secret, each.name)) continue;
        if (!head.has_body && same_name(each.name, "content-type")) continue;
        out.header(each.name, each.value);
    }
}

void put_body_headers(Writer& out, const RequestHead& head) {
    const Body& body = head.request.body;
    if (!head.has_body) {
        // Said where a body is expected (RFC 9110, 8.6).
        const bool expected = head.method == Method::post || head.method == Method::put ||
                              head.method == Method::patch;
        if (expected) out.header("Content-Length", "0");
        return;
    }
    if (!head.request.content_type.empty()) {
        out.header("Content-Type", head.request.content_type);
    }
    if (body.is_chunked()) {
        out.header("Transfer-Encoding", "chunked");
    } else {
        out.put("Content-Length: ").put(body.length()).put("\r\n");
    }
}

}  // namespace

Result<void> check_headers(const Request& request) {
    const std::unexpected<Error> bad(make_error(Reason::header, Step::none));
    if (!is_header_value(request.content_type)) return bad;
    for (const Header& each : request.headers) {
        if (!is_header_name(each.name) || !is_header_value(each.value)) return bad;
        if (is_one_of(reserved, each.name)) return bad;
        if (!request.content_type.empty() && same_name(each.name, "content-type")) return bad;
    }
    return {};
}

Result<std::size_t> write_head(const RequestHead& head, std::span<std::byte> into) {
    Writer out(into);
    out.put(name(head.method)).put(" ");
    out.put(head.url.target.starts_with('/') ? "" : "/").put(head.url.target);
    out.put(" HTTP/1.1\r\n");
    const bool host_is_given = gives(head.request, "host") && !head.is_elsewhere;
    if (!host_is_given) put_host(out, head.url);
    put_headers(out, head);
    if (!gives(head.request, "user-agent") && !head.user_agent.empty()) {
        out.header("User-Agent", head.user_agent);
    }
    if (!gives(head.request, "accept-encoding")) out.header("Accept-Encoding", "identity");
    put_body_headers(out, head);
    out.put("\r\n");
    if (!out.fits()) return std::unexpected(make_error(Reason::request_bytes, Step::none));
    return out.size();
}

}  // namespace ringlet::http
