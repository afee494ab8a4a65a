// Exhaustive power cuts: a scenario is run once to count its operations on the disk, then again and
// again, with the power failing before each of them and after the last, in every model of what
// survives. After each cut comes the reboot, and `check` looks at what is left.
//
//   const auto found = explore_power_cuts(scenario, check, {.prepare = prepare});
//
// What the scenario promised, it may note in variables: no operation on the disk succeeds after the
// cut, so a note that follows from one is true.
//
// A cut that fails lets the current test fail, and says which it was and how to run that cut alone:
// RINGLET_CUT=n. A program that does not end within its stop limit ends the process, whose last
// words say the same.
#pragma once

#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/replay.hpp>
#include <ringlet/testing/simulation.hpp>

#include <functional>
#include <string>
#include <type_traits>

namespace ringlet::testing {

struct PowerCutOptions {
    SimulationOptions world{};
    // Puts into each world what is there from the start.
    std::function<void(World&)> prepare{};
    // How often what survives is drawn, for each point and each model that draws.
    unsigned draws = 4;
};

// One of the cuts.
struct PowerCut {
    unsigned number = 0;  // from 1; as RINGLET_CUT
    unsigned before = 0;  // which operation on the disk, from 1; 0: after the scenario's end
    PowerLoss loss;
};
// "before operation 3, survivors: journalled, draw 1"
std::string text(const PowerCut& cut);

struct PowerCutExploration {
    unsigned points = 0;  // operations on the disk of the undisturbed run, and its end
    unsigned cuts = 0;    // runs that were cut, and checked
    unsigned failed = 0;  // of those, any failure, those of `check` among them
    unsigned missed =
        0;               // runs that ended before their cut: the scenario is not the same each time
    unsigned stuck = 0;  // runs that came to a deadlock
    unsigned leaked = 0;                // runs after which descriptors were open
    unsigned undisturbed_failures = 0;  // 1 if the run without a cut failed
    bool whole = true;  // false: RINGLET_CUT chose one cut, and the rest was left out

    bool is_clean() const { return failed + undisturbed_failures == 0 && (points > 1 || !whole); }
};

namespace exploration {

unsigned cuts_of_a_point(unsigned draws);
PowerCut cut_of(unsigned number, unsigned draws);

struct CutVerdict {
    bool missed;
    bool stuck;
    bool leaked;
    bool is_good() const { return !missed && !stuck && !leaked; }
};

// Lets the current test fail, with all that is known about the cut.
void report_cut(const PowerCut& cut, const CutVerdict& verdict, const Simulation& simulation);

// The errors that a cut brings are nobody's. Gives what the scenario gives, else 1.
template <class Scenario>
Task<int> run_to_its_end(Scenario& scenario) {
    const auto outcome = co_await attempt(scenario());
    if (!outcome) co_return 1;
    if constexpr (std::is_same_v<decltype(outcome), const Result<int>>) {
        co_return *outcome;
    } else {
        co_return 0;
    }
}

template <Limits limits, class Scenario, class Check>
class PowerCutExplorer {
public:
    PowerCutExplorer(Scenario& scenario, Check& check, const PowerCutOptions& options)
        : scenario_(scenario), check_(check), options_(options) {}

    PowerCutExploration explore() {
        if (const auto alone = chosen("RINGLET_CUT")) {
            found_.whole = false;
            cut(cut_of(static_cast<unsigned>(*alone), options_.draws));
            return found_;
        }
        run_undisturbed();
        const unsigned cuts = found_.points * cuts_of_a_point(options_.draws);
        for (unsigned number = 1; number <= cuts; ++number)
            cut(cut_of(number, options_.draws));
        return found_;
    }

private:
    void run_undisturbed() {
        Simulation simulation(options_.world);
        if (options_.prepare) options_.prepare(simulation.world());
        const int status = simulation.run<limits>(run_to_its_end<Scenario>, scenario_);
        found_.points = static_cast<unsigned>(simulation.world().disk_operations()) + 1;
        found_.undisturbed_failures = status != 0 ? 1 : 0;
        if (status == 0) return;
        report_failure("undisturbed: the scenario failed\n" + std::string(simulation.log()));
    }

    void cut(const PowerCut& cut) {
        const ReplayScope scope("RINGLET_CUT", cut.number);
        const unsigned failures = failures_so_far();
        Simulation simulation(options_.world);
        World& world = simulation.world();
        if (options_.prepare) options_.prepare(world);
        const unsigned open_before = world.open_descriptors();
        if (cut.before != 0) world.cut_power_before(cut.before, cut.loss);
        simulation.allow_deadlock();
        simulation.run<limits>(run_to_its_end<Scenario>, scenario_);
        const CutVerdict verdict{.missed = cut.before != 0 && world.has_power(),
                                 .stuck = simulation.deadlocked(),
                                 .leaked = world.open_descriptors() != open_before};
        if (world.has_power()) world.cut_power(cut.loss);
        world.restore_power();
        count(verdict);
        const bool good = check(simulation, cut);
        if (good && verdict.is_good() && failures_so_far() == failures) return;
        ++found_.failed;
        if (found_.failed <= reports_max) report_cut(cut, verdict, simulation);
    }

    bool check(Simulation& simulation, const PowerCut& cut) {
        if constexpr (std::is_void_v<std::invoke_result_t<Check&, Simulation&, const PowerCut&>>) {
            check_(simulation, cut);
            return true;
        } else {
            return check_(simulation, cut);
        }
    }

    void count(const CutVerdict& verdict) {
        ++found_.cuts;
        found_.missed += verdict.missed ? 1 : 0;
        found_.stuck += verdict.stuck ? 1 : 0;
        found_.leaked += verdict.leaked ? 1 : 0;
    }

    // Later failures are counted only.
    static constexpr unsigned reports_max = 3;

    Scenario& scenario_;
    Check& check_;
    const PowerCutOptions& options_;
    PowerCutExploration found_;
};

}  // namespace exploration

// `scenario` is a callable that gives a Task<void>, or a Task<int> whose value is 0 if all is well;
// each run starts it anew, in a fresh world. `check(simulation, cut)` is called after each cut,
// with the power back: it looks at the world, and may run a program, as the reboot does. Its
// failures are those of the current test, or it returns false.
template <Limits limits = Limits{}, class Scenario, class Check>
PowerCutExploration explore_power_cuts(Scenario scenario, Check check,
                                       const PowerCutOptions& options = {}) {
    exploration::PowerCutExplorer<limits, Scenario, Check> explorer(scenario, check, options);
    return explorer.explore();
}

}  // namespace ringlet::testing
