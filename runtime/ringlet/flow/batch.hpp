// batches: a long stream in chunks of N, in memory bounded by one chunk.
#pragma once

#include <ringlet/base/static_vector.hpp>
#include <ringlet/flow/generator.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet {

template <class T, std::size_t N>
using Batch = StaticVector<T, N>;

// Gives the items of `source` (a Generator<T>, which outlives the batches) in order, N at a time;
// the last batch may be smaller, and none is empty. An error of the source comes after the items
// that were before it.
//
// Cancellation: unwinds the source; items of a batch that was not yet full go with it.
template <std::size_t N, class T>
Generator<Batch<T, N>> batches(Generator<T>& source) {
    for (bool more = true; more;) {
        Batch<T, N> batch;
        std::optional<Error> error;
        while (more && !error && !batch.full()) {
            auto item = co_await attempt(source.next());
            if (!item) error = item.error();
            else if (!*item) more = false;
            else batch.push_back(std::move(**item));
        }
        if (!batch.empty()) co_yield std::move(batch);
        if (error) co_await fail(*error);
    }
}

}  // namespace ringlet
