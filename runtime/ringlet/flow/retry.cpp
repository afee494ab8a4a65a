// The decision after an attempt that failed.
#include <ringlet/flow/retry.hpp>

#include <algorithm>

namespace ringlet {
namespace {

// The deadline ended the attempt, not a time limit of the attempt's own.
bool was_cut_off(Error error, const RetryPolicy& policy) {
    return error == Error(std::errc::timed_out, Domain::runtime) && policy.deadline.has_passed();
}

Nanoseconds draw_pause(const RetryPolicy& policy, const RetryProgress& progress) {
    const Nanoseconds most = doubled(policy.first_delay, progress.attempt - 1, policy.delay_max);
    const Nanoseconds drawn = policy.jitter == Jitter::full ? drawn_up_to(most) : most;
    return std::max(drawn, progress.pause_min);
}

}  // namespace

std::optional<Nanoseconds> pause_after(Error error, const RetryPolicy& policy,
                                       RetryProgress& progress) {
    if (was_cut_off(error, policy)) return {};
    progress.last_error = error;
    const bool was_last = policy.attempts != retry_for_ever && progress.attempt >= policy.attempts;
    if (was_last || !policy.retries(error)) return {};
    const Nanoseconds pause = draw_pause(policy, progress);
    const bool fits = pause < policy.deadline.left();
    return fits ? std::optional(pause) : std::nullopt;
}

}  // namespace ringlet
