// Mutex: one task at a time, first come first served. A Semaphore of one permit, with the names and
// the type of its own that people look for.
//
// Needed only where what it protects spans a co_await: between two of them nobody else runs anyway.
#pragma once

#include <ringlet/sync/semaphore.hpp>

namespace ringlet {

class Mutex {
public:
    // Holds the mutex; unlocks it when it goes out of scope, if not before.
    class [[nodiscard]] Guard {
    public:
        Guard(Guard&&) noexcept = default;
        Guard& operator=(Guard&&) noexcept = default;

        // False once it was unlocked or moved from, and while a Condition waits with it.
        bool owns_lock() const { return permit_.is_held(); }
        void unlock() { permit_.release(); }

    private:
        friend class Mutex;
        friend class Semaphore;
        friend class Condition;
        static constexpr const char* awaited_as = "mutex.lock";  // in the await tree
        explicit Guard(Semaphore& mutex) : permit_(mutex) {}

        Permit permit_;
    };
    using Lock = Semaphore::Acquire<Guard>;

    // Asserts on destruction that it is unlocked and that nobody waits.
    Mutex() = default;

    // Waits until the mutex is free.
    //
    // Cancellation: leaves the line; if the mutex was on its way, it goes to the next.
    Lock lock() { return Lock(semaphore_); }

    // The mutex if it is free now.
    std::optional<Guard> try_lock() {
        if (!semaphore_.take()) return std::nullopt;
        return Guard(semaphore_);
    }

    bool is_locked() const { return semaphore_.available() == 0; }
    // Tasks in line.
    std::size_t waiting() const { return semaphore_.waiting(); }

private:
    Semaphore semaphore_{1};
};

}  // namespace ringlet
