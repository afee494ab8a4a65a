// Errors that a test ordered: the n-th operation of an opcode ends with them, and is not executed.
#pragma once

#include <ringlet/base/panic.hpp>

#include <array>

namespace ringlet::testing {

class FaultPlan {
public:
    // Counts from now on; nth is 1 for the next one. Orders for one operation queue up, so two
    // for the next one let the next two fail.
    void fail_nth(int opcode, unsigned nth, int number) {
        RINGLET_ASSERT(nth > 0 && number > 0);
        RINGLET_ASSERT(count_ < faults_.size());  // more faults at once than the plan has room for
        faults_[count_++] = {opcode, nth, number};
    }

    // Called once an operation: the errno that it must fail with, or 0.
    int take(int opcode) {
        int number = 0;
        unsigned kept = 0;
        for (unsigned i = 0; i < count_; ++i) {
            Fault fault = faults_[i];
            if (fault.opcode == opcode) {
                if (fault.nth > 1) {
                    --fault.nth;
                } else if (number == 0) {
                    number = fault.number;
                    continue;
                }
            }
            faults_[kept++] = fault;
        }
        count_ = kept;
        return number;
    }

private:
    struct Fault {
        int opcode;
        unsigned nth;
        int number;
    };
    std::array<Fault, 32> faults_{};
    unsigned count_ = 0;
};

}  // namespace ringlet::testing
