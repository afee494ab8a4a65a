// Semaphore: lets at most so many tasks in at once, first come first served.
//
// A permit that comes back goes straight to the first in line and is never free in between, so
// nobody overtakes: while a line stands, `available` is zero.
#pragma once

#include <ringlet/sync/waiter.hpp>

#include <cstddef>
#include <optional>

namespace ringlet {

class Permit;

// Who waits for a permit: acquire(), Mutex::lock(), and a Condition's task that locks again.
struct PermitWaiter : Waiter {
    using Waiter::Waiter;
    // Called in place of wake() by who hands the permit over. Null: wake().
    void (*granted)(PermitWaiter&) = nullptr;
};

class Semaphore {
public:
    template <class Holder>
    class Acquire;

    // permits > 0. Asserts on destruction that all have come back and that nobody waits.
    explicit Semaphore(std::size_t permits) : permits_(permits), available_(permits) {
        RINGLET_ASSERT(permits > 0);
    }
    ~Semaphore() { RINGLET_ASSERT(available_ == permits_); }
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    // Waits for a permit. It comes back when the Permit goes out of scope.
    //
    // Cancellation: leaves the line; a permit that was on its way goes to the next.
    Acquire<Permit> acquire();

    // A permit if one is free now.
    std::optional<Permit> try_acquire();

    std::size_t permits() const { return permits_; }
    // Free now. What a woken task has not taken up yet is not free.
    std::size_t available() const { return available_; }
    // Tasks in line; counts them.
    std::size_t waiting() const { return line_.count(); }

private:
    friend class Permit;
    friend class Mutex;
    friend class Condition;

    struct Acquiring : PermitWaiter {
        Acquiring(const PendingHooks& kind, TaskBlock* waiter, Semaphore& from)
            : PermitWaiter(kind, waiter), semaphore(from) {}
        bool try_now() { return semaphore.take(); }
        void start() { semaphore.join(*this); }
        static constexpr auto cancel = leave_line;
        static void revoke(Pending& pending) {
            static_cast<Acquiring&>(pending).semaphore.release();
        }

        Semaphore& semaphore;
    };
    template <class Holder>
    struct AcquiringFor : Acquiring {
        AcquiringFor(const PendingHooks& kind, TaskBlock* waiter, Acquire<Holder>& what)
            : Acquiring(kind, waiter, what.semaphore_) {}
        static constexpr const char* reason = Holder::awaited_as;
        Holder value() { return Holder(semaphore); }
    };

    bool take() {
        if (available_ == 0) return false;
        --available_;
        return true;
    }
    void join(PermitWaiter& waiter) {
        line_.push_back(waiter);
        if (take()) hand_over();
    }
    void release() {
        RINGLET_ASSERT(available_ < permits_);
        line_.empty() ? void(++available_) : hand_over();
    }
    // The caller has a permit for the first in line.
    void hand_over() {
        PermitWaiter& first = *line_.pop_front();
        first.granted != nullptr ? first.granted(first) : first.wake();
    }

    IntrusiveList<PermitWaiter> line_;
    const std::size_t permits_;
    std::size_t available_;
};

// The right to be inside; given back by release() or the destructor, whichever comes first.
class [[nodiscard]] Permit {
public:
    Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
        Permit moved(std::move(other));  // frees `other` first: assigning to itself changes nothing
        std::swap(semaphore_, moved.semaphore_);
        return *this;
    }
    ~Permit() { release(); }

    // False once it was released or moved from.
    bool is_held() const { return semaphore_ != nullptr; }
    void release() {
        if (Semaphore* const from = std::exchange(semaphore_, nullptr)) from->release();
    }

private:
    friend class Semaphore;
    friend class Mutex;
    friend class Condition;
    static constexpr const char* awaited_as = "semaphore.acquire";  // in the await tree
    explicit Permit(Semaphore& semaphore) : semaphore_(&semaphore) {}

    Semaphore* semaphore_;
};

// `Holder` is what the caller gets: Permit, or Mutex::Guard.
template <class Holder>
class [[nodiscard]] Semaphore::Acquire {
public:
    using Value = Holder;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<AcquiringFor<Holder>, Holder, catches>;

    explicit Acquire(Semaphore& semaphore) : semaphore_(semaphore) {}

private:
    friend struct AcquiringFor<Holder>;
    Semaphore& semaphore_;
};

inline Semaphore::Acquire<Permit> Semaphore::acquire() {
    return Acquire<Permit>(*this);
}
inline std::optional<Permit> Semaphore::try_acquire() {
    if (!take()) return std::nullopt;
    return Permit(*this);
}

}  // namespace ringlet
