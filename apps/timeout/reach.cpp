// An attempt: the steps to each kind of endpoint.
#include <prober.hpp>
#include <request.hpp>

#include <ringlet/dns/connect.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/unix.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/uart/address.hpp>

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
    if (endpoint_.kind == Endpoint::Kind::serial) return reach_serial();
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

// A line whose device is only silent stays open; one that holds an unsent request does not.
Task<void> Prober::reach_serial() {
    const auto answered = co_await attempt(ask());
    if (answered) co_return;
    const bool is_silent = at_ == Step::answer && answered.error() == std::errc::timed_out;
    if (!is_silent) line_.reset();
    co_await fail(answered.error());
}

Task<void> Prober::ask() {
    at_ = Step::connect;
    // What came too late is no answer to what is asked now. If the line was hung up meanwhile, the
    // adapter may be plugged in again.
    if (line_ && !line_->discard_received()) line_.reset();
    if (!line_) co_await until(limit(), open_line());
    at_ = Step::send;
    co_await until(limit(), send_request());
    at_ = Step::answer;
    co_await until(limit(), read_answer());
}

Task<void> Prober::open_line() {
    const auto address = ringlet::uart::parse_address(endpoint_.path);
    RINGLET_ASSERT(address.has_value());  // parse_endpoint() has seen it
    line_.emplace(co_await ringlet::uart::Uart::open(address->path.data(), address->options));
}

Task<void> Prober::send_request() {
    const auto request = parse_request(endpoint_.request);
    RINGLET_ASSERT(request.has_value());  // as above
    co_await line_->write_all(ringlet::bytes_of(request->view()));
    co_await line_->drain();
}

// A line that is not empty, whatever ends it: \r, \n or both, on either side.
Task<void> Prober::read_answer() {
    std::array<char, 64> bytes;
    bool has_begun = false;
    for (;;) {
        const auto into = std::as_writable_bytes(std::span(bytes));
        const std::size_t count = co_await line_->read(into);
        if (count == 0) co_await fail(std::errc::io_error);  // hung up
        for (const char byte : std::span(bytes).first(count)) {
            const bool is_end = byte == '\r' || byte == '\n';
            if (is_end && has_begun) co_return;
            has_begun = has_begun || !is_end;
        }
    }
}

}  // namespace timeout_app
