// The least that a probe needs: a coroutine that runs to its end when called, an awaiter that takes
// something, and an object that counts its constructions and destructions. No part of Ringlet: a
// probe is about the compiler alone.

#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace probe {

// Starts at once; `result` outlives the frame.
struct Coroutine {
    struct promise_type {
        Coroutine get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// The frame of the one coroutine that is suspended now.
inline std::coroutine_handle<> suspended;

// Suspends, then gives `value`.
struct Later {
    int value;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) noexcept { suspended = frame; }
    int await_resume() const noexcept { return value; }
};

inline void resume() {
    std::exchange(suspended, nullptr).resume();
}

// Alive objects: one destroyed twice makes it negative, one never destroyed positive.
inline int alive = 0;

struct Counted {
    Counted() { ++alive; }
    Counted(const Counted&) { ++alive; }
    Counted(Counted&&) noexcept { ++alive; }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --alive; }
};

// Takes anything and keeps it until the end of the await.
template <class Held>
struct Holding {
    Held held;
    explicit Holding(Held taken) : held(std::move(taken)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) noexcept { suspended = frame; }
    void await_resume() const noexcept {}
};

}  // namespace probe
