// The coroutines that nodes are run by, one for each kind. See interpret.cpp for the table.
#pragma once

#include "model.hpp"

#include <ringlet/task/task.hpp>

namespace ringlet::simulate {

// Runs a node and what is below it.
Task<void> run_node(At at);

// The same as a task of its own: counted, and seen by its siblings' scope.
enum class Ends : std::uint8_t {
    alone,     // what becomes of it is nobody else's business
    on_error,  // its failure ends `together`
    always,    // its end does
};
struct Branches {
    ~Branches() {
        if (running != 0) found("a composite ended before its branches", running);
    }
    unsigned running = 0;
    unsigned begun = 0;
    unsigned first = ~0u;  // the number of the one that ended first, by itself
};
Task<void> run_branch(At at, Branches& branches, unsigned number, Ends ends, Scope& together);

// What a scene's task does between its steps: a child, a pause, or nothing. Errors of a child leave
// from it, or not, as drawn.
Task<void> work(At at);

// flow
Task<void> run_sequence(At at);
Task<void> run_loop(At at);
Task<void> run_attempt(At at);
Task<void> run_group(At at);
Task<void> run_gather(At at);
Task<void> run_gather_results(At at);
Task<void> run_race(At at);
Task<void> run_timeout(At at);
Task<void> run_shield(At at);
Task<void> run_with(At at);
Task<void> run_finally(At at);
Task<void> run_retry(At at);

// single steps
Task<void> run_locked(At at);
Task<void> run_permit(At at);
Task<void> run_sleep(At at);
Task<void> run_timed_sleep(At at);
Task<void> run_tick(At at);
Task<void> run_yield(At at);
Task<void> run_fail(At at);
Task<void> run_cancel(At at);
Task<void> run_generator(At at);
Task<void> run_shared_put(At at);
Task<void> run_shared_get(At at);
Task<void> run_event_wait(At at);
Task<void> run_event_set(At at);

// scenes
Task<void> run_queue(At at);
Task<void> run_condition(At at);
Task<void> run_barrier(At at);
Task<void> run_broadcast(At at);
Task<void> run_watch(At at);
Task<void> run_pipe(At at);
Task<void> run_tcp(At at);
Task<void> run_unix(At at);
Task<void> run_pooled(At at);
Task<void> run_datagrams(At at);
Task<void> run_poll(At at);
Task<void> run_file(At at);
Task<void> run_offload(At at);

}  // namespace ringlet::simulate
