// An attempt: the steps to each kind of endpoint.
#include <prober.hpp>

#include <ringlet/dns/connect.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/unix.hpp>
#include <ringlet/task/attempt.hpp>

#include <array>

namespace timeout_app {

using ringlet::attempt;
using ringlet::fail;
using ringlet::Task;
using ringlet::until;
namespace http = ringlet::http;

namespace {

// Bodies are read and forgotten, all into the same bytes.
std::array<std::byte, 16 * 1024> sink;

Step step_of(ringlet::Error error) {
    switch (http::step_of(error)) {
        case http::Step::resolve: return Step::resolve;
        case http::Step::send: return Step::send;
        case http::Step::head: return Step::head;
        case http::Step::body: return Step::body;
        case http::Step::none:
        case http::Step::line:
        case http::Step::connect: break;
    }
    return Step::connect;
}

Task<void> read_body(http::Response& response) {
    while (!response.has_ended()) {
        const std::size_t count = co_await response.read(sink);
        static_cast<void>(count);
    }
}

}  // namespace

Task<void> Prober::reach() {
    if (endpoint_.kind == Endpoint::Kind::tcp) return reach_tcp();
    if (endpoint_.kind == Endpoint::Kind::http) return reach_http();
    return reach_unix();
}

// A step of its own, with a limit of its own. Whoever connects then finds the answer in the
// resolver's cache.
Task<void> Prober::look_up() {
    at_ = Step::resolve;
    if (endpoint_.has_name()) {
        const auto found = co_await until(limit(), resolver_.resolve(endpoint_.host));
        static_cast<void>(found);
    }
    at_ = Step::connect;
}

Task<void> Prober::reach_tcp() {
    co_await look_up();
    const auto socket = co_await attempt(
        until(limit(), ringlet::dns::connect(resolver_, endpoint_.host, endpoint_.port)));
    if (socket) co_return;
    at_ = step_of(socket.error());
    co_await fail(socket.error());
}

// With a client of its own, so that no connection is used again: a probe goes the whole way.
Task<void> Prober::reach_http() {
    co_await look_up();
    http::Client client(storage_, {.resolver = &resolver_, .user_agent = "ringlet-timeout"});
    const http::Request request{.url = endpoint_.text,
                                .timeouts = http::Timeouts{.connect = settings_.step,
                                                           .send = settings_.step,
                                                           .head = settings_.step,
                                                           .total = deadline_.left()},
                                .follow_redirects = false};
    auto response = co_await attempt(client.send(request));
    if (!response) {
        at_ = step_of(response.error());
        co_await fail(response.error());
    }
    if (response->status() >= 400) {
        at_ = Step::status;
        co_await fail(http::status_error(response->status()));
    }
    at_ = Step::body;
    co_await until(limit(), read_body(*response));
}

Task<void> Prober::reach_unix() {
    at_ = Step::connect;
    const auto socket = co_await until(limit(), ringlet::UnixSocket::connect(endpoint_.path));
    static_cast<void>(socket);
}

}  // namespace timeout_app
