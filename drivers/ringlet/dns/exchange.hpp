// One question to one server, and its answer.
//
//   1 over UDP, from a fresh socket, so that the kernel chooses the port
//   2 what comes from elsewhere, or does not match the question, is ignored: a late answer to
//     somebody else, or a forged one
//   3 if the answer says that it was cut off, once more over TCP
//
// There is no limit on the time here: see Resolver.
#pragma once

#include <ringlet/dns/message.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace ringlet::dns {

// The room that one question needs while it is on its way.
struct QuerySlot {
    static constexpr std::size_t prefix_bytes = 2;  // of a message over TCP: its length

    // The prefix, then the question.
    std::array<std::byte, prefix_bytes + question_bytes_max> sent{};
    std::size_t question_bytes = 0;
    std::span<std::byte> received{};
    QuerySlot* next_free = nullptr;

    std::span<std::byte> question() {
        return std::span(sent).subspan(prefix_bytes, question_bytes);
    }
};

// Sends the slot's question, and gives the answer, which answers() it; a part of slot.received.
// Both outlive the await.
//
// Errors: the kernel's; too_long; malformed if what came over TCP is no answer; unexpected_end.
// Cancellation: nothing is left behind; the sockets are closed in the background.
Task<std::span<std::byte>> exchange(const SocketAddress& server, QuerySlot& slot);

}  // namespace ringlet::dns
