// offload: a call that blocks, made on a worker's thread while the loop goes on.
//
//   const int value = co_await offload([&] { return read_slow_sensor(bus); });
//   const int value = co_await offload(lane, [&] { return read_slow_sensor(bus); });
//
// The callable may use what its captures name, which stays in place while the caller waits. It must
// not touch tasks, queues, events or the log: they belong to the loop. It may post() to it.
#pragma once

#include <ringlet/task/awaiter.hpp>
#include <ringlet/work/abandonable.hpp>

namespace ringlet {

// What offload() gives. F is a reference if the callable was named: then it stays where it is.
template <class F>
class [[nodiscard]] Offload {
public:
    using Value = ValueOfCall<F>;
    static constexpr bool is_leaf = true;
    template <bool catches>
    class Awaiter;

    Offload(Lane* lane, F&& callable, bool may_wait)
        : callable_(std::forward<F>(callable)), lane_(lane), may_wait_(may_wait) {}

private:
    F callable_;
    Lane* lane_;  // null: none
    bool may_wait_;
};

template <class F>
template <bool catches>
class Offload<F>::Awaiter : public JobCall<Value> {
public:
    Awaiter(Offload& offload, TaskBlock& waiter)
        : JobCall<Value>(hooks_, &waiter, offload.lane_), offload_(offload) {}

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {
        TaskBlock& waiter = *this->block;
        if (waiter.cancelled) return waiter.stop_cancelled();
        const auto refused = current_workers->refusal(offload_.may_wait_);
        if (refused) return waiter.stop_with(*refused, catches);
        waiter.wait_for(*this);
        current_workers->submit(*this);
    }
    auto await_resume() {
        return deliver<Value, catches>([this] { return this->take(); });
    }

private:
    static void run(Job& job) {
        auto& self = static_cast<Awaiter&>(job);
        self.call(self.offload_.callable_);
    }
    static void collected(Job& job) { static_cast<Awaiter&>(job).deliver_outcome(); }
    static void request_cancel(Pending& pending) {
        auto& self = static_cast<Awaiter&>(pending);
        if (current_workers->withdraw(self) != WorkerPool::Withdrawn::yes) return;
        scheduler().finish(*self.block, Outcome::cancelled);
    }
    static constexpr JobHooks hooks_{
        {.reason = "offload", .catches = catches, .cancel = request_cancel}, run, collected};

    Offload& offload_;
};

// What offload() gives for a callable of type F, as deduced from a parameter `F&&`.
template <class F>
struct OffloadOf {
    static_assert(safe_callable_in_co_await<F&&>, RINGLET_NAME_THE_CALLABLE);
    using type = Offload<F>;
};
template <class F, class... Arguments>
struct OffloadOf<Abandonable<F, Arguments...>> {
    using type = OffloadAbandonable<Abandonable<F, Arguments...>>;
};

template <class F>
auto make_offload(Lane* lane, F&& callable, bool may_wait) {
    assert_is_job<F>();
    return typename OffloadOf<F>::type(lane, std::forward<F>(callable), may_wait);
}

// Runs `callable()` on a free worker and gives its value. A Result that it returns is taken apart:
// its error leaves the coroutine. Waits while no worker is free, first come first served; waiting
// takes no memory, since the job is part of the awaiting frame.
// Fails with operation_not_supported (RuntimeDetail::workers) if Limits::workers is 0; an
// abandonable job also with not_enough_memory (RuntimeDetail::frames).
//
// Cancellation: a job that has not begun never runs, and the caller unwinds at once. One that runs
// is waited for, since nothing can stop it: its value is delivered, and the next await unwinds. So
// a time limit around it cannot shorten it. An abandonable one is left behind: the caller unwinds
// at once, the worker stays busy until the job ends, and the result dies on the loop's thread. The
// end of the run waits for it, for Limits::stop_limit_ms at most.
template <class F>
auto offload(F&& callable) {
    return make_offload(nullptr, std::forward<F>(callable), true);
}

// The same, as the next job of a lane. The lane outlives the await.
template <class F>
auto offload(Lane& lane, F&& callable) {
    return make_offload(&lane, std::forward<F>(callable), true);
}

// The same for who would rather go without than wait long: while Limits::worker_jobs jobs have not
// ended, it fails with resource_unavailable_try_again (RuntimeDetail::jobs).
template <class F>
auto try_offload(F&& callable) {
    return make_offload(nullptr, std::forward<F>(callable), false);
}
template <class F>
auto try_offload(Lane& lane, F&& callable) {
    return make_offload(&lane, std::forward<F>(callable), false);
}

}  // namespace ringlet
