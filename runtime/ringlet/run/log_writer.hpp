// LogWriter: carries the log's bytes to standard error, one write in flight, without waiting.
#pragma once

#include <ringlet/task/operations.hpp>
#include <ringlet/task/scheduler.hpp>

namespace ringlet {

class LogWriter : public Operation {
public:
    // From here to its end the log is buffered. `scheduler` outlives it.
    explicit LogWriter(Scheduler& scheduler);
    ~LogWriter();

    // Starts a write if there is something to write and none is in flight.
    void pump();
    // Nothing is pending or in flight.
    bool is_done() const;
    // Gives up: cancels the write in flight, and detaches; what is pending is then written at once.
    void abandon();

private:
    static void prepare(Operation& operation, io_uring_sqe& sqe);
    static void completed(Operation& operation, std::uint32_t flags);
    static const OperationHooks hooks_;

    Scheduler& scheduler_;
    bool broken_ = false;  // standard error cannot be written: bytes are thrown away
};

}  // namespace ringlet
