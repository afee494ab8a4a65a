// What the conformance cases look with: traces, counters of what is alive, and tasks that do one
// thing. Nothing here allocates: the seal is closed while a case runs.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace ringlet::conformance {

using namespace std::chrono_literals;

// What happened, a letter each.
class Trace {
public:
    void add(char letter) {
        if (size_ < letters_.size()) letters_[size_++] = letter;
    }
    void clear() { size_ = 0; }
    std::string_view text() const { return {letters_.data(), size_}; }
    // For what may happen in either order.
    unsigned count(char letter) const {
        return static_cast<unsigned>(std::ranges::count(text(), letter));
    }

private:
    std::array<char, 256> letters_{};
    std::size_t size_ = 0;
};

// Leaves its letter when it is destroyed, on every way out of a scope.
class Mark {
public:
    Mark(Trace& trace, char letter) : trace_(trace), letter_(letter) {}
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;
    ~Mark() { trace_.add(letter_); }

private:
    Trace& trace_;
    char letter_;
};

// Counts the Alive ones that it made; when it goes, none may be left. Stands first in a case, so
// that it looks in a cancelled run, too.
class Census {
public:
    Census() = default;
    Census(const Census&) = delete;
    Census& operator=(const Census&) = delete;
    ~Census() { EXPECT_EQ(alive, 0); }
    int alive = 0;
    int born = 0;
};

class Alive {
public:
    explicit Alive(Census& census) : census_(census) {
        ++census_.alive;
        ++census_.born;
    }
    Alive(const Alive& other) : Alive(other.census_) {}
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --census_.alive; }

private:
    Census& census_;
};

// A move-only value, as a unique_ptr is: it owns one of a census until it is moved from.
class Owned {
public:
    Owned(Census& census, int number) : census_(&census), number_(number) {
        ++census.alive;
        ++census.born;
    }
    Owned(Owned&& other) noexcept
        : census_(std::exchange(other.census_, nullptr)), number_(other.number_) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(census_, other.census_);
        std::swap(number_, other.number_);
        return *this;
    }
    ~Owned() {
        if (census_ != nullptr) --census_->alive;
    }
    int number() const { return census_ != nullptr ? number_ : -1; }

private:
    Census* census_;
    int number_;
};

// Calls a callable when it is destroyed: for what destructors may do.
template <class F>
class OnExit {
public:
    explicit OnExit(F action) : action_(std::move(action)) {}
    OnExit(const OnExit&) = delete;
    OnExit& operator=(const OnExit&) = delete;
    ~OnExit() { action_(); }

private:
    F action_;
};

inline Task<int> at_once(int value) {
    co_return value;
}
inline Task<void> nothing() {
    co_return;
}
inline Task<int> fails_at_once(std::errc code) {
    co_await fail(code);
    co_return 0;
}
inline Task<int> value_after(std::chrono::milliseconds span, int value) {
    co_await sleep(span);
    co_return value;
}
inline Task<int> error_after(std::chrono::milliseconds span, std::errc code) {
    co_await sleep(span);
    co_await fail(code);
    co_return 0;
}
inline Task<void> fails_after(std::chrono::milliseconds span, std::errc code) {
    co_await sleep(span);
    co_await fail(code);
}
// Waits for ever, holding one of the census.
inline Task<int> forever(Census& census) {
    const Alive here(census);
    co_await sleep(1h);
    co_return 0;
}
// Lets every ready task run, several times over.
inline Task<void> let_others_run(int turns = 5) {
    for (int i = 0; i < turns; ++i) co_await yield();
}

template <class T>
bool failed_with(const Result<T>& result, std::errc code) {
    return !result.has_value() && result.error() == code;
}
template <class T>
bool failed_with(const Result<T>& result, RuntimeDetail detail) {
    return !result.has_value() && result.error() == detail;
}

}  // namespace ringlet::conformance
