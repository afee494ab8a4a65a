// Scheduler: one thread's loop. It owns the ready list, the timers, the frames and the operations.
//
// One turn: run what is ready, submit everything that was prepared and wait in one system call,
// copy the completions out, then look at the timers. User code runs only from the ready list.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/timer_queue.hpp>
#include <ringlet/ring/ring.hpp>
#include <ringlet/ring/system.hpp>
#include <ringlet/task/boottime_alarm.hpp>
#include <ringlet/task/frame_pool.hpp>
#include <ringlet/task/operations.hpp>
#include <ringlet/task/task_block.hpp>

#include <coroutine>
#include <type_traits>

namespace ringlet {

class Scheduler;

// The scheduler whose loop runs on this thread; null outside run(). The frame allocator needs it.
inline constinit thread_local Scheduler* current_scheduler = nullptr;

inline Scheduler& scheduler() {
    return *current_scheduler;
}

// A Pending that also waits for a deadline. Its hooks have `expire`.
struct Timer : Pending, TimerNode {
    using Pending::Pending;
};

// How much of each bound was used at most.
struct HighWater {
    unsigned tasks = 0;
    unsigned operations = 0;
    unsigned descriptors = 0;
    unsigned jobs = 0;   // of offload(), not ended
    unsigned posts = 0;  // in the mailbox
};

class Scheduler {
public:
    // All outlive the scheduler. It becomes current_scheduler; a second one on a thread is an error
    // that run() refuses.
    Scheduler(const Limits& limits, FramePool& frames, Ring& ring, System& system);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // --- for awaiters

    // The block whose frame runs now.
    TaskBlock& running() { return *running_; }

    // True if the running block may complete an await at once: it is not cancelled, and has not
    // used up its turn. Costs a credit.
    bool may_go_on() {
        if (running_->cancelled || credit_ == 0) return false;
        --credit_;
        return true;
    }

    // Puts a waiting block on the ready list with its outcome.
    void finish(TaskBlock& block, Outcome outcome = Outcome::value, Error error = {});

    // The same, but it runs right after the block that runs now: for the inner end of a composite.
    void finish_next(TaskBlock& block, Outcome outcome = Outcome::value, Error error = {});

    // Starts a block whose `top` and `owner` are set: at the back of the line, or right after the
    // block that runs now.
    void start(TaskBlock& block);
    void start_next(TaskBlock& block);

    // Cancels a block: what it waits for is asked to end, and every further await in it unwinds.
    // Harmless if it has ended or was cancelled before. Never recurses.
    void cancel(TaskBlock& block);

    // Only asks what the block waits for to end; if that answers "cancelled", the await fails with
    // timed_out. For time limits on a single await.
    void interrupt(TaskBlock& block);

    // --- time

    Instant now(Clock clock = Clock::monotonic) { return system_.now(clock); }
    // clock: monotonic or boottime.
    void arm(Timer& timer, Clock clock, Instant deadline);

    // --- memory and accounts

    FramePool& frames() { return frames_; }
    Operations& operations() { return operations_; }
    Ring& ring() const { return ring_; }
    System& system() { return system_; }
    const Limits& limits() const { return limits_; }
    const HighWater& high_water() const { return high_water_; }

    // A spawned task takes one of Limits::tasks for as long as its block lives.
    bool reserve_task();
    void release_task() { --tasks_; }

    // Open descriptors are bounded by Limits::descriptors: reserved before the operation that opens
    // one, given back when it was closed or could not be opened.
    bool reserve_descriptor();
    void release_descriptor() { --descriptors_; }
    unsigned descriptors() const { return descriptors_; }
    // Closes in the background and gives the reservation back; never fails, never waits.
    void close_later(int descriptor);

    // --- the loop

    // Runs turns until `done` is true; looks at it after everything that was ready has run.
    void run_until(const bool& done);
    // Waits until no operation is in flight and no close is under way.
    void drain();

    // Called before a wait that nothing but a signal can end.
    void set_deadlock_handler(void (*handler)(void*), void* context) {
        deadlock_handler_ = handler;
        deadlock_context_ = context;
    }
    // Called in each turn of run_until(): `before` the kernel is entered, for what is to go out,
    // and `after` it, for what has come in from other threads. Both may wake blocks.
    void set_turn_handlers(void (*before)(void*), void (*after)(void*), void* context) {
        before_entry_ = before;
        after_entry_ = after;
        turn_context_ = context;
    }

    // Called each time that a block has begun to wait: a point where tests cancel.
    void set_suspension_handler(void (*handler)(void*), void* context) {
        suspension_handler_ = handler;
        suspension_context_ = context;
    }

    std::uint32_t milliseconds() const { return now_ms_; }
    std::uint64_t turns() const { return turns_; }
    bool has_timers() const { return !timers_.empty() || !boottime_timers_.empty(); }

private:
    void push_ready(TaskBlock& block);
    TaskBlock& pop_ready();
    void step(TaskBlock& first);
    void run_ready();
    void take_in();
    TaskBlock* take_next();
    bool deliver(TaskBlock& block);
    bool unwind(TaskBlock& block);
    void end(TaskBlock& block);
    void ask_to_end(TaskBlock& block);
    bool enter_kernel();
    void expire(TimerQueue& queue, Clock clock);
    Nanoseconds time_to_next_timer();
    void note_time();

    const Limits& limits_;
    FramePool& frames_;
    Ring& ring_;
    System& system_;
    Operations operations_;

    TaskBlock* ready_first_ = nullptr;
    TaskBlock* ready_last_ = nullptr;
    std::size_t ready_count_ = 0;
    TaskBlock* next_ = nullptr;  // runs right after the running one
    TaskBlock* running_ = nullptr;
    TaskBlock* cancel_first_ = nullptr;
    bool cancelling_ = false;
    unsigned credit_ = 0;

    TimerQueue timers_;           // CLOCK_MONOTONIC
    TimerQueue boottime_timers_;  // CLOCK_BOOTTIME
    BoottimeAlarm boottime_alarm_;
    std::uint32_t now_ms_ = 0;
    std::uint64_t turns_ = 0;
    unsigned tasks_ = 0;
    unsigned descriptors_ = 0;
    HighWater high_water_;
    void (*deadlock_handler_)(void*) = nullptr;
    void* deadlock_context_ = nullptr;
    void (*before_entry_)(void*) = nullptr;
    void (*after_entry_)(void*) = nullptr;
    void* turn_context_ = nullptr;
    void (*suspension_handler_)(void*) = nullptr;
    void* suspension_context_ = nullptr;
};

}  // namespace ringlet
