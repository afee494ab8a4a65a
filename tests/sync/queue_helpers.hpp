// What the cases of Queue share.
#pragma once

#include <ringlet/sync/queue.hpp>

#include "helpers.hpp"

namespace ringlet::support {

template <std::size_t N>
Task<void> get_one(Queue<int, N>& queue, Trace& trace) {
    const auto item = co_await queue.get();
    item ? trace.add_digit(static_cast<std::size_t>(*item)) : trace.add('-');
}

template <std::size_t N>
Task<void> put_one(Queue<int, N>& queue, int item) {
    co_await queue.put(item);
}

template <std::size_t N>
void drain(Queue<int, N>& queue, Trace& trace) {
    while (const auto item = queue.try_get()) trace.add_digit(static_cast<std::size_t>(*item));
}

}  // namespace ringlet::support
