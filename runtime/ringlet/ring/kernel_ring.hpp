// KernelRing: Ring on io_uring through liburing, for Linux 6.1 and newer.
//
// One path, no ladder: SINGLE_ISSUER | DEFER_TASKRUN, so completions are processed only when this
// thread enters the kernel. An older kernel, or one that denies io_uring, is refused by open().
#pragma once

#include <ringlet/ring/ring.hpp>

namespace ringlet {

class KernelRing final : public Ring {
public:
    KernelRing() = default;
    ~KernelRing();

    // Sets the ring up on the calling thread, which must be the one that uses it, and bounds the
    // kernel's worker threads. Errors: RuntimeDetail::old_kernel, ring_denied, ring_memory, or the
    // kernel's own; refusal() words them with cause and remedy.
    // Source: io_uring_setup(2), io_uring_register_iowq_max_workers(3).
    Result<void> open(RingSize size, unsigned bounded_workers, unsigned unbounded_workers);

    io_uring_sqe& next_sqe() override;
    unsigned unsubmitted() const override;
    void enter(Wait wait, Nanoseconds timeout) override;
    std::size_t reap(std::span<Completion> out) override;
    bool overflowed() const override;
    Result<void> register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                      unsigned short group) override;
    Result<void> unregister_buffer_ring(unsigned short group) override;

    // System calls made so far by enter() and next_sqe().
    std::uint64_t entries() const { return entries_; }

private:
    io_uring ring_{};
    bool open_ = false;
    std::uint64_t entries_ = 0;
};

// One sentence: why open() was refused, and the remedy.
const char* refusal(Error error);

}  // namespace ringlet
