// gather: several awaits side by side, all of them needed.
#pragma once

#include <ringlet/flow/together.hpp>

namespace ringlet {

// Runs all and gives a tuple of their values in the order of the arguments (std::monostate for
// void). The first failure cancels the others, and is the result once all have unwound; an error
// of another branch meanwhile is logged. Without memory for a branch: not_enough_memory.
//
// Cancellation: cancels all branches; returns after they have unwound.
template <Awaitable... A>
auto gather(A&&... awaitables) {
    using Inputs = TupleInputs<ValueOf<A>...>;
    return RunTogether<Inputs, Together::all>(Inputs(as_task(std::move(awaitables))...));
}

// The same for an array of tasks: gives an array.
template <class T, std::size_t N>
auto gather(std::array<Task<T>, N>&& tasks) {
    using Inputs = ArrayInputs<T, N>;
    return RunTogether<Inputs, Together::all>(Inputs(std::move(tasks)));
}

// The same for a span: writes to `values`, which has at least as many places, and gives the part
// that was written. For Task<void> the places are std::monostate.
template <class T>
auto gather(std::span<Task<T>> tasks, std::span<Storable<T>> values) {
    using Inputs = SpanInputs<Together::all, T>;
    return RunTogether<Inputs, Together::all>(Inputs(tasks, values));
}

// Like gather, but a failure disturbs nobody: gives every outcome as a Result. This is asyncio's
// gather(..., return_exceptions=True).
template <Awaitable... A>
auto gather_results(A&&... awaitables) {
    using Inputs = TupleInputs<ValueOf<A>...>;
    return RunTogether<Inputs, Together::results>(Inputs(as_task(std::move(awaitables))...));
}
template <class T, std::size_t N>
auto gather_results(std::array<Task<T>, N>&& tasks) {
    using Inputs = ArrayInputs<T, N>;
    return RunTogether<Inputs, Together::results>(Inputs(std::move(tasks)));
}
template <class T>
auto gather_results(std::span<Task<T>> tasks, std::span<Result<T>> results) {
    using Inputs = SpanInputs<Together::results, T>;
    return RunTogether<Inputs, Together::results>(Inputs(tasks, results));
}

}  // namespace ringlet
