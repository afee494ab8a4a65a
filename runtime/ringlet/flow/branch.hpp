// Branch: a block of its own for a task that somebody waits for; and the bases of composite awaits.
#pragma once

#include <ringlet/task/pool_box.hpp>
#include <ringlet/task/task.hpp>

#include <optional>
#include <utility>
#include <variant>

namespace ringlet {

inline constexpr Error cancelled_error{std::errc::operation_canceled, Domain::runtime};

// A block that has a place in the FramePool of its own, whatever its type.
struct PooledBlock : TaskBlock {
    void (*free)(PooledBlock&) = nullptr;
};

template <class T, class Base = TaskBlock>
struct Branch : Base {
    // Readies the block to run `task`; without a frame it has ended with not_enough_memory: false.
    bool begin(Task<T>& task, Pending& whose) {
        this->owner = &whose;
        if (whose.block != nullptr) this->where = whose.block->where;  // until it awaits by itself
        if (task.begin(*this, nullptr, cell)) return true;
        this->outcome = Outcome::error;
        this->error = no_frame_error;
        this->step = Step::end;
        return false;
    }

    // How it ended; a cancelled branch gives operation_canceled. Takes the value.
    Result<T> result() {
        if (this->outcome == Outcome::error) return std::unexpected(this->error);
        if (this->outcome == Outcome::cancelled) return std::unexpected(cancelled_error);
        if constexpr (std::is_void_v<T>) return {};
        else return Result<T>(cell.take());
    }

    Cell<T> cell;
};

// In tuples and optionals, "nothing" is a value.
template <class T>
using Storable = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// Any awaitable as a Task: composites run tasks.
template <class T>
Task<T> as_task(Task<T>&& task) {
    return std::move(task);
}
template <Awaitable A>
Task<ValueOf<A>> as_task(A awaitable) {
    co_return co_await Unplaced<A>{awaitable};
}

// The awaiter of a composite whose state is a Box in the FramePool for the time of the await.
// Box is a Pending, made from (Description&, TaskBlock& parent), with
//   std::optional<Error> start()   arms and starts what it consists of, or says why it cannot
//   Value take()                   after it was woken with a value
// A full pool is not_enough_memory at the await.
template <class Description, class Box, class Value, bool catches, bool shielded = false>
class BoxedAwaiter {
public:
    BoxedAwaiter(Description& description, TaskBlock&) : description_(description) {}
    BoxedAwaiter(const BoxedAwaiter&) = delete;

    bool await_ready() { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        TaskBlock& block = *caller.promise().block;
        if (!shielded && block.cancelled) return block.stop_cancelled();
        if (!box_.make(description_, block)) return block.stop_with(no_frame_error, catches);
        block.wait_for(*box_);
        const std::optional<Error> refused = box_->start();
        if (!refused) return;
        block.waiting = nullptr;
        block.stop_with(*refused, catches);
    }
    auto await_resume() {
        return deliver<Value, catches>([this] { return box_->take(); });
    }

private:
    Description& description_;
    PoolBox<Box> box_;
};

}  // namespace ringlet
