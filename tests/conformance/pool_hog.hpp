// PoolHog: takes every free slot of the frame pool, but a few, so that a test sees what happens
// when there is no memory.
#pragma once

#include <ringlet/task/scheduler.hpp>

#include <array>
#include <new>

namespace ringlet::support {

class PoolHog {
public:
    // Leaves `spare` slots free in each size class.
    explicit PoolHog(unsigned spare = 0) {
        FramePool& pool = scheduler().frames();
        for (unsigned i = 0; i < pool.classes(); ++i) {
            const unsigned bytes = pool.use(i).bytes;
            while (void* slot = pool.allocate(bytes)) taken_[i] = ::new (slot) Slot{taken_[i]};
            for (unsigned n = 0; n < spare; ++n) give_back(i);
        }
    }
    PoolHog(const PoolHog&) = delete;
    PoolHog& operator=(const PoolHog&) = delete;
    ~PoolHog() {
        for (unsigned i = 0; i < taken_.size(); ++i) {
            while (give_back(i)) {}
        }
    }

    bool give_back(unsigned index) {
        Slot* const slot = taken_[index];
        if (slot == nullptr) return false;
        taken_[index] = slot->next;
        FramePool& pool = scheduler().frames();
        pool.release(slot, pool.use(index).bytes);
        return true;
    }

private:
    struct Slot {
        Slot* next;
    };
    std::array<Slot*, frame_classes_max> taken_{};
};

// Few slots, so that taking them all is quick.
inline constexpr Limits scarce_limits{
    .tasks = 16,
    .operations = 8,
    .descriptors = 8,
    .frames = {{128, 24}, {256, 24}, {512, 24}, {1024, 24}, {8192, 8}}};

}  // namespace ringlet::support
