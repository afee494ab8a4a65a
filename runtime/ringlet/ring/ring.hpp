// Ring: the seam to io_uring. It hands out SQEs, enters the kernel once a turn, yields completions.
//
// Everything above fills real `io_uring_sqe`s, so that each operation is written once and runs
// unchanged on the kernel's ring and on a simulated one. Whoever implements a Ring keeps the
// kernel's rules (io_uring_enter(2)): SQEs start in order; each ends with one completion, unless it
// asked for CQE_SKIP_SUCCESS or for more; completions come in any order.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/error.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet {

// A copied CQE: the scheduler never runs user code while it walks the queue.
struct Completion {
    std::uint64_t user_data;
    std::int32_t result;  // >= 0, or -errno
    std::uint32_t flags;  // IORING_CQE_F_*
};

// What a ring must have room for.
struct RingSize {
    unsigned submissions;  // SQEs prepared between two entries; more cost an extra system call
    unsigned completions;  // everything that can complete at once; the CQ never overflows
};

class Ring {
public:
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // A zeroed SQE. What was handed out is submitted at the next enter(), so the caller must fill
    // it before. Submits by itself when the queue is full, so it never fails.
    virtual io_uring_sqe& next_sqe() = 0;

    // SQEs handed out since the last enter().
    virtual unsigned unsubmitted() const = 0;

    enum class Wait : std::uint8_t { no, for_one };

    // Submits what was handed out and lets completions in. With Wait::for_one it blocks until there
    // is at least one completion, `timeout` has passed (Nanoseconds::max(): no time limit), or a
    // signal came. Returns early, with SQEs still unsubmitted, when the kernel is short of memory.
    virtual void enter(Wait wait, Nanoseconds timeout) = 0;

    // Moves completions out, oldest first; fewer than `out` holds means that there are no more.
    virtual std::size_t reap(std::span<Completion> out) = 0;

    // True if completions were ever lost or parked for lack of room: the credits were wrong.
    virtual bool overflowed() const = 0;

    // Provided buffers (io_uring_register_buf_ring(3)): `entries` is a power of two, `ring` its
    // page-aligned array, which the kernel reads from now on.
    virtual Result<void> register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                              unsigned short group) = 0;
    virtual Result<void> unregister_buffer_ring(unsigned short group) = 0;

protected:
    ~Ring() = default;
};

}  // namespace ringlet
