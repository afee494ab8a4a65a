// RunLoop: one run, from its first step to nothing left in flight.
//
//   1 prepare    memory is locked, the workers' threads are started
//   2 begin      signals become a descriptor, the log becomes buffered, the seal closes
//   3 run        the main task runs; SIGINT or SIGTERM cancels it and starts the stop limit
//   4 abandoned  jobs that nobody waits for any more are waited for; posts are refused
//   5 drain      closes and the log's last lines are waited for
//   6 end        the seal opens; frames, tasks, timers, operations, descriptors, threads: all are 0
//
// A second stop signal, or the stop limit, ends the process by force, after the await tree.
#pragma once

#include <ringlet/base/seal.hpp>
#include <ringlet/run/log_writer.hpp>
#include <ringlet/run/report.hpp>
#include <ringlet/task/await_tree.hpp>
#include <ringlet/task/scheduler.hpp>
#include <ringlet/work/mailbox.hpp>
#include <ringlet/work/worker_pool.hpp>

#include <sys/signalfd.h>

#include <atomic>

namespace ringlet {

// The right to be the one run of the process: signals and the log are one run's at a time.
class RunClaim {
public:
    RunClaim() : is_held_(!taken_.exchange(true)) {}
    ~RunClaim() {
        if (is_held_) taken_.store(false);
    }
    RunClaim(const RunClaim&) = delete;
    RunClaim& operator=(const RunClaim&) = delete;

    // False if there is a run already, on this thread or another.
    bool is_held() const { return is_held_; }

private:
    static inline constinit std::atomic<bool> taken_ = false;
    const bool is_held_;
};

// What a runtime lends to a run, besides its frames.
struct RunStorage {
    Mailbox& mailbox;
    std::span<std::byte> posts;   // Mailbox::storage_bytes()
    std::span<std::byte> stacks;  // worker_stacks_bytes()
};

inline constexpr int exit_unavailable = 69;   // EX_UNAVAILABLE (sysexits.h): it cannot begin
inline constexpr int exit_nested_run = 70;    // EX_SOFTWARE: run() inside run()
inline constexpr int exit_signal_base = 128;  // plus the signal's number

// Logs the await tree of the run on this thread, line by line, as information.
void log_await_tree();
// Gives it to `sink`, each line with its newline.
void print_await_tree(void (*sink)(std::string_view line, void* context), void* context);

// Stops the run on this thread as the signal does, for a simulation that cannot go on. Not from a
// coroutine.
void stop_run(int signal);
// Whether it was told to stop, by whatever signal.
bool run_is_stopping();

class RunLoop {
public:
    RunLoop(const Limits& limits, FramePool& frames, Ring& ring, System& system,
            const RunStorage& storage);
    ~RunLoop();
    RunLoop(const RunLoop&) = delete;
    RunLoop& operator=(const RunLoop&) = delete;

    // The owner of the main block.
    Pending& owner() { return main_; }

    // Takes from the system what the limits ask for. What it cannot have, it logs in a sentence
    // with the remedy; then there must be no run.
    Result<void> prepare();

    // Runs the main block, whose frame is in place, to its end, and drains.
    void run(TaskBlock& main);

    // The exit status of a run whose main block ended without a value: logs an error.
    int status(const TaskBlock& main);
    // The signal that stopped the run, or 0.
    int stop_signal() const { return stop_signal_; }
    RunReport report() const;

    // Logs the await tree, line by line.
    void log_tree();
    void print_tree(void (*sink)(std::string_view line, void* context), void* context);

    void signal_came(int number);

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
    // The pause after which the signals are read anew, where the kernel could not.
    struct SignalPause : Timer {
        explicit SignalPause(RunLoop& whose) : Timer(hooks, nullptr), loop(whose) {}
        static void expire(Pending& pending);
        static constexpr PendingHooks hooks{
            .reason = "signals", .catches = false, .cancel = nullptr, .expire = expire};
        RunLoop& loop;
    };
    // The stop limit.
    struct StopTimer : Timer {
        explicit StopTimer(RunLoop& whose) : Timer(hooks, nullptr), loop(whose) {}
        static void expire(Pending& pending);
        static constexpr PendingHooks hooks{
            .reason = "stop limit", .catches = false, .cancel = nullptr, .expire = expire};
        RunLoop& loop;
    };

    Result<void> lock_memory();
    Result<void> start_workers();
    bool has_outside() const { return scheduler_.limits().workers + scheduler_.limits().posts > 0; }
    void begin();
    void send_out();
    void take_in();
    void warn_of_deadlock();
    void wait_for_abandoned();
    void drain();
    void open_signals();
    void close_signals();
    [[noreturn]] void end_by_force(const char* why);
    void arm_stop_limit(Nanoseconds span);
    Nanoseconds stop_limit() const;

    Scheduler scheduler_;
    LogWriter log_writer_;
    Waker waker_;
    WorkerPool workers_;
    RunStorage storage_;
    Main main_;
    SignalReader signals_;
    SignalPause signal_pause_;
    StopTimer stop_timer_;
    FramePool& frames_;
    TaskBlock* main_block_ = nullptr;
    int stop_signal_ = 0;
    bool told_twice_ = false;  // to stop: this turn is its last
    std::uint64_t log_seen_ = 0;  // what the log had written when the limit was armed last
    Instant log_deadline_ = never;
    bool log_is_late_ = false;
};

}  // namespace ringlet
