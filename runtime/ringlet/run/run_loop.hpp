// RunLoop: one run, from its first step to nothing left in flight.
//
//   1 begin      signals become a descriptor, the log becomes buffered, the seal closes
//   2 run        the main task runs; SIGINT or SIGTERM cancels it and starts the stop limit
//   3 drain      closes and the log's last lines are waited for
//   4 end        the seal opens; frames, tasks, timers, operations, descriptors: all are zero
//
// A second stop signal, or the stop limit, ends the process by force, after the await tree.
#pragma once

#include <ringlet/run/log_writer.hpp>
#include <ringlet/task/await_tree.hpp>
#include <ringlet/task/scheduler.hpp>

#include <sys/signalfd.h>

namespace ringlet {

// Told with true when the first step is about to run, and with false after the last: between the
// two nothing allocates. Tests set a trap here. May be null.
using SealHandler = void (*)(bool sealed);
inline constinit SealHandler seal_handler = nullptr;

// What a run has used at most; to be read after it.
struct RunReport {
    HighWater high_water;
    FrameClassUse frames[frame_classes_max];
    unsigned frame_classes = 0;
    std::uint64_t oversized_frames = 0;
    bool completions_overflowed = false;
};

inline constexpr int exit_unavailable = 69;   // EX_UNAVAILABLE (sysexits.h): no io_uring
inline constexpr int exit_nested_run = 70;    // EX_SOFTWARE: run() inside run()
inline constexpr int exit_signal_base = 128;  // plus the signal's number

// Logs the await tree of the run on this thread, line by line, as information.
void log_await_tree();

class RunLoop {
public:
    RunLoop(const Limits& limits, FramePool& frames, Ring& ring, System& system);
    ~RunLoop();
    RunLoop(const RunLoop&) = delete;
    RunLoop& operator=(const RunLoop&) = delete;

    // The owner of the main block.
    Pending& owner() { return main_; }

    // Runs the main block, whose frame is in place, to its end, and drains.
    void run(TaskBlock& main);

    // The exit status of a run whose main block ended without a value: logs an error.
    int status(const TaskBlock& main);
    // The signal that stopped the run, or 0.
    int stop_signal() const { return stop_signal_; }
    RunReport report() const;

    TaskBlock* main_block() { return main_block_; }

private:
    // The end of the main block.
    struct Main : Pending {
        Main() : Pending(hooks, nullptr) {}
        static void ended(Pending& pending, TaskBlock&) { static_cast<Main&>(pending).over = true; }
        static constexpr PendingHooks hooks{
            .reason = "main", .catches = false, .cancel = nullptr, .child_ended = ended};
        bool over = false;
    };
    // Reads the signals' descriptor, again and again.
    struct SignalReader : Operation {
        explicit SignalReader(RunLoop& whose) : Operation(hooks, nullptr), loop(whose) {}
        static void prepare(Operation& operation, io_uring_sqe& sqe);
        static void completed(Operation& operation, std::uint32_t flags);
        static const OperationHooks hooks;
        RunLoop& loop;
        int descriptor = -1;
        signalfd_siginfo info{};
    };
    // The stop limit.
    struct StopTimer : Timer {
        explicit StopTimer(RunLoop& whose) : Timer(hooks, nullptr), loop(whose) {}
        static void expire(Pending& pending);
        static constexpr PendingHooks hooks{
            .reason = "stop limit", .catches = false, .cancel = nullptr, .expire = expire};
        RunLoop& loop;
    };

    void begin();
    void drain();
    void open_signals();
    void close_signals();
    void signal_came(int number);
    [[noreturn]] void end_by_force(const char* why);
    void arm_stop_limit(Nanoseconds span);
    Nanoseconds stop_limit() const;

    Scheduler scheduler_;
    LogWriter log_writer_;
    Main main_;
    SignalReader signals_;
    StopTimer stop_timer_;
    FramePool& frames_;
    TaskBlock* main_block_ = nullptr;
    int stop_signal_ = 0;
    std::uint64_t log_seen_ = 0;  // what the log had written when the limit was armed last
    Instant log_deadline_ = never;
    bool log_is_late_ = false;
};

}  // namespace ringlet
