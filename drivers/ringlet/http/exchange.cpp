// Connecting, sending a request, and receiving the head of its response.
#include <ringlet/http/exchange.hpp>

#include <ringlet/dns/connect.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/http/request_head.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::http {
namespace {

// What is given to the kernel at once, and has Timeouts::send to be taken.
constexpr std::size_t slice_bytes = 64_KiB;

// ---- connecting

Task<TcpSocket> open_connection(dns::Resolver* resolver, HostKey host) {
    if (resolver != nullptr) {
        co_return co_await dns::connect(*resolver, host.host, host.port);
    }
    const auto address = parse_address(host.host, host.port);
    if (!address) {
        const bool is_name = address.error() == std::errc::destination_address_required;
        const Reason why = is_name ? Reason::no_resolver : Reason::url;
        co_await fail(make_error(why, Step::resolve));
    }
    co_return co_await TcpSocket::connect(*address);
}

Task<void> connect(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    if (connection.socket().is_open()) {
        const auto closed = co_await attempt(connection.socket().close());
        static_cast<void>(closed);  // it was given up
    }
    const Deadline limit = exchange.limit(exchange.timeouts.connect);
    dns::Resolver* const resolver = exchange.client.options().resolver;
    auto socket = co_await attempt(until(limit, open_connection(resolver, exchange.url.key())));
    if (!socket) co_await fail(exchange.error(Step::connect, socket.error()));
    connection.connected(std::move(*socket));
    ++exchange.client.pool().counters().opened;
}

// Whether the server has neither closed an idle connection nor sent anything unasked: that would be
// taken for the answer to what is sent next. An idle connection can be written to, so the look
// waits for nothing but its turn among the operations; that it got none in time says nothing.
Task<bool> is_quiet(int descriptor, Deadline limit) {
    const auto events =
        co_await attempt(until(limit, poll(descriptor, POLLIN | POLLRDHUP | POLLOUT)));
    co_return events && *events == POLLOUT;
}

// ---- sending

Task<void> send_slice(Exchange& exchange, std::span<const std::byte> bytes) {
    const Deadline limit = exchange.limit(exchange.timeouts.send);
    while (!bytes.empty()) {
        // A peer that takes all at once would keep the time limit of a single send from winning.
        if (exchange.total.has_passed()) {
            co_await fail(make_error(Reason::total_time, Step::send));
        }
        const auto count =
            co_await attempt(until(limit, exchange.lease.connection().socket().send(bytes)));
        if (!count) co_await fail(exchange.error(Step::send, count.error()));
        bytes = bytes.subspan(*count);
    }
}

Task<void> send_bytes(Exchange& exchange, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto slice = bytes.first(std::min(bytes.size(), slice_bytes));
        co_await send_slice(exchange, slice);
        bytes = bytes.subspan(slice.size());
    }
}

// The source may fail in its own way; only the end of all time is the request's.
Task<std::size_t> read_source(Exchange& exchange, std::span<std::byte> into) {
    const auto count = co_await attempt(until(exchange.total, exchange.request.body.read(into)));
    if (count) co_return *count;
    exchange.source_failed = true;
    const Error why = count.error();
    const bool is_late = why == std::errc::timed_out && exchange.total.has_passed();
    if (is_late) co_await fail(make_error(Reason::total_time, Step::send));
    co_await fail(why);
}

Task<void> send_counted(Exchange& exchange) {
    const std::span<std::byte> buffer = exchange.lease.connection().buffer();
    std::uint64_t left = exchange.request.body.length();
    while (left > 0) {
        const auto most = std::min<std::uint64_t>(buffer.size(), left);
        const auto into = buffer.first(static_cast<std::size_t>(most));
        const std::size_t count = co_await read_source(exchange, into);
        if (count == 0) co_await fail(make_error(Reason::body_length, Step::send));
        co_await send_slice(exchange, buffer.first(count));
        left -= count;
    }
}

// A chunk in the buffer: eight digits of its size, CRLF, the data, CRLF.
constexpr std::size_t chunk_begin = 10;
constexpr std::size_t chunk_end = 2;

std::span<const std::byte> frame_chunk(std::span<std::byte> buffer, std::size_t count) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < 8; ++i) {
        const char digit = digits[count >> 4 * (7 - i) & 0xf];
        buffer[i] = static_cast<std::byte>(digit);
    }
    std::memcpy(buffer.data() + 8, "\r\n", 2);
    std::memcpy(buffer.data() + chunk_begin + count, "\r\n", 2);
    return buffer.first(chunk_begin + count + chunk_end);
}

Task<void> send_chunks(Exchange& exchange) {
    const std::span<std::byte> buffer = exchange.lease.connection().buffer();
    const auto room = buffer.subspan(chunk_begin, buffer.size() - chunk_begin - chunk_end);
    for (;;) {
        const std::size_t count = co_await read_source(exchange, room);
        if (count == 0) break;
        co_await send_slice(exchange, frame_chunk(buffer, count));
    }
    co_await send_slice(exchange, bytes_of("0\r\n\r\n"));
}

Task<void> send_request(Exchange& exchange) {
    const std::span<std::byte> buffer = exchange.lease.connection().buffer();
    const RequestHead head{exchange.request,  exchange.method,
                           exchange.has_body, exchange.is_elsewhere,
                           exchange.url,      exchange.client.options().user_agent};
    const std::size_t size = co_await write_head(head, buffer);
    const Body& body = exchange.request.body;
    const bool is_bytes = exchange.has_body && !body.is_stream();
    // A short body goes with the head: one packet, one system call.
    if (is_bytes && body.bytes().size() <= buffer.size() - size) {
        std::ranges::copy(body.bytes(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
        co_return co_await send_bytes(exchange, buffer.first(size + body.bytes().size()));
    }
    co_await send_bytes(exchange, buffer.first(size));
    if (!exchange.has_body) co_return;
    if (is_bytes) co_return co_await send_bytes(exchange, body.bytes());
    if (body.is_chunked()) co_return co_await send_chunks(exchange);
    co_await send_counted(exchange);
}

// ---- the head

Task<void> receive_head(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    const Deadline limit = exchange.limit(exchange.timeouts.head);
    while (!connection.parser().head_is_complete()) {
        const std::span<std::byte> buffer = connection.buffer();
        const auto count = co_await attempt(until(limit, connection.socket().receive(buffer)));
        if (!count) co_await fail(exchange.error(Step::head, count.error()));
        if (*count == 0) co_await fail(make_error(Reason::closed_early, Step::head));
        const std::size_t taken = co_await connection.parser().feed_head(buffer.first(*count));
        connection.set_received(taken, *count - taken);
    }
}

// A server may answer before it has read all of a body (413, 401), and close, or read no more: if
// sending fails for that, its answer is worth more than the failure. One that reads no more may
// not have answered either: a look tells, which does not wait.
Task<bool> may_be_answered(Exchange& exchange, Error why) {
    if (exchange.source_failed) co_return false;
    if (reason_of(why) != Reason::step_time) co_return kind_of(why) == Kind::transport;
    const int descriptor = exchange.lease.connection().socket().descriptor();
    const auto events = co_await attempt(timeout(Nanoseconds::zero(), poll(descriptor, POLLIN)));
    co_return events && (*events & POLLIN) != 0;
}

Task<void> talk(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    connection.begin(exchange.method == Method::head);
    const auto sent = co_await attempt(send_request(exchange));
    if (!sent) {
        const bool goes_on = co_await may_be_answered(exchange, sent.error());
        if (!goes_on) co_await fail(sent.error());
    }
    const auto answered = co_await attempt(receive_head(exchange));
    if (!sent && !answered) co_await fail(sent.error());
    if (!answered) co_await fail(answered.error());
    if (!sent) connection.parser().forbid_reuse();
}

bool may_be_sent_again(const Exchange& exchange) {
    return is_idempotent(exchange.method) &&
           !(exchange.has_body && exchange.request.body.is_stream());
}

// A time-out is no sign of death; reset and end are.
bool is_death(const Exchange& exchange, Error why) {
    return kind_of(why) == Kind::transport && !exchange.lease.connection().parser().has_begun();
}

Task<void> replace_if_dead(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    const Deadline limit = exchange.limit(exchange.timeouts.connect);
    const bool alive = co_await is_quiet(connection.socket().descriptor(), limit);
    if (alive) co_return;
    connection.give_up();
    ++exchange.client.pool().counters().replaced;
}

void start_reading(const Exchange& exchange) {
    const Request& request = exchange.request;
    exchange.lease.connection().reading() = {.total = exchange.total,
                                             .pause_max = exchange.timeouts.body,
                                             .bytes_max = request.body_bytes_max,
                                             .bytes_max_default =
                                                 exchange.client.limits().body_bytes};
}

}  // namespace

Exchange::Exchange(Client& which, const Request& what)
    : client(which), request(what), timeouts(what.timeouts.value_or(which.options().timeouts)),
      method(what.method), has_body(!what.body.is_empty()) {
}

Error Exchange::error(Step step, Error why) const {
    const Error told = error_at(step, why);
    const bool is_late = kind_of(told) == Kind::timeout && total.has_passed();
    return is_late ? make_error(Reason::total_time, step) : told;
}

Deadline Exchange::limit(Nanoseconds span) const {
    return {Clock::monotonic, std::min(total.at(), Deadline::after(span).at())};
}

Result<void> check(Exchange& exchange) {
    if (exchange.request.url.size() > exchange.client.limits().url_bytes) {
        return std::unexpected(make_error(Reason::url_bytes, Step::none));
    }
    const auto parsed = parse_url(exchange.request.url);
    if (!parsed) return std::unexpected(parsed.error());
    exchange.url = *parsed;
    return check_headers(exchange.request);
}

// Meanwhile the time of all steps stands still.
Task<void> take_connection(Exchange& exchange) {
    const bool is_first = !exchange.lease.is_held();
    const Nanoseconds total = is_first ? exchange.timeouts.total : exchange.total.left();
    const Instant began = scheduler().now();
    const Deadline limit = Deadline::after(exchange.timeouts.line);
    ConnectionPool& pool = exchange.client.pool();
    const auto taken =
        co_await attempt(until(limit, pool.acquire(exchange.lease, exchange.url.key())));
    Nanoseconds* const waited = exchange.request.time_in_line;
    if (waited != nullptr) *waited += Nanoseconds(scheduler().now() - began);
    if (!taken) co_await fail(error_at(Step::line, taken.error()));
    exchange.total = Deadline::after(total);
}

Task<void> make_exchange(Exchange& exchange) {
    Connection& connection = exchange.lease.connection();
    if (connection.is_fresh()) co_await replace_if_dead(exchange);
    const bool is_reused = connection.is_fresh();
    if (is_reused) {
        const auto talked = co_await attempt(talk(exchange));
        if (talked) {
            ++exchange.client.pool().counters().reused;
            co_return start_reading(exchange);
        }
        if (!is_death(exchange, talked.error()) || !may_be_sent_again(exchange)) {
            co_await fail(talked.error());
        }
        ++exchange.client.pool().counters().replaced;
    }
    co_await connect(exchange);
    co_await talk(exchange);
    start_reading(exchange);
}

}  // namespace ringlet::http
