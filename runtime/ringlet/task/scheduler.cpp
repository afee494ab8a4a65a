// The loop: the trampoline, cancellation, timers and the turn.
#include <ringlet/task/scheduler.hpp>

#include <ringlet/task/promise.hpp>

#include <algorithm>
#include <utility>

namespace ringlet {
namespace {

// A block that was started and has not run yet. It gives nothing back when it is cancelled.
constexpr PendingHooks unstarted_hooks{.reason = "not started",
                                       .catches = false,
                                       .cancel = [](Pending&) {},
                                       .revoke = [](Pending&) {}};
constinit Pending unstarted(unstarted_hooks, nullptr);

// A block that used up its credit. What it has got is its own: it runs on, also when cancelled.
constexpr PendingHooks preempted_hooks{
    .reason = "its turn", .catches = false, .cancel = [](Pending&) {}};
constinit Pending preempted(preempted_hooks, nullptr);

}  // namespace

Scheduler::Scheduler(const Limits& limits, FramePool& frames, Ring& ring, System& system)
    : limits_(limits), frames_(frames), ring_(ring), system_(system), operations_(limits, ring) {
    RINGLET_ASSERT(current_scheduler == nullptr);
    current_scheduler = this;
    note_time();
}

Scheduler::~Scheduler() {
    RINGLET_ASSERT(ready_count_ == 0 && tasks_ == 0 && descriptors_ == 0 && !has_timers());
    current_scheduler = nullptr;
}

// --- the ready list

void Scheduler::push_ready(TaskBlock& block) {
    RINGLET_ASSERT(!block.ready && !block.done);
    block.ready = true;
    block.next_ready = nullptr;
    (ready_count_ == 0 ? ready_first_ : ready_last_->next_ready) = &block;
    ready_last_ = &block;
    ++ready_count_;
}

TaskBlock& Scheduler::pop_ready() {
    TaskBlock& first = *ready_first_;
    ready_first_ = first.next_ready;
    --ready_count_;
    first.ready = false;
    return first;
}

void Scheduler::finish(TaskBlock& block, Outcome outcome, Error error) {
    block.outcome = outcome;
    block.error = error;
    push_ready(block);
}

void Scheduler::finish_next(TaskBlock& block, Outcome outcome, Error error) {
    if (next_ != nullptr) return finish(block, outcome, error);
    block.outcome = outcome;
    block.error = error;
    next_ = &block;
}

void Scheduler::start(TaskBlock& block) {
    block.waiting = &unstarted;
    block.since_ms = now_ms_;
    push_ready(block);
}

void Scheduler::start_next(TaskBlock& block) {
    if (next_ != nullptr) return start(block);
    next_ = &block;
}

// --- the trampoline

// Runs a block until it waits or has ended, then whatever is to run right after it.
void Scheduler::step(TaskBlock& first) {
    credit_ = limits_.inline_awaits;
    for (TaskBlock* block = &first; block != nullptr; block = take_next()) {
        running_ = block;
        bool goes_on = deliver(*block);
        while (goes_on) {
            handle_of(block->top).resume();
            switch (block->step) {
                case Step::wait:
                    block->since_ms = now_ms_;
                    if (suspension_handler_ != nullptr) suspension_handler_(suspension_context_);
                    goes_on = false;
                    break;
                case Step::resume:
                    if (credit_ == 0) {
                        block->waiting = &preempted;
                        push_ready(*block);
                        goes_on = false;
                    } else {
                        --credit_;
                    }
                    break;
                case Step::unwind: goes_on = unwind(*block); break;
                case Step::end: goes_on = false; break;
            }
            if (block->top == nullptr && !block->done) {
                end(*block);
                break;
            }
        }
    }
    running_ = nullptr;
}

// The block that is to run right after this one. It shares the credit, or composites whose inner
// ends are ready at once could keep the loop for ever; without credit it waits in line.
TaskBlock* Scheduler::take_next() {
    TaskBlock* const next = std::exchange(next_, nullptr);
    if (next == nullptr) return nullptr;
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
bool Scheduler::deliver(TaskBlock& block) {
    Pending* const awaited = std::exchange(block.waiting, nullptr);
    if (block.outcome == Outcome::value) return true;
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

void Scheduler::end(TaskBlock& block) {
    block.done = true;
    block.waiting = nullptr;
    block.owner->hooks->child_ended(*block.owner, block);
}

// --- cancellation

void Scheduler::cancel(TaskBlock& block) {
    if (block.cancelled || block.done) return;
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
    if (awaited == nullptr || block.done) return;  // it runs: its next await sees the flag
    if (!block.ready) return awaited->hooks->cancel(*awaited);
    if (block.outcome != Outcome::value || awaited->hooks->revoke == nullptr) return;
    block.outcome = Outcome::cancelled;
    awaited->hooks->revoke(*awaited);
}

// --- time

void Scheduler::arm(Timer& timer, Clock clock, Instant deadline) {
    RINGLET_ASSERT(clock != Clock::realtime);
    (clock == Clock::boottime ? boottime_timers_ : timers_).add(timer, deadline);
}

void Scheduler::expire(TimerQueue& queue, Clock clock) {
    if (queue.empty()) return;
    const Instant now = system_.now(clock);
    while (TimerNode* due = queue.take_due(now)) {
        Timer& timer = static_cast<Timer&>(*due);
        timer.hooks->expire(timer);
    }
}

Nanoseconds Scheduler::time_to_next_timer() {
    Nanoseconds shortest = Nanoseconds::max();
    const auto look = [&](const TimerQueue& queue, Clock clock) {
        if (queue.next() == never) return;
        const Instant now = system_.now(clock);
        const Instant left = queue.next() > now ? queue.next() - now : 0;
        shortest = std::min(shortest, Nanoseconds(left));
    };
    look(timers_, Clock::monotonic);
    look(boottime_timers_, Clock::boottime);
    return shortest;
}

void Scheduler::note_time() {
    now_ms_ = static_cast<std::uint32_t>(system_.now(Clock::monotonic) / 1'000'000);
}

// --- memory and accounts

bool Scheduler::reserve_task() {
    if (tasks_ == limits_.tasks) return false;
    high_water_.tasks = std::max(high_water_.tasks, ++tasks_);
    return true;
}

bool Scheduler::reserve_descriptor() {
    if (descriptors_ == limits_.descriptors) return false;
    high_water_.descriptors = std::max(high_water_.descriptors, ++descriptors_);
    return true;
}

void Scheduler::close_later(int descriptor) {
    operations_.close(descriptor);
}

// --- the turn

void Scheduler::run_until(const bool& done) {
    for (;;) {
        run_ready();
        if (done) return;
        if (enter_kernel()) take_in();
        expire(timers_, Clock::monotonic);
        expire(boottime_timers_, Clock::boottime);
        if (after_entry_ != nullptr) after_entry_(turn_context_);
    }
}

void Scheduler::drain() {
    boottime_alarm_.stop(operations_);
    while (!operations_.is_quiet() || ready_count_ > 0) {
        run_ready();
        if (!operations_.is_quiet()) ring_.enter(Ring::Wait::for_one, time_to_next_timer());
        take_in();
        expire(timers_, Clock::monotonic);
    }
}

// Those that become ready meanwhile wait for the next turn, so that I/O and timers never starve.
void Scheduler::run_ready() {
    ++turns_;
    for (std::size_t left = ready_count_; left > 0; --left) step(pop_ready());
}

void Scheduler::take_in() {
    descriptors_ -= operations_.reap();
    high_water_.operations = operations_.in_flight_max();
}

// False if there was no need to; then nothing can have completed either (DEFER_TASKRUN).
bool Scheduler::enter_kernel() {
    if (before_entry_ != nullptr) before_entry_(turn_context_);
    if (ready_count_ > 0) {
        // Busy: submit what there is; look for completions now and then, since each look costs.
        // The runtime's own operations (a signal, the log) can wait longer.
        const std::uint64_t look_every = operations_.in_flight() > 0 ? 16 : 1024;
        const bool look = turns_ % look_every == 0;
        if (!look && ring_.unsubmitted() == 0) return false;
        ring_.enter(Ring::Wait::no, Nanoseconds::zero());
        return true;
    }
    const Nanoseconds timeout = time_to_next_timer();
    if (timeout == Nanoseconds::zero()) {
        ring_.enter(Ring::Wait::no, timeout);
        return true;
    }
    const bool nothing_can_come = operations_.in_flight() + operations_.closing() == 0;
    if (timeout == Nanoseconds::max() && nothing_can_come && deadlock_handler_ != nullptr) {
        deadlock_handler_(deadlock_context_);
    }
    boottime_alarm_.set(operations_, boottime_timers_.next());
    ring_.enter(Ring::Wait::for_one, timeout);
    note_time();
    return true;
}

}  // namespace ringlet
