// abandonable: a job that owns all it uses, so that a cancelled caller need not wait for it.
//
// The job lives in a block of the FramePool:
//
//   1 the caller waits                  the caller's await owns the block
//   2 cancelled while the job runs   -> the caller leaves at once; the block is the pool's
//   3 the job ends                   -> the block dies on the loop's thread, with the result
#pragma once

#include <ringlet/task/gcc_traps.hpp>
#include <ringlet/task/pool_box.hpp>
#include <ringlet/work/job_call.hpp>

#include <ranges>
#include <tuple>

namespace ringlet {

// May an abandonable job own a T? Some types say themselves that they refer to others.
template <class T>
inline constexpr bool is_owner =
    std::is_object_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T> &&
    !std::is_null_pointer_v<T> && !std::ranges::view<T>;
template <class T>
inline constexpr bool is_owner<std::reference_wrapper<T>> = false;

// A function and its arguments.
template <class F, class... Arguments>
class [[nodiscard]] Abandonable {
public:
    template <class... Given>
    explicit Abandonable(F function, Given&&... arguments)
        : function_(function), arguments_(std::forward<Given>(arguments)...) {}
    auto operator()() { return std::apply(function_, std::move(arguments_)); }

private:
    [[no_unique_address]] F function_;
    std::tuple<Arguments...> arguments_;
};

// `co_await offload(abandonable(function, arguments...))`: a job whose caller may leave while it
// runs. The function has no captures; the arguments are copied or moved into the job, and passed as
// rvalues. What belongs to the loop (a socket, a file) the function takes as `T&&`: a parameter by
// value would die on the worker. Pointers, references, std::string_view, std::span and other views
// are refused. Whether an argument of a class of your own refers to what may die before the job,
// nobody can check.
template <class F, class... Arguments>
auto abandonable(F&& function, Arguments&&... arguments) {
    using Function = std::decay_t<F>;
    using Made = Abandonable<Function, std::decay_t<Arguments>...>;
    static_assert(std::is_empty_v<Function> ||
                      std::is_function_v<std::remove_pointer_t<Function>>,
                  "an abandonable job has no captures: pass what it uses as arguments");
    static_assert((is_owner<std::decay_t<Arguments>> && ...),
                  "an abandonable job owns its arguments: no pointers, references or views");
    static_assert((safe_in_co_await<Arguments&&> && ...), RINGLET_GIVE_IT_A_CONSTRUCTOR);
    return Made(std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

// What offload(abandonable(...)) gives. C is an Abandonable.
template <class C>
class [[nodiscard]] OffloadAbandonable {
    template <bool catches>
    struct Box;

public:
    using Value = ValueOfCall<C>;
    static constexpr bool is_leaf = true;
    template <bool catches>
    class Awaiter;

    OffloadAbandonable(Lane* lane, C&& callable, bool may_wait)
        : callable_(std::move(callable)), lane_(lane), may_wait_(may_wait) {}

private:
    C callable_;
    Lane* lane_;  // null: none
    bool may_wait_;
};

template <class C>
template <bool catches>
class OffloadAbandonable<C>::Awaiter {
public:
    Awaiter(OffloadAbandonable& offload, TaskBlock& waiter) : offload_(offload), waiter_(waiter) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter() { PoolBox<Box<catches>>::destroy(box_); }

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {
        if (waiter_.cancelled) return waiter_.stop_cancelled();
        const auto refused = current_workers->refusal(offload_.may_wait_);
        if (refused) return waiter_.stop_with(*refused, catches);
        box_ = PoolBox<Box<catches>>::make_raw(offload_, waiter_, box_);
        if (box_ == nullptr) return waiter_.stop_with(no_frame_error, catches);
        waiter_.wait_for(*box_);
        current_workers->submit(*box_);
    }
    auto await_resume() {
        return deliver<Value, catches>([this] { return box_->take(); });
    }

private:
    OffloadAbandonable& offload_;
    TaskBlock& waiter_;
    Box<catches>* box_ = nullptr;  // null before, and once it was abandoned
};

template <class C>
template <bool catches>
struct OffloadAbandonable<C>::Box : JobCall<Value, AbandonableJob> {
    Box(OffloadAbandonable& offload, TaskBlock& waiter, Box*& owner)
        : JobCall<Value, AbandonableJob>(hooks, &waiter, offload.lane_),
          callable(std::move(offload.callable_)), held_by(owner) {}
    using JobCall<Value, AbandonableJob>::take;

    static void run(Job& job) {
        auto& self = static_cast<Box&>(job);
        self.call(self.callable);
    }
    static void collected(Job& job) {
        auto& self = static_cast<Box&>(job);
        if (self.block != nullptr) return self.deliver_outcome();
        self.ListLink<AbandonableJob>::unlink();
        PoolBox<Box>::destroy(&self);
    }
    static void request_cancel(Pending& pending) {
        auto& self = static_cast<Box&>(pending);
        const auto withdrawn = current_workers->withdraw(self);
        if (withdrawn == WorkerPool::Withdrawn::has_ended) return;  // in this turn the value comes
        TaskBlock& caller = *self.block;
        if (withdrawn == WorkerPool::Withdrawn::runs) {
            self.held_by = nullptr;
            current_workers->abandon(self);
        }
        scheduler().finish(caller, Outcome::cancelled);
    }
    static constexpr JobHooks hooks{
        {.reason = "offload", .catches = catches, .cancel = request_cancel}, run, collected};

    C callable;
    Box*& held_by;  // the await's pointer to this block, as long as it waits
};

}  // namespace ringlet
