// race: several awaits side by side, of which the first to end is enough.
#pragma once

#include <ringlet/flow/together.hpp>

namespace ringlet {

// Gives a Raced: `first`, the index of the branch that ended first, with a value or an error, and
// `outcomes`, a tuple with the std::optional<Result<T>> of every branch. The others are cancelled
// and awaited. race itself fails only without memory for a branch: not_enough_memory.
//
// Cancellation: cancels all branches; returns after they have unwound. If one completed all the
// same, its outcome is handed over, and the next await unwinds.
template <Awaitable... A>
    requires(sizeof...(A) > 0)
auto race(A&&... awaitables) {
    using Inputs = TupleInputs<ValueOf<A>...>;
    return RunTogether<Inputs, Together::race>(Inputs(as_task(std::move(awaitables))...));
}
template <class T, std::size_t N>
    requires(N > 0)
auto race(std::array<Task<T>, N>&& tasks) {
    using Inputs = ArrayInputs<T, N>;
    return RunTogether<Inputs, Together::race>(Inputs(std::move(tasks)));
}
// Asserts that there is at least one task; outcomes is the written part of `outcomes`.
template <class T>
auto race(std::span<Task<T>> tasks, std::span<std::optional<Result<T>>> outcomes) {
    RINGLET_ASSERT(!tasks.empty());
    using Inputs = SpanInputs<Together::race, T>;
    return RunTogether<Inputs, Together::race>(Inputs(tasks, outcomes));
}

}  // namespace ringlet
