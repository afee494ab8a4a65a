// What the cases of sync/ share. Nothing here allocates.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/testing/random.hpp>

#include <support/cases.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace ringlet::support {

// Lets every ready task run, several times over.
inline Task<void> let_others_run(int turns = 4) {
    for (int i = 0; i < turns; ++i) co_await yield();
}

// What happened, as letters and digits.
class Trace {
public:
    void add(char letter) {
        RINGLET_ASSERT(size_ < letters_.size());
        letters_[size_++] = letter;
    }
    // 0 to 9
    void add_digit(std::size_t number) { add(static_cast<char>('0' + number)); }
    std::string_view text() const { return {letters_.data(), size_}; }
    std::string_view take() { return {letters_.data(), std::exchange(size_, 0)}; }

private:
    std::array<char, 256> letters_{};
    std::size_t size_ = 0;
};

// Adds its letter when it is destroyed: on every way out of a scope.
class Mark {
public:
    Mark(Trace& trace, char letter) : trace_(trace), letter_(letter) {}
    Mark(const Mark&) = delete;
    ~Mark() { trace_.add(letter_); }

private:
    Trace& trace_;
    char letter_;
};

// A task's block, noted by the task itself, so that a case can do to it at a chosen moment what a
// time limit on a single await does. A TaskHandle must keep the block.
class Interruptible {
public:
    void is_me() { block_ = &scheduler().running(); }
    void interrupt() {
        if (block_ != nullptr) scheduler().interrupt(*block_);
    }

private:
    TaskBlock* block_ = nullptr;
};

// Can be moved, not copied, and tells whether it was moved from.
class Token {
public:
    explicit Token(int number) : number_(number) {}
    Token(Token&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
    Token& operator=(Token&& other) noexcept {
        number_ = std::exchange(other.number_, 0);
        return *this;
    }
    ~Token() {}
    int number() const { return number_; }

private:
    int number_;
};

class Dice {
public:
    explicit Dice(unsigned seed) : random_(seed) {}
    // 0 to sides - 1
    unsigned roll(unsigned sides) { return static_cast<unsigned>(random_.between(0, sides - 1)); }
    bool one_in(unsigned sides) { return roll(sides) == 0; }

private:
    testing::Random random_;
};

// Many tasks that are cancelled and interrupted at random until all are cancelled.
template <std::size_t N>
class Crowd {
public:
    // `work(Interruptible& me, unsigned index)` is a Task<void>.
    template <class Work>
    void spawn(TaskGroup& group, Work& work) {
        for (unsigned i = 0; i < N; ++i) {
            handles_[i].emplace(group.spawn(std::ref(work), std::ref(tasks_[i]), i));
        }
    }
    Task<void> storm(Dice& dice, int steps) {
        co_await yield();
        for (int step = 0; step < steps; ++step) {
            const unsigned which = dice.roll(N);
            const unsigned what = dice.roll(4);
            if (what == 0) handles_[which]->cancel();
            if (what == 1) tasks_[which].interrupt();
            if (what >= 2) co_await yield();
        }
    }
    void cancel_all() {
        for (auto& handle : handles_) handle->cancel();
    }

private:
    std::array<Interruptible, N> tasks_;
    std::array<std::optional<TaskHandle<void>>, N> handles_;
};

inline constexpr unsigned storm_rounds = 300;

// For death tests.
inline void run_to_death(Case body) {
    testing::Simulation simulation;
    simulation.run<case_limits>(body);
}

}  // namespace ringlet::support

namespace ringlet {
using namespace support;
}
