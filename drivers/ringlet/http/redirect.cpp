// Redirects: RFC 9110, 15.4.
#include <ringlet/http/exchange.hpp>

#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet::http {
namespace {

// 303: look elsewhere, with GET. 301 and 302: what everybody does with a POST. 307 and 308: as it
// was.
void change_method(Exchange& exchange, unsigned status) {
    const bool see_other = status == 303 && exchange.method != Method::head;
    const bool moved = (status == 301 || status == 302) && exchange.method == Method::post;
    if (!see_other && !moved) return;
    exchange.method = Method::get;
    exchange.has_body = false;
}

}  // namespace

std::optional<std::string_view> redirection(const Exchange& exchange) {
    const ResponseParser& parser = exchange.lease.connection().parser();
    switch (parser.status()) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308: break;
        default: return std::nullopt;
    }
    if (!exchange.request.follow_redirects) return std::nullopt;
    return parser.header("location");
}

Task<void> pass_over_body(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    const Deadline limit = exchange.limit(exchange.timeouts.body);
    std::size_t passed = 0;
    for (;;) {
        connection.end_response();
        const bool is_over = connection.parser().has_ended() || !connection.received().empty();
        if (is_over || !connection.parser().keeps_alive()) co_return;
        const auto count =
            co_await attempt(until(limit, connection.socket().receive(connection.buffer())));
        if (!count || *count == 0) co_return;
        connection.set_received(0, *count);
        passed += *count;
        if (passed > connection.buffer().size()) co_return;
    }
}

Result<bool> redirect(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    const ResponseParser& parser = connection.parser();
    connection.end_response();  // what has come of the body stands where the URL is made
    change_method(exchange, parser.status());
    if (exchange.has_body && exchange.request.body.is_stream()) {
        return std::unexpected(make_error(Reason::resend, Step::head));
    }
    const auto buffer = connection.buffer().first(connection.url_bytes_max());
    const auto characters = std::span(reinterpret_cast<char*>(buffer.data()), buffer.size());
    const auto resolved = resolve_url(connection.url(), *parser.header("location"), characters);
    if (!resolved) return std::unexpected(resolved.error());
    const HostKey before = connection.host();
    connection.set_url(*resolved);
    const auto parsed = parse_url(connection.url());
    if (!parsed) return std::unexpected(parsed.error());
    exchange.url = *parsed;
    const bool is_elsewhere = exchange.url.key() != before;
    exchange.is_elsewhere |= is_elsewhere;
    return is_elsewhere;
}

}  // namespace ringlet::http
