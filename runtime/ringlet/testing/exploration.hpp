// Exhaustive cancellation: a scenario is run once to count its suspension points, then once for
// each point, with a cancellation there.
//
// The scenario runs as a spawned task beside a watcher. Each time that any block has begun to wait
// counts as a point. Every run must end with nothing stuck, and with no frame, task, operation,
// timer or descriptor left: the runtime asserts all but the first. What else must hold (no item
// lost, no permit kept) the scenario's own destructors and `check` say.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/simulation.hpp>

#include <functional>

namespace ringlet::testing {

struct Exploration {
    unsigned points = 0;         // suspension points of the undisturbed run
    unsigned cancelled = 0;      // runs in which the scenario was cancelled before it ended
    unsigned stuck = 0;          // runs that came to a deadlock
    unsigned leaked = 0;         // runs after which descriptors were open
    unsigned undisturbed_failures = 0;  // 1 if the run without a cancellation failed
};

namespace exploration {

struct Cut {
    unsigned at;  // the point to cancel at, from 1; 0: never
    unsigned seen = 0;
    TaskHandle<void>* target = nullptr;
    bool ended_well = false;
    bool was_cancelled = false;

    static void count(void* context) {
        Cut& cut = *static_cast<Cut*>(context);
        if (cut.target != nullptr && ++cut.seen == cut.at) cut.target->cancel();
    }
};

template <class Scenario>
Task<void> run_with_cut(Scenario& scenario, Cut& cut) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto target = group.spawn(std::ref(scenario));
        cut.target = &target;
        scheduler().set_suspension_handler(Cut::count, &cut);
        const auto outcome = co_await attempt(target.join());
        scheduler().set_suspension_handler(nullptr, nullptr);
        cut.target = nullptr;
        cut.ended_well = outcome.has_value();
        cut.was_cancelled = !outcome && outcome.error() == cancelled_error;
    });
}

}  // namespace exploration

// `scenario` is a callable that gives a Task<void>; each run starts it anew, in a fresh world.
// `check`, if set, is called after each run.
template <Limits limits = Limits{}, class Scenario>
Exploration explore_cancellation(Scenario scenario, const SimulationOptions& options = {},
                                 const std::function<void(Simulation&)>& check = {}) {
    Exploration result;
    const auto run_once = [&](unsigned at) {
        exploration::Cut cut{at};
        Simulation simulation(options);
        const unsigned open_before = simulation.world().open_descriptors();
        simulation.run<limits>(exploration::run_with_cut<Scenario>, scenario, cut);
        result.stuck += simulation.deadlocked() ? 1 : 0;
        result.leaked += simulation.world().open_descriptors() != open_before ? 1 : 0;
        if (check) check(simulation);
        return cut;
    };
    const exploration::Cut whole = run_once(0);
    result.points = whole.seen;
    result.undisturbed_failures = whole.ended_well ? 0 : 1;
    for (unsigned at = 1; at <= result.points; ++at) {
        result.cancelled += run_once(at).was_cancelled ? 1 : 0;
    }
    return result;
}

}  // namespace ringlet::testing
