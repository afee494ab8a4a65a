// timeout and until: a time limit on any await.
//
// On a single await (a receive, a get) the limit is a timer in the awaiter. On a task it is a block
// with a timer: the task is cancelled, awaited, and only then is timed_out reported.
#pragma once

#include <ringlet/flow/branch.hpp>
#include <ringlet/time/deadline.hpp>

namespace ringlet {

// Until when an await may take: a deadline, or a span from the turn in which it begins.
class TimeLimit {
public:
    explicit TimeLimit(Deadline deadline) : at_(deadline.at()), clock_(deadline.clock()) {}
    explicit TimeLimit(Nanoseconds span) : at_(span.count()), is_span_(true) {}

    void arm(Timer& timer) const {
        if (is_span_) scheduler().arm_after(timer, Nanoseconds(at_));
        else scheduler().arm(timer, clock_, at_);
    }

private:
    Instant at_;
    Clock clock_ = Clock::monotonic;
    bool is_span_ = false;
};

template <Awaitable A>
class [[nodiscard]] Timeout {
public:
    using Value = ValueOf<A>;
    static constexpr bool is_leaf = false;

    Timeout(TimeLimit limit, A&& awaitable) : limit_(limit), awaitable_(std::move(awaitable)) {}

private:
    template <bool catches>
    class LeafAwaiter;
    template <bool catches>
    class Box;
    template <bool catches>
    struct Choose {
        using type = BoxedAwaiter<Timeout, Box<catches>, Value, catches>;
    };
    template <bool catches>
        requires A::is_leaf
    struct Choose<catches> {
        using type = LeafAwaiter<catches>;
    };

public:
    template <bool catches>
    using Awaiter = typename Choose<catches>::type;

private:
    TimeLimit limit_;
    A awaitable_;
};

template <Awaitable A>
template <bool catches>
class Timeout<A>::LeafAwaiter {
public:
    LeafAwaiter(Timeout& timeout, TaskBlock& waiter)
        : timeout_(timeout), leaf_(timeout.awaitable_, waiter), timer_(hooks, &waiter) {}
    LeafAwaiter(const LeafAwaiter&) = delete;
    ~LeafAwaiter() { timer_.disarm(); }

    bool await_ready() { return leaf_.await_ready(); }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        leaf_.await_suspend(caller);
        if (timer_.block->step != Step::wait) return;
        timeout_.limit_.arm(timer_);
    }
    decltype(auto) await_resume() {
        timer_.disarm();
        return leaf_.await_resume();
    }

private:
    // The timer is nobody's `waiting`: the leaf is. It only asks the leaf to end.
    static constexpr PendingHooks hooks{
        .reason = "timeout",
        .catches = catches,
        .cancel = nullptr,
        .expire = [](Pending& pending) { scheduler().interrupt(*pending.block); }};

    Timeout& timeout_;
    typename A::template Awaiter<catches> leaf_;
    Timer timer_;
};

template <Awaitable A>
template <bool catches>
class Timeout<A>::Box : public Timer {
public:
    Box(Timeout& timeout, TaskBlock& parent) : Timer(hooks, &parent), timeout_(timeout) {}
    ~Box() { disarm(); }

    std::optional<Error> start() {
        auto task = as_task(std::move(timeout_.awaitable_));
        if (!body_.begin(task, *this)) return body_.error;
        timeout_.limit_.arm(*this);
        scheduler().start_next(body_);
        return {};
    }
    Value take() { return body_.cell.take(); }

private:
    static void stop(Pending& pending) { scheduler().cancel(static_cast<Box&>(pending).body_); }
    static void ended(Pending& pending, TaskBlock& body) {
        auto& self = static_cast<Box&>(pending);
        TaskBlock& parent = *self.block;
        self.disarm();
        if (body.outcome == Outcome::cancelled && !parent.cancelled) {
            const Error expired(std::errc::timed_out, Domain::runtime);
            return scheduler().finish_next(parent, Outcome::error, expired);
        }
        scheduler().finish_next(parent, body.outcome, body.error);
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        visit(static_cast<Box&>(pending).body_, context);
    }
    static constexpr PendingHooks hooks{.reason = "timeout",
                                        .catches = catches,
                                        .cancel = stop,
                                        .expire = stop,
                                        .child_ended = ended,
                                        .children = children};

    Timeout& timeout_;
    Branch<Value> body_;
};

// Gives what `awaitable` gives, or fails with timed_out once the deadline has passed and the
// awaitable has unwound. A result that comes in the same turn as the expiry is kept, but for what a
// queue, semaphore or event had only promised: that goes to the next in line, and nothing is lost.
// With a deadline in the past the work still runs up to its first wait.
//
// Cancellation: goes through to the awaitable; returns after it has unwound. What a kernel
// operation had brought by then is kept if the limit is on that operation itself, and dies with
// the frame that received it if the limit is on a task around it.
template <Awaitable A>
Timeout<A> until(Deadline deadline, A&& awaitable) {
    return Timeout<A>(TimeLimit(deadline), std::move(awaitable));
}

// The same, `span` from now. Zero and negative spans have expired at once. It counts from when all
// that is ready has run: the time in which nothing could have come is not the awaitable's.
template <class Rep, class Period, Awaitable A>
Timeout<A> timeout(std::chrono::duration<Rep, Period> span, A&& awaitable) {
    return Timeout<A>(TimeLimit(to_nanoseconds(span)), std::move(awaitable));
}

}  // namespace ringlet
