// The loop: the trampoline, cancellation, timers and the turn.
#include <ringlet/task/scheduler.hpp>

#include <ringlet/task/promise.hpp>

#include <algorithm>
#include <utility>

namespace ringlet {
namespace {

// A block that used up its credit. What it has got is its own: it runs on, also when cancelled.
constexpr PendingHooks preempted_hooks{
    .reason = "its turn", .catches = false, .cancel = [](Pending&) {}};
constinit Pending preempted(preempted_hooks, nullptr);

}  // namespace

[[gnu::cold]] Scheduler::Scheduler(const Limits& limits, FramePool& frames, Ring& ring,
                                   System& system)
    : limits_(limits), frames_(frames), ring_(ring), system_(system), operations_(limits, ring) {
    RINGLET_ASSERT(current_scheduler == nullptr);
    current_scheduler = this;
    TimerQueue::restart_count();
    note_time(system_.now(Clock::monotonic));
}

[[gnu::cold]] Scheduler::~Scheduler() {
    RINGLET_ASSERT(ready_first_ == nullptr && tasks_ == 0 && descriptors_ == 0 && !has_timers());
    current_scheduler = nullptr;
}

// --- the trampoline

// Runs a block until it waits or has ended, then whatever is to run right after it.
inline void Scheduler::step(TaskBlock& first) {
    credit_ = limits_.inline_awaits;
    TaskBlock* block = &first;
    do {
        running_ = block;
        if (deliver(*block)) run_frames(*block);
        block = next_ == nullptr ? nullptr : take_next();
    } while (block != nullptr);
}

inline void Scheduler::run_frames(TaskBlock& block) {
    for (;;) {
        handle_of(block.top).resume();
        if (block.step == Step::wait) [[likely]] {
            block.since_ms = now_ms_;
            if (suspension_handler_ != nullptr) suspension_handler_(suspension_context_);
            return;
        }
        if (block.step == Step::resume) {
            if (credit_ > 0) {
                --credit_;
                continue;
            }
            block.waiting = &preempted;
            return push_ready(block);
        }
        if (block.step == Step::unwind && unwind(block)) continue;
        return end(block);
    }
}

// The block that is to run right after this one. It shares the credit, or composites whose inner
// ends are ready at once could keep the loop for ever; without credit it waits in line.
TaskBlock* Scheduler::take_next() {
    TaskBlock* const next = std::exchange(next_, nullptr);
    if (credit_ > 0) {
        --credit_;
        return next;
    }
    // A start never waits: a timeout that has expired already lets its work run to its first wait.
    if (next->waiting == nullptr) return next;
    push_ready(*next);
    return nullptr;
}

// Brings a woken block its outcome. False if that was its end.
inline bool Scheduler::deliver(TaskBlock& block) {
    if (block.outcome != Outcome::value) return deliver_failure(block);
    block.waiting = nullptr;
    return true;
}

bool Scheduler::deliver_failure(TaskBlock& block) {
    const Pending* const awaited = std::exchange(block.waiting, nullptr);
    if (block.outcome == Outcome::cancelled && !block.cancelled) {
        block.outcome = Outcome::error;  // interrupt(): a time limit of this await alone
        block.error = Error(std::errc::timed_out, Domain::runtime);
    }
    if (block.outcome == Outcome::error && awaited != nullptr) {
        if (awaited == &preempted || awaited->hooks->catches) return true;
    }
    if (unwind(block)) return true;
    end(block);
    return false;
}

// Destroys frames, innermost first, each forgotten before its parent goes. True if an attempt took
// the error: its frame is on top and finds the error in the block.
bool Scheduler::unwind(TaskBlock& block) {
    while (block.top != nullptr) {
        PromiseBase* const frame = block.top;
        PromiseBase* const parent = frame->parent;
        const bool caught = parent != nullptr && frame->cell->catches;
        handle_of(frame).destroy();
        block.top = parent;
        if (caught && block.outcome == Outcome::error) return true;
    }
    return false;
}

inline void Scheduler::end(TaskBlock& block) {
    block.step = Step::end;
    block.owner->hooks->child_ended(*block.owner, block);
}

// --- cancellation

void Scheduler::cancel(TaskBlock& block) {
    if (block.cancelled || block.is_done()) return;
    block.cancelled = true;
    interrupt(block);
}

// The hook of a composite cancels its children, which lands here again: so there is a work list.
void Scheduler::interrupt(TaskBlock& block) {
    if (block.listed) return;
    block.listed = true;
    block.next_cancelled = std::exchange(cancel_first_, &block);
    if (cancelling_) return;
    cancelling_ = true;
    while (cancel_first_ != nullptr) {
        TaskBlock& first = *cancel_first_;
        cancel_first_ = first.next_cancelled;
        first.listed = false;
        ask_to_end(first);
    }
    cancelling_ = false;
}

void Scheduler::ask_to_end(TaskBlock& block) {
    Pending* const awaited = block.waiting;
    if (awaited == nullptr || block.is_done()) return;  // it runs: its next await sees the flag
    if (!block.is_ready()) return awaited->hooks->cancel(*awaited);
    if (block.outcome != Outcome::value || awaited->hooks->revoke == nullptr) return;
    block.outcome = Outcome::cancelled;
    awaited->hooks->revoke(*awaited);
}

// --- time

void Scheduler::expire() {
    if (!timers_.empty()) expire(timers_, Clock::monotonic);
    if (!boottime_timers_.empty()) expire(boottime_timers_, Clock::boottime);
}

void Scheduler::expire(TimerQueue& queue, Clock clock) {
    const Instant now = system_.now(clock);
    if (clock == Clock::monotonic) note_time(now);
    queue.settle(now);
    while (TimerNode* due = queue.take_due(now)) {
        Timer& timer = static_cast<Timer&>(*due);
        timer.hooks->expire(timer);
    }
}

Nanoseconds Scheduler::time_to_next_timer() {
    Nanoseconds shortest = Nanoseconds::max();
    const auto look = [&](TimerQueue& queue, Clock clock) {
        if (queue.empty()) return;
        const Instant now = system_.now(clock);
        queue.settle(now);
        if (queue.next() == never) return;
        const Instant left = queue.next() > now ? queue.next() - now : 0;
        shortest = std::min(shortest, Nanoseconds(left));
    };
    look(timers_, Clock::monotonic);
    look(boottime_timers_, Clock::boottime);
    return shortest;
}

// --- memory and accounts

bool Scheduler::reserve_descriptor() {
    if (descriptors_ == limits_.descriptors) return false;
    high_water_.descriptors = std::max(high_water_.descriptors, ++descriptors_);
    return true;
}

void Scheduler::close_later(int descriptor) {
    operations_.close(descriptor);
}

// --- the turn

// Those that become ready meanwhile wait for the next turn, so that I/O and timers never starve.
[[gnu::always_inline]] inline void Scheduler::run_ready() {
    ++turns_;
    TaskBlock* block = std::exchange(ready_first_, nullptr);
    ready_end_ = &ready_first_;
    while (block != nullptr) {
        // It may be gone, or ready again, afterwards.
        TaskBlock* const next = std::exchange(block->next_ready, nullptr);
        TaskBlock* const first = std::exchange(block, next != block ? next : nullptr);
        step(*first);
    }
    running_ = nullptr;
}

// True if this turn need not enter the kernel: blocks are ready, and there is nothing to submit.
// Completions are looked for now and then, since each look costs; without one, nothing can have
// completed (DEFER_TASKRUN). The runtime's own operations (a signal, the log) can wait longer.
inline bool Scheduler::is_busy() const {
    if (ready_first_ == nullptr || operations_.has_unsubmitted()) return false;
    if (turns_ % 16 != 0) return true;
    return operations_.in_flight() == 0 && turns_ % 1024 != 0;
}

// What calls it runs once and calls what is cold; with LTO the compiler would think so of this.
[[gnu::hot]] void Scheduler::run_until(const bool& done) {
    for (;;) {
        run_ready();
        if (done) return;
        if (outgoing_) {
            outgoing_ = false;
            send_(send_context_);
        }
        if (!is_busy()) {
            enter_kernel();
            take_in();
        }
        if (has_timers()) expire();
        if (receive_ != nullptr) receive_(receive_context_);
    }
}

[[gnu::cold]] void Scheduler::drain() {
    boottime_alarm_.stop(operations_);
    while (!operations_.is_quiet() || ready_first_ != nullptr) {
        run_ready();
        if (!operations_.is_quiet()) operations_.enter(Ring::Wait::for_one, time_to_next_timer());
        take_in();
        if (has_timers()) expire();
    }
}

void Scheduler::take_in() {
    descriptors_ -= operations_.reap();
    high_water_.operations = operations_.in_flight_max();
}

void Scheduler::enter_kernel() {
    if (ready_first_ != nullptr) return operations_.enter(Ring::Wait::no, Nanoseconds::zero());
    const Nanoseconds timeout = time_to_next_timer();
    if (timeout == Nanoseconds::zero()) return operations_.enter(Ring::Wait::no, timeout);
    const bool nothing_can_come = operations_.in_flight() + operations_.closing() == 0;
    if (timeout == Nanoseconds::max() && nothing_can_come && deadlock_handler_ != nullptr) {
        deadlock_handler_(deadlock_context_);
    }
    boottime_alarm_.set(operations_, boottime_timers_.next());
    operations_.enter(Ring::Wait::for_one, timeout);
    if (timers_.empty()) note_time(system_.now(Clock::monotonic));  // else expire() does
}

}  // namespace ringlet
