// retry: tries something several times, with longer and longer pauses between.
//
//   const auto page = co_await retry({.attempts = 5, .first_delay = 100ms, .delay_max = 10s},
//                                    [&]() -> Task<Page> { return client.get(url); });
//
//            +-------------------------- 4 ---------------------------+
//            v                                                        |
//   --1--> attempt --2--> its value                                   |
//            |                                                        |
//            3 it failed: another one? --yes--> pause ----------------+
//                         |
//                         no: its error
#pragma once

#include <ringlet/flow/backoff.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/transient.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/gcc_traps.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdint>
#include <source_location>

namespace ringlet {

enum class Jitter : std::uint8_t {
    none,  // pauses of exactly first_delay * 2^n
    full,  // drawn evenly between zero and that: a thousand clients do not come back at once
};

// What a retry has come to. Its attempts may look at it and write to it; a caller who gives one in
// RetryPolicy::progress can read it at any time, also after a cancellation.
struct RetryProgress {
    // The number of the attempt under way, or of the last one; the first is 1.
    unsigned attempt = 0;
    // Why the attempt before failed; after the end, the last that failed by itself. Error() if none
    // has. So if the deadline cut off an attempt, this is what had been wrong until then.
    Error last_error;
    // For the attempt to set before it fails: the pause after it is at least so long (an HTTP
    // server's Retry-After), also if that is more than delay_max. Zero at each attempt's start.
    Nanoseconds pause_min{0};
};

inline constexpr unsigned retry_for_ever = ~0u;

struct RetryPolicy {
    // All in all, the first included; > 0. Or retry_for_ever.
    unsigned attempts = 3;
    // The pause after attempt n (from 1) is first_delay * 2^(n-1), at most delay_max; with jitter
    // a part of that. Neither is negative.
    Nanoseconds first_delay = std::chrono::milliseconds(100);
    Nanoseconds delay_max = std::chrono::seconds(10);
    Jitter jitter = Jitter::full;
    // Of the whole: cuts off an attempt that is under way, and no pause is begun that would not be
    // over before. (For a limit on each attempt, put a timeout into it.)
    Deadline deadline = Deadline::none();
    // Which errors are worth another attempt.
    bool (*retries)(Error) = is_transient;
    // Optional; outlives the await.
    RetryProgress* progress = nullptr;
};

// What follows after an attempt: a pause of so long, or nothing: it was the last.
std::optional<Nanoseconds> pause_after(Error error, const RetryPolicy& policy,
                                       RetryProgress& progress);

template <class F>
constexpr auto start_attempt(F& action, RetryProgress& progress) {
    if constexpr (std::invocable<F&, RetryProgress&>) return action(progress);
    else return action();
}
template <class F>
using AttemptValue =
    ValueOf<decltype(start_attempt(std::declval<F&>(), std::declval<RetryProgress&>()))>;

template <class F>
Task<AttemptValue<F>> run_retry(RetryPolicy policy, F action, std::source_location where) {
    RetryProgress own;
    RetryProgress& progress = policy.progress != nullptr ? *policy.progress : own;
    progress = {};
    for (;;) {
        if (progress.attempt < retry_for_ever) ++progress.attempt;
        progress.pause_min = {};
        auto trying = attempt(until(policy.deadline, start_attempt(action, progress)));
        auto outcome = co_await Unplaced<decltype(trying)>{trying};
        if (outcome) {
            if constexpr (std::is_void_v<AttemptValue<F>>) co_return;
            else co_return *std::move(outcome);
        }
        const auto pause = pause_after(outcome.error(), policy, progress);
        if (!pause) co_await fail(outcome.error());
        scheduler().running().where = where;  // in the await tree the pause stands at the retry
        auto pausing = sleep(*pause);
        co_await Unplaced<decltype(pausing)>{pausing};
    }
}

// Gives what the first attempt gives that does not fail. `action` gives an awaitable, anew for each
// attempt, and may take a RetryProgress&. It is kept in the retry's frame.
//
// Errors: the last attempt's; timed_out if the deadline cut it off. An error that is not worth
// another attempt ends it at once. not_enough_memory: no frame for the retry itself.
// Cancellation: unwinds the attempt, or the pause, at once.
// Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
template <class F>
auto retry(RetryPolicy policy, F&& action,
           std::source_location where = std::source_location::current()) {
    static_assert(safe_callable_in_co_await<F&&>, RINGLET_NAME_THE_CALLABLE);
    static_assert(std::is_trivially_destructible_v<RetryPolicy>);  // it is written in the co_await
    RINGLET_ASSERT(policy.attempts > 0 && policy.retries != nullptr);
    RINGLET_ASSERT(policy.first_delay.count() >= 0 && policy.delay_max.count() >= 0);
    return run_retry<std::decay_t<F>>(policy, std::forward<F>(action), where);
}

}  // namespace ringlet
