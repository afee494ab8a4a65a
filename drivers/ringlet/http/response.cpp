// Reading bodies.
#include <ringlet/http/response.hpp>

#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>

namespace ringlet::http {
namespace {

Error too_long() {
    return make_error(Reason::body_bytes, Step::body);
}

Error error_of(const Connection& connection, Error why) {
    const Error told = error_at(Step::body, why);
    const bool is_late = kind_of(told) == Kind::timeout && connection.reading().total.has_passed();
    return is_late ? make_error(Reason::total_time, Step::body) : told;
}

Deadline limit_of(const Connection::Reading& reading) {
    const Deadline pause = Deadline::after(reading.pause_max);
    return {Clock::monotonic, std::min(pause.at(), reading.total.at())};
}

// Counts what is given to the caller.
Result<std::size_t> given(Connection& connection, std::size_t count) {
    Connection::Reading& reading = connection.reading();
    reading.given += count;
    if (reading.given > reading.bytes_max.value_or(UINT64_MAX)) return std::unexpected(too_long());
    return count;
}

// What stands in the buffer, decoded; 0 if that gives nothing, and there has to come more.
Result<std::size_t> decode_received(Connection& connection, std::span<std::byte> into) {
    while (!connection.received().empty() && !connection.parser().has_ended()) {
        const auto done = connection.parser().decode(connection.received(), into);
        if (!done) return std::unexpected(done.error());
        connection.consume(done->taken);
        if (done->given > 0) return given(connection, done->given);
    }
    return 0;
}

}  // namespace

// Whatever has come is given without another await, so that no time limit and no cancellation loses
// it. A counted body comes straight into the caller's memory.
Task<std::size_t> Response::read(std::span<std::byte> into) {
    RINGLET_ASSERT(!into.empty());
    Connection& connection = lease_.connection();
    ResponseParser& parser = connection.parser();
    for (;;) {
        const auto decoded = decode_received(connection, into);
        if (!decoded) co_await fail(decoded.error());
        if (*decoded > 0) co_return *decoded;
        if (parser.has_ended()) co_return 0;
        const std::size_t straight = parser.straight_room(into.size());
        const auto room = straight > 0 ? into.first(straight) : connection.buffer();
        // A peer that always has more would keep the time limit of a single receive from winning.
        if (connection.reading().total.has_passed()) {
            co_await fail(make_error(Reason::total_time, Step::body));
        }
        const Deadline limit = limit_of(connection.reading());
        const auto count = co_await attempt(until(limit, connection.socket().receive(room)));
        if (!count) co_await fail(error_of(connection, count.error()));
        if (*count == 0) {
            const auto ended = parser.feed_end();
            if (!ended) co_await fail(ended.error());
        } else if (straight == 0) {
            connection.set_received(0, *count);
        } else {
            parser.took_straight(*count);
            const auto counted = given(connection, *count);
            if (!counted) co_await fail(counted.error());
            co_return *counted;
        }
    }
}

Task<std::span<std::byte>> Response::read_all(std::span<std::byte> into) {
    const Connection::Reading& reading = lease_.connection().reading();
    const std::uint64_t allowed = reading.bytes_max.value_or(reading.bytes_max_default);
    const std::uint64_t may_come = allowed - std::min(allowed, reading.given);
    const std::size_t room =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), may_come));
    if (parser().left().value_or(0) > room) co_await fail(too_long());
    std::size_t size = 0;
    std::byte beyond{};
    while (!has_ended()) {
        const bool is_full = size == room;
        const auto rest = is_full ? std::span(&beyond, 1) : into.subspan(size, room - size);
        const std::size_t count = co_await read(rest);
        if (is_full && count > 0) co_await fail(too_long());
        size += count;
    }
    co_return into.first(size);
}

std::optional<std::string_view> Response::header(std::string_view name) const {
    return parser().header(name);
}

}  // namespace ringlet::http
