// attempt: the one way to look at an error instead of leaving with it.
#pragma once

#include <ringlet/task/promise.hpp>

namespace ringlet {

template <Awaitable A>
class [[nodiscard]] Attempt {
public:
    using Value = Result<ValueOf<A>>;
    static constexpr bool is_leaf = false;

    explicit Attempt(A&& awaitable) : awaitable_(std::move(awaitable)) {}

    template <bool catches>
    class Awaiter : public A::template Awaiter<true> {
        static_assert(!catches, "attempt(attempt(x)): one is enough");

    public:
        Awaiter(Attempt& attempt, TaskBlock& waiter)
            : A::template Awaiter<true>(attempt.awaitable_, waiter) {}
        [[nodiscard("an attempt's error has to be looked at")]] auto await_resume() {
            return A::template Awaiter<true>::await_resume();
        }
    };

private:
    A awaitable_;
};

// `co_await attempt(x)` gives Result<T> where `co_await x` gives T or ends the coroutine with the
// error. Works on every awaitable.
//
// Cancellation: not seen; a cancelled task unwinds through an attempt.
template <Awaitable A>
Attempt<A> attempt(A&& awaitable) {
    return Attempt<A>(std::move(awaitable));
}

}  // namespace ringlet
