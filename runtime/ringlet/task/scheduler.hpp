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

#include <algorithm>
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
    unsigned multishot_buffers = 0;
    unsigned jobs = 0;    // of offload(), not ended
    unsigned posts = 0;   // in the mailbox
    unsigned timers = 0;  // armed, the runtime's own included
    std::size_t frame_bytes = 0;  // of the storage for frames, each class at its own time
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
    void finish(TaskBlock& block) {
        block.outcome = Outcome::value;
        push_ready(block);
    }
    void finish(TaskBlock& block, Outcome outcome, Error error = {}) {
        block.outcome = outcome;
        block.error = error;
        push_ready(block);
    }

    // The same, but it runs right after the block that runs now: for the inner end of a composite.
    void finish_next(TaskBlock& block, Outcome outcome = Outcome::value, Error error = {}) {
        if (next_ != nullptr) return finish(block, outcome, error);
        block.outcome = outcome;
        block.error = error;
        next_ = &block;
    }

    // Starts a block whose `top` and `owner` are set: at the back of the line, or right after the
    // block that runs now.
    void start(TaskBlock& block) {
        block.waiting = &unstarted;
        block.since_ms = now_ms_;
        push_ready(block);
    }
    void start_next(TaskBlock& block) {
        if (next_ != nullptr) return start(block);
        next_ = &block;
    }

    // Cancels a block: what it waits for is asked to end, and every further await in it unwinds.
    // Harmless if it has ended or was cancelled before. Never recurses.
    void cancel(TaskBlock& block);

    // Only asks what the block waits for to end; if that answers "cancelled", the await fails with
    // timed_out. For time limits on a single await.
    void interrupt(TaskBlock& block);

    // --- time

    Instant now(Clock clock = Clock::monotonic) const { return system_.now(clock); }
    // clock: monotonic or boottime.
    void arm(Timer& timer, Clock clock, Instant deadline) {
        RINGLET_ASSERT(clock != Clock::realtime);
        (clock == Clock::boottime ? boottime_timers_ : timers_).add(timer, deadline);
    }
    // On the monotonic clock, `span` after the end of this turn's running. Reads no clock.
    void arm_after(Timer& timer, Nanoseconds span) { timers_.add_after(timer, span); }

    // --- memory and accounts

    FramePool& frames() { return frames_; }
    Operations& operations() { return operations_; }
    Ring& ring() const { return ring_; }
    System& system() { return system_; }
    const Limits& limits() const { return limits_; }
    const HighWater& high_water() const { return high_water_; }

    // A spawned task takes one of Limits::tasks for as long as its block lives.
    bool reserve_task() {
        if (tasks_ == limits_.tasks) return false;
        if (++tasks_ > high_water_.tasks) high_water_.tasks = tasks_;
        return true;
    }
    void release_task() { --tasks_; }

    // Open descriptors are bounded by Limits::descriptors: reserved before the operation that opens
    // one, given back when it was closed or could not be opened.
    bool reserve_descriptor();
    void release_descriptor() { --descriptors_; }
    unsigned descriptors() const { return descriptors_; }
    // Buffers that multishot receives can fill are bounded by Limits::multishot_buffers.
    bool reserve_multishot(unsigned buffers) {
        if (buffers > limits_.multishot_buffers - multishot_buffers_) return false;
        multishot_buffers_ += buffers;
        high_water_.multishot_buffers = std::max(high_water_.multishot_buffers, multishot_buffers_);
        return true;
    }
    void release_multishot(unsigned buffers) { multishot_buffers_ -= buffers; }
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
    // Called in run_until() before the kernel is entered, if something is to go out since the last
    // call: see note_outgoing(). May wake blocks.
    void set_sender(void (*send)(void*), void* context) {
        send_ = send;
        send_context_ = context;
    }
    // There is something for the sender, in this turn.
    void note_outgoing() { outgoing_ = true; }
    // Called in each turn, for what has come in from other threads. May wake blocks.
    void set_receiver(void (*receive)(void*), void* context) {
        receive_ = receive;
        receive_context_ = context;
    }

    // Called each time that a block has begun to wait: a point where tests cancel.
    void set_suspension_handler(void (*handler)(void*), void* context) {
        suspension_handler_ = handler;
        suspension_context_ = context;
    }

    // TaskBlock::since_ms is of the same clock, as it stood at the turn's begin.
    std::uint32_t milliseconds() const { return to_milliseconds(now()); }
    std::uint64_t turns() const { return turns_; }
    bool has_timers() const { return TimerQueue::any_armed(); }

private:
    void push_ready(TaskBlock& block) {
        RINGLET_ASSERT(!block.is_ready() && !block.is_done());
        block.next_ready = &block;
        *ready_end_ = &block;
        ready_end_ = &block.next_ready;
    }
    void step(TaskBlock& first);
    void run_ready();
    bool is_busy() const;
    void take_in();
    TaskBlock* take_next();
    void run_frames(TaskBlock& block);
    bool deliver(TaskBlock& block);
    bool deliver_failure(TaskBlock& block);
    bool unwind(TaskBlock& block);
    void end(TaskBlock& block);
    void ask_to_end(TaskBlock& block);
    void enter_kernel();
    void expire();
    void expire(TimerQueue& queue, Clock clock);
    Nanoseconds time_to_next_timer();
    static std::uint32_t to_milliseconds(Instant instant) {
        return static_cast<std::uint32_t>(instant / 1'000'000);
    }
    void note_time(Instant now) { now_ms_ = to_milliseconds(now); }
    const Limits& limits_;
    FramePool& frames_;
    Ring& ring_;
    System& system_;
    Operations operations_;

    TaskBlock* ready_first_ = nullptr;
    TaskBlock** ready_end_ = &ready_first_;
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
    unsigned multishot_buffers_ = 0;
    HighWater high_water_;
    void (*deadlock_handler_)(void*) = nullptr;
    void* deadlock_context_ = nullptr;
    void (*send_)(void*) = nullptr;
    void* send_context_ = nullptr;
    bool outgoing_ = false;
    void (*receive_)(void*) = nullptr;
    void* receive_context_ = nullptr;
    void (*suspension_handler_)(void*) = nullptr;
    void* suspension_context_ = nullptr;
};

}  // namespace ringlet
