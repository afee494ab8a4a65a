// Waker: how other threads wake the loop, with at most one system call for all that they have done
// since it last looked.
//
//   told = false --1 tell(): writes the eventfd--> told = true --2 tell(): nothing more to do
//        ^                                               |
//        +--------------3 was_told(): the loop looks-----+
//
// Who has something for the loop puts it where the loop finds it, and then tells. The loop takes
// the flag down first and then looks, so nothing is overlooked.
#pragma once

#include <ringlet/task/scheduler.hpp>

#include <atomic>
#include <cstdint>

namespace ringlet {

class Waker : public Operation {
public:
    explicit Waker(Scheduler& scheduler);
    ~Waker();

    // Errors: eventfd(2)'s.
    Result<void> open();
    bool is_open() const { return descriptor_ >= 0; }
    // From here to stop(), tell() ends a wait of the loop.
    void start();
    void stop();

    // From any thread, while it is open.
    void tell() {
        if (told_.exchange(true, std::memory_order_acq_rel)) return;
        calls_.fetch_add(1, std::memory_order_relaxed);
        system_.wake(descriptor_);
    }
    // On the loop's thread: true once after each tell(), or after several.
    bool was_told() {
        return told_.load(std::memory_order_relaxed) &&
               told_.exchange(false, std::memory_order_acq_rel);
    }

    // System calls made by tell().
    std::uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }

private:
    static void prepare(Operation& operation, io_uring_sqe& sqe);
    static void completed(Operation& operation, std::uint32_t flags);
    static const OperationHooks hooks_;

    Operations& operations_;
    System& system_;
    int descriptor_ = -1;
    bool stopping_ = false;
    std::uint64_t count_ = 0;  // what the read leaves; nobody needs it
    std::atomic<bool> told_ = false;
    std::atomic<std::size_t> calls_ = 0;
};

}  // namespace ringlet
