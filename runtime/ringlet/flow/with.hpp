// with: a resource whose asynchronous close is awaited on every way out.
#pragma once

#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/gcc_traps.hpp>

#include <chrono>

namespace ringlet {

// Runs `work`; when it has ended, in whatever way, runs what `clean_up(outcome)` returns, shielded.
// The work's error or cancellation comes before the clean-up's error.
template <class T, class CleanUp>
class [[nodiscard]] Finally {
    template <bool catches>
    class Box;

public:
    using Value = T;
    static constexpr bool is_leaf = false;
    template <bool catches>
    using Awaiter = BoxedAwaiter<Finally, Box<catches>, T, catches>;

    // clean_up is a callable (Outcome) -> Task<void>; it outlives the await.
    Finally(Task<T>&& work, CleanUp& clean_up) : work_(std::move(work)), clean_up_(clean_up) {}

private:
    Task<T> work_;
    CleanUp& clean_up_;
};

template <class T, class CleanUp>
template <bool catches>
class Finally<T, CleanUp>::Box : public Pending {
public:
    Box(Finally& description, TaskBlock& parent)
        : Pending(hooks, &parent), description_(description) {}

    std::optional<Error> start() {
        if (!work_.begin(description_.work_, *this)) return work_.error;
        scheduler().start_next(work_);
        return {};
    }
    T take() { return work_.cell.take(); }

private:
    static void cancel(Pending& pending) {
        auto& self = static_cast<Box&>(pending);
        if (!self.work_.is_done()) scheduler().cancel(self.work_);  // else it cleans up: shielded
    }
    static void ended(Pending& pending, TaskBlock& child) {
        auto& self = static_cast<Box&>(pending);
        if (&child == &self.work_) {
            Task<void> task = self.description_.clean_up_(child.outcome);
            // Without a frame for the clean-up, the resource's destructor has to do.
            if (self.clean_up_.begin(task, self)) return scheduler().start_next(self.clean_up_);
        }
        const bool close_failed =
            self.work_.outcome == Outcome::value && self.clean_up_.outcome == Outcome::error;
        const TaskBlock& decides =
            close_failed ? static_cast<TaskBlock&>(self.clean_up_) : self.work_;
        scheduler().finish_next(*self.block, decides.outcome, decides.error);
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        auto& self = static_cast<Box&>(pending);
        visit(self.work_.is_done() ? static_cast<TaskBlock&>(self.clean_up_) : self.work_, context);
    }
    static constexpr PendingHooks hooks{.reason = "with",
                                        .catches = catches,
                                        .cancel = cancel,
                                        .child_ended = ended,
                                        .children = children};

    Finally& description_;
    Branch<T> work_;
    Branch<void> clean_up_;
};

// `co_await finally(work(), clean_up)`: for clean-up that awaits and belongs to no resource.
// clean_up is a named callable (Outcome) -> Task<void>; without a frame for it the await fails with
// not_enough_memory. If only the clean-up fails, its error is the result.
//
// Cancellation: the work unwinds, then the clean-up runs to its end, shielded.
template <class T, class CleanUp>
Finally<T, CleanUp> finally(Task<T>&& work, CleanUp& clean_up) {
    return Finally<T, CleanUp>(std::move(work), clean_up);
}

// A resource ends by `leave(Outcome)` if it has that (a transaction commits or rolls back), else by
// `close()`; either is an awaitable of void.
template <class R>
Task<void> leave_resource(std::optional<R>& resource, Outcome outcome, Nanoseconds limit) {
    if (!resource) co_return;
    if constexpr (requires { resource->leave(outcome); }) {
        auto leaving = timeout(limit, resource->leave(outcome));
        co_await Unplaced<decltype(leaving)>{leaving};
    } else {
        auto closing = timeout(limit, resource->close());
        co_await Unplaced<decltype(closing)>{closing};
    }
}

template <Awaitable Open, class R, class Body>
auto use_resource(Open& open, std::optional<R>& resource, Body& body)
    -> std::invoke_result_t<Body&, R&> {
    resource.emplace(co_await Unplaced<Open>{open});
    auto task = body(*resource);
    co_return co_await Unplaced<decltype(task)>{task};
}

template <Awaitable Open, class Body>
auto run_with(Open open, Body body, Nanoseconds limit)
    -> std::invoke_result_t<Body&, ValueOf<Open>&> {
    using R = ValueOf<Open>;
    std::optional<R> resource;
    auto clean_up = [&resource, limit](Outcome outcome) {
        return leave_resource(resource, outcome, limit);
    };
    auto work = finally(use_resource(open, resource, body), clean_up);
    co_return co_await Unplaced<decltype(work)>{work};
}

inline constexpr std::chrono::seconds close_limit_default{5};

// `co_await with(File::open(...), [&](File& file) -> Task<T> {...})`: opens, runs the body, and
// awaits the resource's close() (or leave(Outcome)) on success, error and cancellation, for
// `limit` at most. If only the close fails, its error is the result.
//
// Cancellation: the body unwinds, then the close runs to its end, shielded.
template <Awaitable Open, class Body>
auto with(Open&& open, Body&& body, Nanoseconds limit = close_limit_default) {
    static_assert(safe_callable_in_co_await<Body&&>, RINGLET_NAME_THE_CALLABLE);
    return run_with<Open, std::decay_t<Body>>(std::move(open), std::forward<Body>(body), limit);
}

}  // namespace ringlet
