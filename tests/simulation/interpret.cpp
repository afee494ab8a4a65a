// The table from kinds to coroutines, and what many of them share.
#include "interpret.hpp"

#include <ringlet/task/attempt.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/time/sleep.hpp>

namespace ringlet::simulate {
namespace {

using Run = Task<void> (*)(At at);

// In the order of Kind.
constexpr std::array<Run, kinds> runs = {
    run_sequence, run_loop, run_attempt, run_group, run_gather, run_gather_results, run_race,
    run_timeout, run_shield, run_with, run_finally, run_retry, run_locked, run_permit, run_sleep,
    run_timed_sleep, run_tick, run_yield, run_fail, run_cancel, run_generator, run_shared_put,
    run_shared_get, run_event_wait, run_event_set, run_queue, run_condition, run_barrier,
    run_broadcast, run_watch, run_pipe, run_tcp, run_unix, run_pooled, run_datagrams, run_poll,
    run_file, run_offload,
};

}  // namespace

Task<void> run_node(At at) {
    at.was_over = at.scope.is_over(at.now());
    return runs[static_cast<std::size_t>(at.node().kind)](at);
}

Task<void> run_branch(At at, Branches& branches, unsigned number, Ends ends, Scope& together) {
    const Running running(branches.running);
    ++branches.begun;
    at.count_task(0);
    const auto outcome = co_await attempt(run_node(at));
    if (branches.first == ~0u) branches.first = number;
    if (ends == Ends::always || (ends == Ends::on_error && !outcome)) together.cancelled = true;
    if (!outcome) co_await fail(outcome.error());
}

Task<void> work(At at) {
    const auto choice = at.draw(0, 5);
    if (choice == 0) {
        co_await yield();
    } else if (choice == 1) {
        co_await sleep(at.draw_us(300));
    } else if (choice == 2 && at.children() > 0) {
        const unsigned child = at.draw(0, at.children() - 1);
        if (at.one_in(3)) {
            co_await run_node(at.child(child));
        } else {
            const auto outcome = co_await attempt(run_node(at.child(child)));
            if (!outcome) at.say(static_cast<std::uint64_t>(outcome.error().code()));
        }
    }
}

}  // namespace ringlet::simulate
