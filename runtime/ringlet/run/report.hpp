// RunReport: what a run has used at most of each bound. docs/budget.md tells of the written form.
#pragma once

#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/task/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet {

// To be read after the run.
struct RunReport {
    HighWater high_water;
    FrameClassUse frames[frame_classes_max];
    unsigned frame_classes = 0;
    std::uint64_t oversized_frames = 0;
    bool completions_overflowed = false;
    int stop_signal = 0;               // that stopped it, or 0
    std::uint64_t worker_wakes = 0;    // at most one system call each: jobs came
    std::uint64_t loop_wakes = 0;      // one system call each: jobs ended, or posts came

    // Only where Runtime::measure_stacks() or RINGLET_REPORT asks for them; else 0.
    std::size_t stack_bytes = 0;         // that the loop used of its thread's stack, below run()
    std::size_t stack_bytes_seen = 0;    // how far that was looked at; the main thread's only
    std::size_t worker_stack_bytes = 0;  // of the worker's that used most, in all runs so far
};

// The value of the environment variable RINGLET_REPORT: a file that reports are appended to, or "-"
// for standard error. Null if there is none, or if the program has rights that its user has not.
const char* requested_report();

// Appends one line of JSON. An error is logged.
void write_report(KernelSystem& system, const char* where, const Limits& limits,
                  const RunReport& report);

// The part of `count` equal stacks that was used by the one that used most: they began as zeros.
std::size_t deepest_use(std::span<const std::byte> stacks, unsigned count);

}  // namespace ringlet
