// A probe: its attempts, and the breaker before them.
#include <prober.hpp>

#include <ringlet/flow/retry.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>

namespace timeout_app {

using ringlet::attempt;
using ringlet::Deadline;
using ringlet::Error;
using ringlet::Task;

namespace {

// Our own bounds (frames, descriptors) say nothing about the other side; everything else does, also
// what will hardly pass: a probe asks whether it works, not why.
bool tells_of_endpoint(Error error) {
    return error.domain() != ringlet::Domain::runtime || error == std::errc::timed_out;
}

bool is_worth_another(Error) {
    return true;
}

}  // namespace

const char* name(Step step) {
    switch (step) {
        case Step::resolve: return "resolve";
        case Step::connect: return "connect";
        case Step::send: return "send";
        case Step::head: return "head";
        case Step::body: return "body";
        case Step::answer: return "answer";
        case Step::status: return "status";
        case Step::breaker: return "breaker";
    }
    return "";
}

Prober::Prober(const Settings& settings, const Endpoint& endpoint,
               ringlet::dns::Resolver& resolver, HttpStorage& storage)
    : settings_(settings),
      endpoint_(endpoint),
      resolver_(resolver),
      storage_(storage),
      breaker_({.failures = settings.breaker_failures,
                .open_for = settings.breaker_open,
                .counts = tells_of_endpoint}) {}

Task<Probe> Prober::probe(std::uint64_t number) {
    Probe probe{.number = number, .step = Step::breaker};
    deadline_ = Deadline::after(settings_.deadline);
    auto work = [&] { return try_attempts(probe); };
    const auto done = co_await attempt(breaker_.call(work));
    probe.ok = done.has_value();
    if (!done) probe.error = done.error();
    co_return probe;
}

// As retry() does it; but no deadline cuts off an attempt, whose steps have it in their limits. The
// pauses have no jitter: endpoints are spread over the interval as it is.
Task<void> Prober::try_attempts(Probe& probe) {
    ringlet::RetryProgress progress;
    const ringlet::RetryPolicy policy{.attempts = settings_.retries + 1,
                                      .jitter = ringlet::Jitter::none,
                                      .deadline = deadline_,
                                      .retries = is_worth_another};
    for (;;) {
        probe.attempts = ++progress.attempt;
        const ringlet::Instant began = ringlet::scheduler().now();
        const auto reached = co_await attempt(reach());
        probe.took = ringlet::Nanoseconds(ringlet::scheduler().now() - began);
        probe.step = at_;
        if (reached) co_return;
        const auto pause = pause_after(reached.error(), policy, progress);
        if (!pause) co_await ringlet::fail(reached.error());
        co_await ringlet::sleep(*pause);
    }
}

Deadline Prober::limit() const {
    const Deadline step = Deadline::after(settings_.step);
    return {step.clock(), std::min(step.at(), deadline_.at())};
}

}  // namespace timeout_app
