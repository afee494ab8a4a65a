// BoottimeAlarm: wakes the loop at a boot-time deadline that passes while the board is suspended.
//
// The loop's wait has a time limit on the monotonic clock, which stands still in a suspension. So
// the earliest boot-time deadline stands as IORING_OP_TIMEOUT in the kernel, too, which looks at it
// when the board wakes. It wakes no board by itself. Too early an alarm is harmless.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/task/operations.hpp>

#include <cerrno>

namespace ringlet {

class BoottimeAlarm : public Operation {
public:
    BoottimeAlarm() : Operation(hooks_, nullptr) {}

    // Before a wait: sees to it that the alarm comes no later than `deadline`; `never`: need not.
    void set(Operations& operations, Instant deadline) {
        if (deadline == never || refused_) return;
        if (is_idle()) {
            at_ = deadline;
            operations.start_internal(*this);
        } else if (deadline < at_) {
            operations.cancel(*this);  // the turn after its completion sets it anew
        }
    }
    void stop(Operations& operations) {
        if (!is_idle()) operations.cancel(*this);
    }

private:
    static void prepare(Operation& operation, io_uring_sqe& sqe) {
        auto& self = static_cast<BoottimeAlarm&>(operation);
        self.time_ = {.tv_sec = self.at_ / 1'000'000'000, .tv_nsec = self.at_ % 1'000'000'000};
        ::io_uring_prep_timeout(&sqe, &self.time_, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME);
    }
    static void completed(Operation& operation, std::uint32_t) {
        auto& self = static_cast<BoottimeAlarm&>(operation);
        // Without it, boot-time deadlines still come, but late after a suspension.
        self.refused_ = self.result() == -EINVAL || self.result() == -EOPNOTSUPP;
    }
    static constexpr OperationHooks hooks_{
        {.reason = "boot-time alarm", .catches = false, .cancel = [](Pending&) {}},
        prepare,
        completed};

    Instant at_ = 0;
    __kernel_timespec time_{};
    bool refused_ = false;
};

}  // namespace ringlet
