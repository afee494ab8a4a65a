// KernelRing: Ring on io_uring through liburing, for Linux 6.1 and newer.
//
// One path, no ladder: SINGLE_ISSUER | DEFER_TASKRUN, so completions are processed only when this
// thread enters the kernel. An older kernel, one that denies io_uring, and one whose io_uring does
// not pass the self-test are refused by open().
#pragma once

#include <ringlet/ring/ring.hpp>
#include <ringlet/ring/self_test.hpp>

#include <array>

namespace ringlet {

class KernelRing final : public Ring {
public:
    KernelRing() = default;
    ~KernelRing();

    // Sets the ring up on the calling thread, which must be the one that uses it, bounds the
    // kernel's worker threads, and lets the ring pass its self-test. Nothing stays open after an
    // error: RuntimeDetail::old_kernel, ring_denied, ring_memory, one of Domain::self_test, or the
    // kernel's own; refusal() words them with cause and remedy.
    // Source: io_uring_setup(2), io_uring_register_iowq_max_workers(3).
    Result<void> open(RingSize size, unsigned bounded_workers, unsigned unbounded_workers);

    // What came of each step in open(), also if it failed.
    const SelfTestReport& self_test() const { return self_test_; }

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
    Result<void> prove(unsigned bounded_workers, unsigned unbounded_workers);

    io_uring ring_{};
    bool open_ = false;    // after it was proved
    int entry_error_ = 0;  // that enter() met before
    std::uint64_t entries_ = 0;
    SelfTestReport self_test_{};
};

// What refusal(error) gives: words in an object of its own.
class Refusal {
public:
    const char* c_str() const { return words_.data(); }

private:
    friend Refusal refusal(Error error);
    std::array<char, 256> words_{};
};

// One sentence: why open() was refused, and the remedy.
Refusal refusal(Error error);

}  // namespace ringlet
