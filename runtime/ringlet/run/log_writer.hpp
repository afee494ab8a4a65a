// LogWriter: carries the log's bytes to standard error, one write in flight, without waiting.
#pragma once

#include <ringlet/task/operations.hpp>
#include <ringlet/task/scheduler.hpp>

#include <cstdint>

namespace ringlet {

class LogWriter : public Operation {
public:
    // From here to its end the log is buffered. `scheduler` outlives it.
    explicit LogWriter(Scheduler& scheduler);
    ~LogWriter();

    // Starts a write if there is something to write and none is in flight.
    void pump();
    // Gives up: cancels the write in flight, and throws away what is pending.
    void abandon();
    // Bytes written so far.
    std::uint64_t written() const { return written_; }

private:
    static void prepare(Operation& operation, io_uring_sqe& sqe);
    static void completed(Operation& operation, std::uint32_t flags);
    static const OperationHooks hooks_;

    Scheduler& scheduler_;
    std::uint64_t written_ = 0;
    std::size_t asked_ = 0;   // of the write in flight
    bool was_short_ = false;  // a write took less: the file's position is not to be trusted
    bool polls_ = false;   // waits for room first: a non-blocking standard error was full
    bool broken_ = false;  // standard error cannot be written: bytes are thrown away
};

}  // namespace ringlet
