// Promises: what every coroutine frame begins with, and how an await inside it is made.
//
// A frame knows its block, its parent, and the Cell in its parent where its outcome goes. An
// awaitable is a cheap description ("receive into this buffer"); await_transform makes its Awaiter
// in place in the frame. An awaitable A has
//   A::Value                             what co_await gives
//   A::template Awaiter<catches>         constructed from (A&, TaskBlock&); never copied or moved;
//                                        with `catches`, co_await gives Result<Value> (attempt.hpp)
//   A::is_leaf                           true if the await is one Pending of its own
#pragma once

#include <ringlet/base/error.hpp>
#include <ringlet/task/frame_size.hpp>
#include <ringlet/task/scheduler.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace ringlet {

struct CellBase {
    bool catches = false;  // an attempt waits here
};

struct PromiseBase {
    // All set when the task begins.
    TaskBlock* block;
    PromiseBase* parent;
    CellBase* cell;
};

inline std::coroutine_handle<PromiseBase> handle_of(PromiseBase* promise) {
    return std::coroutine_handle<PromiseBase>::from_promise(*promise);
}

// Where a coroutine leaves its value. Lives in whoever awaits it.
template <class T>
class Cell : public CellBase {
    static_assert(!std::is_reference_v<T>, "results are values: there is no Task<T&>");

public:
    Cell() {}
    ~Cell() { reset(); }
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;

    bool has_value() const { return full_; }
    template <class U>
    void set(U&& value) {
        std::construct_at(&value_, std::forward<U>(value));
        full_ = true;
    }
    T take() { return std::move(value_); }
    void reset() {
        if (std::exchange(full_, false)) std::destroy_at(&value_);
    }

private:
    bool full_ = false;
    union {
        T value_;
    };
};
template <>
class Cell<void> : public CellBase {
public:
    Cell() = default;
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;
    void take() {}
};

template <class A>
concept Awaitable = requires {
    typename A::Value;
    { A::is_leaf } -> std::convertible_to<bool>;
} && !std::is_reference_v<A>;

// An awaitable that a task of the runtime's own awaits: its place in the await tree stays the
// user's.
template <Awaitable A>
struct Unplaced {
    A& awaitable;
};

template <class A>
using ValueOf = typename std::remove_cvref_t<A>::Value;

// What co_await gives: the value, or, for an attempt, the error that the trampoline left in the
// running block, else the value.
template <class Value, bool catches, class Take>
auto deliver(Take&& take) {
    if constexpr (!catches) {
        return std::forward<Take>(take)();
    } else {
        TaskBlock& block = scheduler().running();
        if (block.outcome == Outcome::error) {
            block.outcome = Outcome::value;
            return Result<Value>(std::unexpect, block.error);
        }
        if constexpr (std::is_void_v<Value>) {
            std::forward<Take>(take)();
            return Result<void>();
        } else {
            return Result<Value>(std::forward<Take>(take)());
        }
    }
}

// The awaiter of `co_await fail(error)`.
class FailAwaiter {
public:
    FailAwaiter(Error error, TaskBlock& block) : error_(error), block_(block) {}
    FailAwaiter(const FailAwaiter&) = delete;
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) { block_.stop_with(error_, false); }
    [[noreturn]] void await_resume() { std::unreachable(); }

private:
    Error error_;
    TaskBlock& block_;
};

// The awaiter of a Result: its value, or the coroutine ends with its error.
template <class T, class Given>
class ResultAwaiter {
public:
    ResultAwaiter(Given& result, TaskBlock& block) : result_(result), block_(block) {}
    ResultAwaiter(const ResultAwaiter&) = delete;
    bool await_ready() { return result_.has_value() && scheduler().may_go_on(); }
    void await_suspend(std::coroutine_handle<>) {
        if (block_.cancelled) return block_.stop_cancelled();
        if (!result_.has_value()) return block_.stop_with(result_.error(), false);
        block_.step = Step::resume;  // the credit is used up: the others run first
    }
    T await_resume() {
        if constexpr (!std::is_void_v<T>) return std::move(*result_);  // a const one is copied
    }

private:
    Given& result_;
    TaskBlock& block_;
};

// The promise of every coroutine, but for its result.
class PromiseCommon : public PromiseBase {
public:
    // Always inline, so that optimised code knows `bytes` as a constant.
    [[gnu::always_inline]] static void* operator new(std::size_t bytes) noexcept {
        check_frame_size(bytes);
        RINGLET_ASSERT(current_scheduler != nullptr);  // coroutines live inside run()
        return scheduler().frames().allocate(bytes);
    }
    static void operator delete(void* frame, std::size_t bytes) {
        scheduler().frames().release(frame, bytes);
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    // The frame has left its outcome in the cell; it frees itself, and its parent goes on.
    std::suspend_never final_suspend() noexcept {
        block->top = parent;
        block->step = parent != nullptr ? Step::resume : Step::end;
        return {};
    }

    [[noreturn]] void unhandled_exception() { panic("an exception in a coroutine", __FILE__, 0); }

    template <Awaitable A>
    auto await_transform(A&& awaitable, const void* here = RINGLET_HERE) {
        block->where = site_of(here);
        return typename A::template Awaiter<false>(awaitable, *block);
    }
    template <Awaitable A>
    auto await_transform(Unplaced<A> inner) {
        return typename A::template Awaiter<false>(inner.awaitable, *block);
    }
    template <Awaitable A>
    void await_transform(A& awaitable) = delete;  // co_await std::move(x): an awaitable is used up

    FailAwaiter await_transform(Fail why) { return FailAwaiter(why.error, *block); }
    template <class T>
    auto await_transform(Result<T>&& result) {
        return ResultAwaiter<T, Result<T>>(result, *block);
    }
    template <class T>
    auto await_transform(const Result<T>& result) {
        return ResultAwaiter<T, const Result<T>>(result, *block);
    }
};

}  // namespace ringlet
