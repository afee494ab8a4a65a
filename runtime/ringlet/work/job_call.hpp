// JobCall: a Job that calls something and keeps what it returned.
#pragma once

#include <ringlet/task/promise.hpp>
#include <ringlet/work/job.hpp>
#include <ringlet/work/worker_pool.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace ringlet {

template <class T>
struct CallResult {
    using Value = T;
};
template <class T>
struct CallResult<Result<T>> {
    using Value = T;
};

// What a job that calls an F gives: a Result that it returns is taken apart.
template <class F>
using ValueOfCall = typename CallResult<std::remove_cv_t<std::invoke_result_t<F&>>>::Value;

// May an F be the callable of a job?
template <class F>
constexpr void assert_is_job() {
    static_assert(std::invocable<F&>, "a job is called without arguments");
    using Returned = std::invoke_result_t<F&>;
    static_assert(!std::is_reference_v<Returned>, "a job returns a value, not a reference");
    static_assert(!Awaitable<Returned>, "a job is a plain function; a coroutine runs on the loop");
}

// `Base` is Job, or derives from it.
template <class Value, class Base = Job>
class JobCall : public Base {
public:
    using Base::Base;

protected:
    // On the worker.
    template <class F>
    void call(F& callable) {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            std::invoke(callable);
            outcome_.emplace();
        } else {
            outcome_.emplace(std::invoke(callable));
        }
    }
    // On the loop's thread: the task goes on.
    void deliver_outcome() {
        const Error* const error = outcome_->has_value() ? nullptr : &outcome_->error();
        if (error == nullptr) return scheduler().finish(*this->block);
        scheduler().finish(*this->block, Outcome::error, *error);
    }
    Value take() {
        if constexpr (!std::is_void_v<Value>) return std::move(**outcome_);
    }

private:
    std::optional<Result<Value>> outcome_;
};

}  // namespace ringlet
