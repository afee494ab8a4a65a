// Generator<T>: a coroutine that gives many values, one at a time, when it is asked.
//
// It runs in the block of whoever asks: next() puts its frame on top, co_yield takes it off again.
// So the consumer's pace is the producer's, and the consumer's cancellation is, too.
#pragma once

#include <ringlet/flow/branch.hpp>

namespace ringlet {

// `Generator<Page> pages() { ...; co_yield page; ... }`. Inside, co_await works as in a Task.
// The generator object is immovable; leaving it early destroys the producer's locals.
template <class T>
class [[nodiscard]] Generator {
public:
    class promise_type;
    class Next;

    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;
    ~Generator() {
        if (frame_ == nullptr) return;
        frame_->generator_ = nullptr;  // its last consumer's block may be gone: it must not look
        handle_of(frame_).destroy();
    }

    // Gives the next value, or nothing once the producer has ended. An error of the producer is
    // the result, and ends it. Without a frame: not_enough_memory. After a next() that was
    // cancelled or timed out, the producer is gone: operation_canceled, so that the loss shows.
    //
    // Cancellation: unwinds the producer, then the consumer.
    Next next() { return Next(*this); }

private:
    enum class State : std::uint8_t { alive, ended, cut, no_memory };

    explicit Generator(promise_type* frame)
        : frame_(frame), state_(frame != nullptr ? State::alive : State::no_memory) {
        if (frame != nullptr) frame->generator_ = this;
    }

    promise_type* frame_;  // null once it has ended
    State state_;
    Cell<T> cell_;
};

template <class T>
class Generator<T>::promise_type : public PromiseCommon {
public:
    // Ours, or the trampoline's on the way of an error or a cancellation: the generator forgets us.
    ~promise_type() {
        if (generator_ == nullptr) return;
        const bool cut = block->outcome == Outcome::cancelled;
        generator_->frame_ = nullptr;
        generator_->state_ = cut ? State::cut : State::ended;
    }

    Generator get_return_object() { return Generator(this); }
    static Generator get_return_object_on_allocation_failure() { return Generator(nullptr); }
    void return_void() {}

    class Park {
    public:
        explicit Park(promise_type& promise) : promise_(promise) {}
        Park(const Park&) = delete;
        bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) noexcept {
            promise_.block->top = promise_.parent;
            promise_.block->step = Step::resume;
        }
        void await_resume() noexcept {}

    private:
        promise_type& promise_;
    };
    template <std::convertible_to<T> U>
    Park yield_value(U&& value) {
        static_cast<Cell<T>*>(cell)->set(std::forward<U>(value));
        return Park(*this);
    }

private:
    friend class Generator;
    Generator* generator_ = nullptr;
};

template <class T>
class [[nodiscard]] Generator<T>::Next {
public:
    using Value = std::optional<T>;
    static constexpr bool is_leaf = false;
    template <bool catches>
    class Awaiter;

    explicit Next(Generator& generator) : generator_(generator) {}

private:
    Generator& generator_;
};

template <class T>
template <bool catches>
class Generator<T>::Next::Awaiter {
public:
    Awaiter(Next& next, TaskBlock&) : generator_(next.generator_) {}
    Awaiter(const Awaiter&) = delete;

    bool await_ready() { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        TaskBlock& block = *caller.promise().block;
        if (block.cancelled) return block.stop_cancelled();
        generator_.cell_.reset();
        if (generator_.state_ == State::no_memory) return block.stop_with(no_frame_error, catches);
        if (generator_.state_ == State::cut) return block.stop_with(cancelled_error, catches);
        block.step = Step::resume;
        promise_type* const frame = generator_.frame_;
        if (frame == nullptr) return;  // it has ended: no value
        generator_.cell_.catches = catches;
        frame->block = &block;
        frame->parent = &caller.promise();
        frame->cell = &generator_.cell_;
        block.top = frame;
    }
    auto await_resume() {
        return deliver<std::optional<T>, catches>([this]() -> std::optional<T> {
            Cell<T>& cell = generator_.cell_;
            if (!cell.has_value()) return std::nullopt;
            std::optional<T> value(cell.take());
            cell.reset();
            return value;
        });
    }

private:
    Generator& generator_;
};

}  // namespace ringlet
