// TaskBlock and Pending: the two small things that every await is made of.
//
// A TaskBlock is one line of execution: a spawned task, a branch of gather or race, the body of a
// timeout. A plain `co_await f()` runs in its caller's block. A Pending is what a block waits for;
// it lives in the awaiter, in the awaiting frame.
//
//                  resume()            1 the frame suspends: `waiting` is set
//        +-----------------------+     2 finish(): value, error or cancelled; on the ready list
//        v                       |     3 the trampoline takes it: a value resumes the top frame,
//     running --1--> waiting --2--> ready     the others unwind frames up to an attempt
//        |                               |
//        4 the last frame ended  <---3---+
//        v
//      ended (the owner takes the outcome)
#pragma once

#include <ringlet/base/error.hpp>
#include <ringlet/task/await_site.hpp>

#include <cstddef>
#include <cstdint>

namespace ringlet {

class Scheduler;
struct PromiseBase;
struct Pending;
RINGLET_BLOCKS_BEGIN
struct TaskBlock;
RINGLET_BLOCKS_END

// Called for each block that a pending composite owns.
using BlockVisitor = void (*)(TaskBlock& child, void* context);

// What a kind of await can do. One static table a kind, so that a Pending stays two pointers.
struct PendingHooks {
    const char* reason;  // for the await tree: "sleep", "queue.get"
    bool catches;        // an `attempt`: errors are handed to the frame, not unwound

    // "Please end; the answer may come later." Called while the block waits. Must lead to finish().
    void (*cancel)(Pending&);
    // "You were woken but have not run: give your turn back." Null where a completion is final.
    void (*revoke)(Pending&) = nullptr;
    // Timers only: the deadline has come.
    void (*expire)(Pending&) = nullptr;
    // Composites only: a block of theirs has ended; its outcome and error stand in the block.
    void (*child_ended)(Pending&, TaskBlock&) = nullptr;
    // Composites only, for the await tree.
    void (*children)(Pending&, BlockVisitor, void* context) = nullptr;
};

struct Pending {
    constexpr Pending(const PendingHooks& kind, TaskBlock* waiter) : hooks(&kind), block(waiter) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    const PendingHooks* hooks;
    TaskBlock* block;  // who waits
};

// What a block waits for that was started and has not run yet. It gives nothing back when it is
// cancelled.
inline constexpr PendingHooks unstarted_hooks{.reason = "not started",
                                              .catches = false,
                                              .cancel = [](Pending&) {},
                                              .revoke = [](Pending&) {}};
inline constinit Pending unstarted(unstarted_hooks, nullptr);

enum class Outcome : std::uint8_t { value, error, cancelled };

// What the trampoline does with a block after its frame has stopped.
enum class Step : std::uint8_t {
    wait,    // nothing: somebody will finish() it
    resume,  // go on with the top frame
    unwind,  // destroy frames: `outcome` is error or cancelled
    end,     // there is no frame left: it is done
};

RINGLET_BLOCKS_BEGIN

struct TaskBlock {
    TaskBlock() {}  // not defaulted: TaskBlock() would write all members twice
    TaskBlock(const TaskBlock&) = delete;
    TaskBlock& operator=(const TaskBlock&) = delete;

    TaskBlock* next_ready = nullptr;  // null if it is not on the ready list; the last one's own
    Pending* waiting = nullptr;       // null while it runs
    TaskBlock* next_sibling = nullptr;
    TaskBlock* previous_sibling = nullptr;
    const char* name = nullptr;  // static text
    [[no_unique_address]] AwaitSite where;  // the co_await it stands at
    Error error;                 // if outcome is error
    Outcome outcome = Outcome::value;
    Step step = Step::wait;
    bool cancelled = false;  // its scope was cancelled: every further await unwinds
    bool listed = false;     // on the cancellation's work list

    // Set before anybody looks.
    std::uint32_t since_ms;     // when it began to wait, in the scheduler's milliseconds
    PromiseBase* top;           // the innermost frame
    Pending* owner;             // outlives it, and is told of its end
    TaskBlock* next_cancelled;  // the work list of a cancellation

    bool is_ready() const { return next_ready != nullptr; }
    bool is_done() const { return step == Step::end; }

    // For awaiters, while the block runs: the await ends at once, without a value.
    void stop_with(Error why, bool catches) {
        outcome = Outcome::error;
        error = why;
        step = catches ? Step::resume : Step::unwind;
    }
    void stop_cancelled() {
        outcome = Outcome::cancelled;
        step = Step::unwind;
    }
    void wait_for(Pending& pending) {
        waiting = &pending;
        step = Step::wait;
    }
};

RINGLET_BLOCKS_END

}  // namespace ringlet
