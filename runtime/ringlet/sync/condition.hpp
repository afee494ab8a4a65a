// Condition: tasks that hold a mutex wait until another says that something has changed.
//
//   1 wait() gives the mutex away      3 the mutex is free: the guard owns it again, the task
//   2 notified: into the mutex's line    is woken (or, after 4, unwinds)
//
//     wait() --1--> in line --2--> locking --3--> value()
//                      |             ^  |
//                      +------4------+  5      4, 5 cancelled or timed out: it still has to lock
//
// A wait ends only with the mutex held, whichever way it ends: whoever has the guard in scope goes
// on, or unwinds, inside. (asyncio and std::condition_variable do the same.) So a wait inside a
// timeout is late by as long as somebody else holds the mutex.
// A task that was notified but did not come back to say so (5, or cancelled after 3) passes the
// notification on. That can wake one that nobody meant: wait with a predicate, or in a loop.
#pragma once

#include <ringlet/sync/mutex.hpp>
#include <ringlet/task/gcc_traps.hpp>
#include <ringlet/task/task.hpp>

namespace ringlet {

class Condition {
    struct Waiting;

public:
    class [[nodiscard]] Wait {
    public:
        using Value = void;
        static constexpr bool is_leaf = true;
        template <bool catches>
        using Awaiter = LineAwaiter<Waiting, void, catches>;

        Wait(Condition& condition, Mutex::Guard& guard) : condition_(condition), guard_(guard) {}

    private:
        friend struct Waiting;
        Condition& condition_;
        Mutex::Guard& guard_;
        Semaphore* mutex_ = nullptr;
        bool notified_ = false;
        bool ends_cancelled_ = false;
    };

    Condition() = default;
    // Asserts that nobody waits, nor has yet to come back from a wait.
    ~Condition() { RINGLET_ASSERT(notified_ == 0); }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    // Unlocks the guard, waits for a notification, locks again. The guard must own its mutex, and
    // outlive the wait. Nothing says that what was waited for still holds, or ever did.
    //
    // Cancellation: unwinds once the mutex is free, with the guard owning it; a notification that
    // it had got goes to the next.
    Wait wait(Mutex::Guard& guard) { return Wait(*this, guard); }

    // Waits until predicate() is true, which is looked at with the mutex held; if it is true now,
    // does not wait. Takes a frame: can fail with not_enough_memory, the guard still owning.
    // The guard, and a predicate that is an lvalue, outlive the wait.
    //
    // Cancellation: as wait(guard).
    template <class Predicate>
    Task<void> wait(Mutex::Guard& guard, Predicate&& predicate) {
        static_assert(safe_callable_in_co_await<Predicate&&>, RINGLET_NAME_THE_CALLABLE);
        return wait_until<Predicate>(guard, std::forward<Predicate>(predicate));
    }

    // Wakes the first in line. Best called with the mutex held, which is not required.
    void notify_one();
    // Wakes all that stand in line now.
    void notify_all();

    // Tasks that wait for a notification.
    std::size_t waiting() const;

private:
    struct Waiting : PermitWaiter {
        static constexpr const char* reason = "condition.wait";

        Waiting(const PendingHooks& kind, TaskBlock* waiter, Wait& what)
            : PermitWaiter(kind, waiter), wait(what) {
            granted = got_mutex;
        }
        void start();
        void value() { --wait.condition_.notified_; }
        static void cancel(Pending& pending);
        static void revoke(Pending& pending);
        static void got_mutex(PermitWaiter& waiter);
        void notify();
        void pass_on();
        void lock_again() { wait.mutex_->join(*this); }

        Wait& wait;
    };

    template <class Predicate>
    Task<void> wait_until(Mutex::Guard& guard, Predicate predicate) {
        while (!predicate()) co_await wait(guard);
    }

    IntrusiveList<Waiting> line_;
    std::size_t notified_ = 0;  // notified, but not back yet from the wait
};

}  // namespace ringlet
