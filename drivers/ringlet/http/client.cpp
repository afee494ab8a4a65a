// The way of a request, redirects included.
#include <ringlet/http/client.hpp>

#include <ringlet/http/exchange.hpp>

namespace ringlet::http {

Client::Client(const StorageParts& parts, const ClientOptions& options)
    : options_(options), pool_(parts, options.connections_per_host) {
    RINGLET_ASSERT(current_scheduler != nullptr);  // connections live inside run()
    RINGLET_ASSERT(is_header_value(options.user_agent));
}

Client::~Client() = default;

Task<Response> Client::send(Request request) {
    Exchange exchange(*this, request);
    co_await check(exchange);
    co_await take_connection(exchange);
    exchange.lease.connection().set_url(request.url);
    for (unsigned redirects = 0;; ++redirects) {
        co_await make_exchange(exchange);
        if (!redirection(exchange)) break;
        if (redirects == limits().redirects) {
            co_await fail(make_error(Reason::redirects, Step::head));
        }
        const bool is_elsewhere = co_await redirect(exchange);
        if (is_elsewhere) {
            pool_.leave_host(exchange.lease.connection());
            co_await take_connection(exchange);
        } else {
            co_await pass_over_body(exchange);
        }
    }
    const unsigned status = exchange.lease.connection().parser().status();
    const bool is_success = status >= 200 && status <= 299;
    if (request.require_success && !is_success) co_await fail(status_error(status));
    co_return Response(std::move(exchange.lease));
}

}  // namespace ringlet::http
