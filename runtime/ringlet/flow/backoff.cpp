// Doubling that cannot overflow, and a draw.
#include <ringlet/flow/backoff.hpp>

#include <ringlet/task/scheduler.hpp>

#include <algorithm>
#include <span>

namespace ringlet {

Nanoseconds doubled(Nanoseconds first, unsigned times, Nanoseconds most) {
    RINGLET_ASSERT(first.count() >= 0 && most.count() >= 0);
    constexpr unsigned bits = 63;
    if (first.count() == 0) return first;
    // first << times is more than most, or would not even fit.
    if (times >= bits || first.count() > most.count() >> times) return most;
    return Nanoseconds(first.count() << times);
}

Nanoseconds drawn_up_to(Nanoseconds most) {
    RINGLET_ASSERT(most.count() >= 0);
    std::uint64_t drawn = 0;
    scheduler().system().random(std::as_writable_bytes(std::span(&drawn, 1)));
    // The bias of the remainder does not matter: spans are far below 2^64 nanoseconds.
    const std::uint64_t spans = static_cast<std::uint64_t>(most.count()) + 1;
    return Nanoseconds(static_cast<Instant>(drawn % spans));
}

}  // namespace ringlet
