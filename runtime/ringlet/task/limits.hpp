// Limits: every bound of a runtime, fixed when the program is built.
#pragma once

#include <ringlet/ring/workers.hpp>
#include <ringlet/task/frame_size.hpp>

#include <cstddef>

namespace ringlet {

// A size class of the FramePool: `count` slots of `bytes` each.
struct FrameClass {
    unsigned bytes = 0;  // a multiple of 16
    unsigned count = 0;
};

inline constexpr unsigned frame_classes_max = 8;

// The runtime's own operations: the signals, the log, a waker, the boot-time alarm.
inline constexpr unsigned internal_operations = 4;

// What a thread needs to begin at all (PTHREAD_STACK_MIN), a guard page, and a little to work with,
// where pages have 4 KiB. Where a thread needs more, its stack is larger: worker_stacks_bytes().
inline constexpr unsigned worker_stack_bytes_min = 32'768;

// IORING_MAX_CQ_ENTRIES of the kernel.
inline constexpr unsigned completions_max = 65536;

// The defaults suit a desktop program of some dozen tasks; firmware names its own.
struct Limits {
    unsigned tasks = 128;  // spawned tasks alive at once
    // Kernel operations in flight; more wait in line. Fewer than there are tasks that wait for one
    // another through the kernel (a reader, its writer) is a deadlock: docs/memory.md, Operations.
    unsigned operations = 128;
    unsigned descriptors = 128;  // open at once, those being closed included
    // Buffers of the pools that ReceiveStreams use, all pools together: each may be a completion.
    unsigned multishot_buffers = 64;
    // Coroutine frames, and the blocks of spawned tasks, timeouts, groups and branches.
    FrameClass frames[frame_classes_max] = {{64, 128},  {128, 384}, {192, 256}, {256, 160},
                                            {512, 64}, {1024, 32}, {2048, 8},  {8192, 2}};

    unsigned inline_awaits = 128;    // awaits ready at once before a task lets the others run
    unsigned bounded_workers = 2;    // kernel threads for files (io-wq's bounded class)
    unsigned unbounded_workers = 4;  // kernel threads for character devices and the like
    // Threads for offload(), each with a stack in the runtime. None unless asked for, so that a
    // program without blocking calls has one thread and pays for one.
    unsigned workers = 0;
    unsigned worker_stack_bytes = 65'536;  // of each; a multiple of 4096
    unsigned worker_jobs = 64;  // not ended; with more, try_offload() is refused
    // Callables that wait in the mailbox, of up to so many bytes each. None unless asked for: a
    // program that others can post to is never known to be deadlocked.
    unsigned posts = 0;
    unsigned post_bytes = 48;
    unsigned stop_limit_ms = 10'000;  // from the stop signal until the process is ended by force
    int await_tree_signal = 10;  // SIGUSR1 logs the await tree; 0: no signal does
    bool lock_memory = false;  // before the first step: touch all storage, then mlockall(2)

    constexpr std::size_t frame_storage_bytes() const {
        std::size_t sum = 0;
        for (const FrameClass& each : frames) sum += std::size_t{each.bytes} * each.count;
        return sum;
    }

    constexpr unsigned largest_frame_class() const {
        unsigned largest = 0;
        for (const FrameClass& each : frames) {
            if (each.count > 0 && each.bytes > largest) largest = each.bytes;
        }
        return largest;
    }

    // True if each frame of the program's own has a class. A build that lowered frame_bytes_max
    // counts on it. The default bound promises nothing: it is all that a class can have, and who
    // has smaller classes only should not pay for one of 8 KiB.
    constexpr bool hold_frames_up_to(unsigned bound) const {
        return bound == frame_class_bytes_max || largest_frame_class() >= bound;
    }

    // What the completion queue has room for: each operation and the cancel of each, closes, and
    // the buffers of multishot receives.
    constexpr unsigned completions() const {
        return 2 * (operations + internal_operations) + descriptors + multishot_buffers;
    }

    // True if the bounds fit together; Runtime<limits> asserts it at compile time.
    [[gnu::cold]] constexpr bool are_valid() const {
        unsigned previous = 0;
        bool ended = false;
        for (const FrameClass& each : frames) {
            if (each.count == 0) {
                ended = true;
                continue;
            }
            if (ended || each.bytes % 16 != 0 || each.bytes <= previous) return false;
            previous = each.bytes;
        }
        return previous != 0 && previous <= frame_class_bytes_max && tasks > 0 && operations > 0 &&
               descriptors > 0 && completions() <= completions_max && inline_awaits > 0 &&
               bounded_workers > 0 && unbounded_workers > 0 && workers_are_valid();
    }

    constexpr bool workers_are_valid() const {
        return workers <= workers_max && worker_stack_bytes >= worker_stack_bytes_min &&
               worker_stack_bytes % 4096 == 0 && worker_jobs > 0 && post_bytes > 0;
    }
};

}  // namespace ringlet
