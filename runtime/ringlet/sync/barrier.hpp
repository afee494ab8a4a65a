// Barrier: tasks wait for each other until a given number has come; then all go on, and the barrier
// is ready for the next round.
#pragma once

#include <ringlet/sync/waiter.hpp>

#include <cstddef>

namespace ringlet {

class Barrier {
    struct Waiting;

public:
    class [[nodiscard]] Wait {
    public:
        using Value = std::size_t;
        static constexpr bool is_leaf = true;
        template <bool catches>
        using Awaiter = LineAwaiter<Waiting, std::size_t, catches>;

        explicit Wait(Barrier& barrier) : barrier_(barrier) {}

    private:
        friend struct Waiting;
        Barrier& barrier_;
    };

    // parties > 0. Asserts on destruction that nobody waits.
    explicit Barrier(std::size_t parties) : parties_(parties) { RINGLET_ASSERT(parties > 0); }
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;

    // Waits until all parties have come. Gives each task of a round its number in the order of
    // arrival, 0 to parties - 1, so that one can be picked for what is done once a round.
    // Fails with broken_pipe (RuntimeDetail::closed) if the barrier is aborted.
    //
    // Cancellation: leaves, and the others go on waiting for one more. Once the last has come, a
    // wait counts as done, since the others rely on it: the next co_await unwinds.
    Wait wait() { return Wait(*this); }

    // Lets all that wait fail, and every later wait: for when a party cannot come any more.
    void abort();
    bool is_aborted() const { return aborted_; }

    std::size_t parties() const { return parties_; }
    // Tasks that have come in this round.
    std::size_t waiting() const { return waiting_; }

private:
    struct Waiting : Waiter {
        static constexpr const char* reason = "barrier.wait";
        static constexpr void (*revoke)(Pending&) = nullptr;

        Waiting(const PendingHooks& kind, TaskBlock* waiter, Wait& what)
            : Waiter(kind, waiter), barrier(what.barrier_) {}
        bool try_now();
        void start();
        std::size_t value() { return index; }
        static void cancel(Pending& pending);

        Barrier& barrier;
        std::size_t index = 0;
    };

    void release_all();

    IntrusiveList<Waiting> line_;
    std::size_t waiting_ = 0;
    const std::size_t parties_;
    bool aborted_ = false;
};

}  // namespace ringlet
