// Operation: what stands for one SQE from its await to its last CQE. Operations: the credits.
//
// The life of an operation:
//
//   1 start(): a credit is free -> the SQE is filled; else it joins the FIFO of waiters
//   2 a CQE comes               -> the credit goes to the first waiter; completed() wakes the task
//   3 cancel while in line      -> it leaves the line; the task is cancelled at once
//   4 cancel while in flight    -> ASYNC_CANCEL is submitted; the frame stays until its own CQE.
//                                  If that CQE is a success, the success wins.
//
// The CQ has room for all that can complete: each operation, a failing cancel for each, each close,
// each buffer that a multishot receive can fill, and the runtime's internal operations. So it
// cannot overflow.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/ring/ring.hpp>
#include <ringlet/task/limits.hpp>
#include <ringlet/task/task_block.hpp>

#include <algorithm>
#include <cstdint>

namespace ringlet {

class Operation;

struct OperationHooks : PendingHooks {
    // Fills a zeroed SQE, all but its user_data.
    void (*prepare)(Operation&, io_uring_sqe&) = nullptr;
    // A CQE has come: `result` stands in the operation. It is the last one, but for a multishot: of
    // that it is if the operation is idle now.
    void (*completed)(Operation&, std::uint32_t flags) = nullptr;
};

class Operation : public Pending, public ListLink<> {
public:
    Operation(const OperationHooks& kind, TaskBlock* waiter) : Pending(kind, waiter) {}
    // A frame never dies with an operation in flight.
    ~Operation() { RINGLET_ASSERT(state_ == State::idle); }

    // >= 0, or -errno.
    std::int32_t result() const { return result_; }
    bool is_idle() const { return state_ == State::idle; }
    bool cancel_was_requested() const { return cancel_requested_; }

private:
    friend class Operations;
    enum class State : std::uint8_t { idle, in_line, in_flight, internal };

    std::int32_t result_ = 0;
    std::uint16_t generation_ = 0;
    State state_ = State::idle;
    bool cancel_requested_ = false;
};

class Operations {
public:
    Operations(const Limits& limits, Ring& ring) : ring_(ring), limit_(limits.operations) {}
    ~Operations() { RINGLET_ASSERT(is_quiet()); }
    Operations(const Operations&) = delete;
    Operations& operator=(const Operations&) = delete;

    static constexpr RingSize ring_size(const Limits& limits) {
        constexpr unsigned submissions_max = 4096;
        const unsigned at_once = 2 * (limits.operations + internal_operations);
        return {.submissions = std::min(std::max(8u, at_once), submissions_max),
                .completions = limits.completions()};
    }
    // Whose SQE has this user_data; null if it is a close's or a cancel's.
    static Operation* operation_of(std::uint64_t user_data);

    // A user's operation: submitted in this turn if a credit is free, else in FIFO order.
    void start(Operation& operation);
    // One of the runtime's own: never waits for a credit.
    void start_internal(Operation& operation);
    // Asks an operation to end. In line: true, it has left the line and will not complete. In
    // flight: false, its CQE is still to come.
    bool cancel(Operation& operation);
    // IORING_OP_CLOSE in the background; `room` for it comes from Limits::descriptors.
    void close(int descriptor);

    // Takes in everything that has completed; user operations wake their tasks.
    // Returns the number of descriptors whose close has ended.
    unsigned reap();

    // Enters the kernel: see Ring.
    void enter(Ring::Wait wait, Nanoseconds timeout) {
        ring_.enter(wait, timeout);
        has_unsubmitted_ = ring_.unsubmitted() > 0;
    }
    // SQEs were prepared since the kernel was entered last.
    bool has_unsubmitted() const { return has_unsubmitted_; }

    unsigned in_flight() const { return in_flight_; }
    unsigned closing() const { return closing_; }
    unsigned in_flight_max() const { return in_flight_max_; }
    unsigned in_line() const { return in_line_; }
    bool is_quiet() const { return in_flight_ + internal_ + closing_ == 0 && line_.empty(); }

private:
    void submit(Operation& operation);
    io_uring_sqe& next_sqe();
    void prepare(Operation& operation);
    void complete(Operation& operation, const Completion& completion);
    void admit();

    Ring& ring_;
    unsigned limit_;
    unsigned in_flight_ = 0;
    unsigned in_flight_max_ = 0;
    unsigned internal_ = 0;
    unsigned closing_ = 0;
    unsigned in_line_ = 0;
    std::uint16_t generation_ = 0;
    bool has_unsubmitted_ = false;
    IntrusiveList<Operation> line_;
};

}  // namespace ringlet
