// poll: waits until a descriptor is ready, once.
#pragma once

#include <ringlet/task/awaiter.hpp>

#include <poll.h>

namespace ringlet {

class [[nodiscard]] Poll : public OperationOf<Poll, unsigned> {
public:
    static constexpr const char* reason = "poll";

    Poll(int descriptor, unsigned events) : descriptor_(descriptor), events_(events) {}
    void prepare(io_uring_sqe& sqe) const { ::io_uring_prep_poll_add(&sqe, descriptor_, events_); }
    unsigned value(int result) const { return static_cast<unsigned>(result); }

private:
    int descriptor_;
    unsigned events_;
};

// Waits until one of `events` (POLLIN, POLLOUT, ...) holds for a descriptor, and gives those that
// do, with POLLERR and POLLHUP, which need not be asked for. At once if one holds already. The
// descriptor stays the caller's, and open meanwhile.
//
// Errors: the kernel's, bad_file_descriptor above all.
// Cancellation: nothing is left behind; what made the descriptor ready is still there.
// Source: poll(2), io_uring_prep_poll_add(3).
inline Poll poll(int descriptor, unsigned events) {
    return Poll(descriptor, events);
}

}  // namespace ringlet
