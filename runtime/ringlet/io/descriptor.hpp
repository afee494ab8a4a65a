// Descriptor: the owner of a file descriptor.
#pragma once

#include <ringlet/task/scheduler.hpp>

#include <utility>

namespace ringlet {

// Holds one of Limits::descriptors. Its destructor hands the descriptor to the background closer,
// so it must die inside run(). Move-only.
class Descriptor {
public:
    Descriptor() = default;
    // Takes over a descriptor whose place was reserved (Scheduler::reserve_descriptor).
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (!is_open()) return;
        RINGLET_ASSERT(current_scheduler != nullptr);  // nothing that is open outlives run()
        scheduler().close_later(number_);
    }

    bool is_open() const { return number_ >= 0; }
    // The number, or -1.
    int get() const { return number_; }
    // Gives it away, with its reservation.
    int release() { return std::exchange(number_, -1); }

private:
    int number_ = -1;
};

}  // namespace ringlet
