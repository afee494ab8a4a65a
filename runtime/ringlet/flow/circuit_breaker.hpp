// CircuitBreaker: leaves alone what keeps failing, instead of waiting for it each time.
//
//                  1                     2
//        closed --------> open --------------------> half open
//          ^               ^                             |
//          |               +-------------- 3 ------------+
//          +------------------------------ 4 ------------+
//
//   1 so many failures in a row
//   2 open_for has passed: seen at the next look, no timer runs
//   3 a probe failed: open again, for twice as long, up to open_max
//   4 so many probes in a row succeeded
//
// Closed, every call goes through. Open, none does: it fails at once. Half open, a few do, as
// probes. What a call that began before the last transition comes to is counted, but changes
// nothing: it tells of an older time.
#pragma once

#include <ringlet/flow/backoff.hpp>
#include <ringlet/flow/transient.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/gcc_traps.hpp>
#include <ringlet/task/task.hpp>

#include <chrono>
#include <cstdint>

namespace ringlet {

// The error of a call that was not let through.
inline constexpr Error circuit_open_error{std::errc::resource_unavailable_try_again,
                                          RuntimeDetail::circuit_open};

struct CircuitOptions {
    unsigned failures = 5;  // in a row, that open it; > 0
    // How long it stays open, doubled with each failed probe up to open_max. By default it stays
    // the same. Not negative.
    Nanoseconds open_for = std::chrono::seconds(30);
    Nanoseconds open_max{0};
    unsigned probes = 1;     // let through at once while half open; > 0
    unsigned successes = 1;  // of probes in a row, that close it; > 0
    // Which errors say that the other side fails. The others, and cancelled calls, count neither as
    // failures nor as successes.
    bool (*counts)(Error) = is_transient;
};

enum class CircuitState : std::uint8_t { closed, open, half_open };

// Calls since the start, by their end; and how often it opened.
struct CircuitCounts {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t ignored = 0;  // with an error that does not count
    std::uint64_t cancelled = 0;
    std::uint64_t refused = 0;
    std::uint64_t opened = 0;
};

class CircuitBreaker {
public:
    // Outlives its calls; asserts that on destruction.
    explicit CircuitBreaker(const CircuitOptions& options = {});
    ~CircuitBreaker() { RINGLET_ASSERT(running_ == 0); }
    CircuitBreaker(const CircuitBreaker&) = delete;
    CircuitBreaker& operator=(const CircuitBreaker&) = delete;

    // Gives what the awaitable gives that `action()` gives, if it is let through. `action` is kept
    // in the call's frame.
    //
    // Errors: circuit_open_error, at once: action was not called. The awaitable's.
    // Cancellation: unwinds what action gave; counts neither way, and a probe's place is free.
    template <class F>
    auto call(F&& action) {
        static_assert(safe_callable_in_co_await<F&&>, RINGLET_NAME_THE_CALLABLE);
        return run<std::decay_t<F>>(std::forward<F>(action));
    }

    // As a call now would find it.
    CircuitState state() const;
    // Until it is half open; zero if it is not open.
    Nanoseconds until_probe() const;
    const CircuitCounts& counts() const { return counts_; }

private:
    // One call that was let through. If nobody tells it how it ended, it was cancelled.
    class Passage {
    public:
        explicit Passage(CircuitBreaker& breaker);
        Passage(const Passage&) = delete;
        Passage& operator=(const Passage&) = delete;
        ~Passage();

        void succeeded();
        void failed(Error error);

    private:
        bool tells() const { return since_ == breaker_.transitions_; }

        CircuitBreaker& breaker_;
        const std::uint64_t since_;
        bool ended_ = false;
    };

    template <class F>
    Task<ValueOf<std::invoke_result_t<F&>>> run(F action) {
        const bool admitted = admit();
        if (!admitted) co_await fail(circuit_open_error);
        Passage passage(*this);
        auto trying = attempt(action());
        auto outcome = co_await Unplaced<decltype(trying)>{trying};
        if (!outcome) {
            passage.failed(outcome.error());
            co_await fail(outcome.error());
        }
        passage.succeeded();
        if constexpr (!std::is_void_v<typename decltype(outcome)::value_type>) {
            co_return *std::move(outcome);
        }
    }
    bool admit();
    void open(Nanoseconds span);
    void enter(CircuitState state);

    const CircuitOptions options_;
    CircuitState state_ = CircuitState::closed;
    unsigned in_a_row_ = 0;  // failures while closed, successes while half open
    unsigned probing_ = 0;   // probes under way
    unsigned reopened_ = 0;  // probes that failed since it was closed
    unsigned running_ = 0;   // calls under way, of whatever time
    Instant open_until_ = 0;
    std::uint64_t transitions_ = 0;
    CircuitCounts counts_;
};

}  // namespace ringlet
