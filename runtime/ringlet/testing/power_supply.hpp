// PowerSupply: whether the board has power, and the operation on the disk before which it fails.
#pragma once

#include <ringlet/base/panic.hpp>
#include <ringlet/testing/power_loss.hpp>

#include <cstdint>

namespace ringlet::testing {

class PowerSupply {
public:
    bool is_on() const { return is_on_; }
    void restore() { is_on_ = true; }
    void cut() {
        is_on_ = false;
        cut_before_ = 0;
    }

    // 1: the next operation.
    void plan_cut(std::uint64_t nth, const PowerLoss& loss) {
        RINGLET_ASSERT(is_on_ && nth > 0);
        cut_before_ = operations_ + nth;
        loss_ = loss;
    }

    // Called before each operation. True if the power fails now: then it is not done.
    bool fails_now() {
        if (!is_on_) return false;
        ++operations_;
        return operations_ == cut_before_;
    }
    const PowerLoss& loss() const { return loss_; }

    // So far, while there was power.
    std::uint64_t operations() const { return operations_; }

private:
    bool is_on_ = true;
    std::uint64_t operations_ = 0;
    std::uint64_t cut_before_ = 0;  // 0: never
    PowerLoss loss_;
};

}  // namespace ringlet::testing
