// Streams of bytes, whatever they are called: files read, sockets receive. What works on either
// asks for a ByteSource, and talks to it through read_from().
#pragma once

#include <ringlet/task/task.hpp>

#include <cstddef>
#include <span>

namespace ringlet {

// Has read(span) or receive(span), an awaitable of how many bytes came; 0 at the end.
template <class S>
concept Reads = requires(S& source, std::span<std::byte> into) { source.read(into); };
template <class S>
concept Receives = requires(S& source, std::span<std::byte> into) { source.receive(into); };
template <class S>
concept ByteSource = Reads<S> || Receives<S>;

// The stream ended where more had to come. Says "it was closed".
inline constexpr Error unexpected_end{std::errc::no_message_available, RuntimeDetail::closed};

// What came, at most `into`, which must not be empty; 0 at the end. Errors, cancellation: the
// source's.
template <ByteSource S>
auto read_from(S& source, std::span<std::byte> into) {
    if constexpr (Receives<S>) {
        return source.receive(into);
    } else {
        return source.read(into);
    }
}

// Fills `into`, which the caller owns.
//
// Errors: the source's; unexpected_end if the stream ends before.
// Cancellation: any part may have been read: the stream's position is lost.
template <ByteSource S>
Task<void> read_exactly(S& source, std::span<std::byte> into) {
    while (!into.empty()) {
        const std::size_t count = co_await read_from(source, into);
        if (count == 0) co_await fail(unexpected_end);
        into = into.subspan(count);
    }
}

}  // namespace ringlet
