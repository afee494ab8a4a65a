// Task<T>: a coroutine that runs when it is awaited, and gives a T.
#pragma once

#include <ringlet/task/promise.hpp>

namespace ringlet {

// The coroutine's frame comes from the FramePool when the function is called. If none is free, the
// Task is empty, and awaiting it fails with not_enough_memory (RuntimeDetail::frames).
// A Task that is never awaited runs nothing; its frame dies with it. It is awaited once, as an
// rvalue: `co_await f()` or `co_await std::move(task)`.
//
// Cancellation: the awaited coroutine unwinds at its own co_await, then its caller does.
template <class T>
class [[nodiscard("a Task runs only when it is awaited")]] Task {
public:
    class promise_type;
    using Value = T;
    static constexpr bool is_leaf = false;
    template <bool catches>
    class Awaiter;

    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (frame_ != nullptr && frame_ != &no_frame) handle_of(frame_).destroy();
    }

    // False if there was no frame for it.
    bool has_frame() const { return frame_ != &no_frame; }

    // For awaiters: hands the frame to `block`, as its top frame; the outcome goes to `cell`.
    // False if there was no frame. Asserts that the task was not awaited before.
    bool begin(TaskBlock& block, PromiseBase* parent, Cell<T>& cell) {
        RINGLET_ASSERT(frame_ != nullptr);  // a Task is awaited once
        PromiseBase* const frame = std::exchange(frame_, nullptr);
        if (frame == &no_frame) return false;
        frame->block = &block;
        frame->parent = parent;
        frame->cell = &cell;
        block.top = frame;
        return true;
    }

private:
    static inline constinit PromiseBase no_frame{};

    explicit Task(PromiseBase* frame) : frame_(frame) {}

    PromiseBase* frame_;  // null once it is spent
};

template <class T>
class TaskPromise : public PromiseCommon {
public:
    template <std::convertible_to<T> U>
    void return_value(U&& value) {
        static_cast<Cell<T>*>(cell)->set(std::forward<U>(value));
    }
};
template <>
class TaskPromise<void> : public PromiseCommon {
public:
    void return_void() {}
};

template <class T>
class Task<T>::promise_type : public TaskPromise<T> {
public:
    Task get_return_object() {
        static_assert(alignof(promise_type) <= FramePool::alignment);
        return Task(static_cast<PromiseBase*>(this));
    }
    static Task get_return_object_on_allocation_failure() { return Task(&no_frame); }
};

// `co_await f()`: the frame of f becomes the top of the caller's block. No block, no queue.
template <class T>
template <bool catches>
class Task<T>::Awaiter {
public:
    Awaiter(Task& task, TaskBlock&) : task_(task) { cell_.catches = catches; }
    Awaiter(const Awaiter&) = delete;

    bool await_ready() { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        TaskBlock& block = *caller.promise().block;
        if (block.cancelled) return block.stop_cancelled();
        if (!task_.begin(block, &caller.promise(), cell_)) {
            const Error full(std::errc::not_enough_memory, RuntimeDetail::frames);
            return block.stop_with(full, catches);
        }
        block.step = Step::resume;
    }
    auto await_resume() {
        return deliver<T, catches>([this] { return cell_.take(); });
    }

private:
    Cell<T> cell_;
    Task& task_;
};

}  // namespace ringlet
