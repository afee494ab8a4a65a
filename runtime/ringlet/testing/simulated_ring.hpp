// SimulatedRing: Ring on a simulated World.
//
//              admitted                 done, no latency
//   SQE ──1──> attempted ──────────────────────────────2──> ready ──5──> completion queue
//                │   ^                                        ^
//        blocked 3   │ tried again, oldest first,             │ 4 its time has come
//                v   │ whenever something changed             │
//              parked            done ───────────────────> late
//
//   1 in order of submission, at enter()
//   2 done at once; 3 it would block; 4 its latency has passed, and time came to `due`
//   5 at the end of enter(), in the order of submission, or as the seed draws it
//
// A multishot receive stays parked; each of its completions is a request of its own, which takes
// the way from "done". It ends without IORING_CQE_F_MORE: at the stream's end, with an error, by a
// cancel, and when the completion queue is full.
//
// An operation is executed when it can be, and only its completion is late. So a cancel that finds
// it late is answered -EALREADY, and the operation ends with what it did. CONNECT alone is executed
// when its latency has passed, as a handshake is: it can be cancelled meanwhile.
//
// SimulationOptions::faults makes operations fail before 1, cancels come late, completions be held
// back, and enter() leave SQEs unsubmitted.
//
// Time passes only in enter(Wait::for_one) with nothing to hand over: it jumps to what happens
// next.
#pragma once

#include <ringlet/ring/ring.hpp>
#include <ringlet/testing/operations.hpp>
#include <ringlet/testing/trace.hpp>

#include <vector>

namespace ringlet::testing {

class SimulatedRing final : public Ring {
public:
    // In flight there may be twice as many operations as completions, plus the submissions; one
    // more panics, since the credits above the ring must have been wrong for long.
    SimulatedRing(World& world, RingSize size);
    ~SimulatedRing();

    io_uring_sqe& next_sqe() override;
    unsigned unsubmitted() const override { return submissions_count_; }
    void enter(Wait wait, Nanoseconds timeout) override;
    std::size_t reap(std::span<Completion> out) override;
    bool overflowed() const override { return overflowed_; }
    Result<void> register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                      unsigned short group) override;
    Result<void> unregister_buffer_ring(unsigned short group) override;

    // Calls of enter() so far.
    std::uint64_t entries() const { return entries_; }
    // Operations whose completion was not posted yet.
    unsigned in_flight() const { return in_flight_; }
    // A hash of all completions so far: submission number, result, flags and virtual time of each.
    // Two runs with the same seed have the same trace. World::trace_to() gives it as text.
    std::uint64_t trace() const { return trace_.hash(); }

private:
    void submit(unsigned count);
    void start(const io_uring_sqe& sqe);
    Request& take_request(const io_uring_sqe& sqe);
    bool meet_fault(Request& request);
    bool lets_bytes_gather();
    bool try_once(Request& request);
    bool shoot(Request& request, int result);
    void settle();
    void finish(Request& request, int result);
    void make_ready(Request& request);
    void wait(Instant limit);
    Instant next_change() const;
    void pass_time(Instant now);
    void end_what_was_cancelled_late();
    Nanoseconds draw_span();
    bool is_held_back(const Request& request, int result);

    int cancel(const io_uring_sqe& sqe);
    int cancel_parked(const io_uring_sqe& sqe, const Object* object, bool& found_late);
    int count_late(const io_uring_sqe& sqe, const Object* object) const;
    bool comes_too_late(Request& request);
    void cancel_one(Request& request, int result);
    bool is_target(const Request& request, const io_uring_sqe& sqe, const Object* object) const;

    void flush();
    Request& choose_ready();
    void post(Request& request);

    World& world_;
    BufferGroups buffers_;
    Operations operations_;

    std::vector<io_uring_sqe> submissions_;
    unsigned submissions_count_ = 0;
    std::vector<Completion> completions_;  // a ring of its size
    unsigned completions_head_ = 0;
    unsigned completions_count_ = 0;
    bool overflowed_ = false;

    std::vector<Request> requests_;
    IntrusiveList<Request> free_;
    IntrusiveList<Request> parked_;  // oldest first
    IntrusiveList<Request> late_;
    IntrusiveList<Request> ready_;
    unsigned ready_count_ = 0;
    unsigned in_flight_ = 0;
    std::uint64_t submitted_ = 0;
    std::uint64_t entries_ = 0;
    Trace trace_;
};

}  // namespace ringlet::testing
