// Exhaustive exploration: a scenario is run once, undisturbed, to count its points; then once for
// each point, with a cut there.
//
//   explore_cancellation(scenario)   a point: a block has begun to wait;   the cut: it is cancelled
//   explore_faults(scenario)         a point: an operation that can fail;  the cut: it fails
//
// Every run must end by itself, and with no frame, task, operation, timer, buffer or descriptor
// left: the runtime asserts all but the last. What else must hold (no item lost, no permit kept)
// the scenario's own destructors and `check` say. Expectations in the scenario must hold in a
// cancelled run, too; in one with a fault they may fail, since it was written for success: there
// only those of `check` count.
//
// A point that fails lets the current test fail, and says which await or operation it was and how
// to run that point alone: RINGLET_POINT=n.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/replay.hpp>
#include <ringlet/testing/simulation.hpp>

#include <concepts>
#include <functional>

namespace ringlet::testing {

struct Exploration {
    unsigned points = 0;     // of the undisturbed run
    unsigned cancelled = 0;  // runs in which the scenario was cancelled before it ended
    unsigned hit = 0;        // runs in which an operation failed
    unsigned stuck = 0;      // runs that came to a deadlock, or went on and on
    unsigned leaked = 0;     // runs after which descriptors were open
    unsigned failed = 0;     // runs with any failure, those of `check` among them
    unsigned undisturbed_failures = 0;  // 1 if the run without a cut failed
    bool whole = true;       // false: RINGLET_POINT chose one point, and the rest was left out

    bool is_clean() const { return failed + undisturbed_failures == 0 && (points > 0 || !whole); }
};

// One run of an exploration; for `check`.
struct PointRun {
    unsigned at = 0;           // the point, from 1; 0: the undisturbed run
    bool was_cut = false;      // the scenario was cancelled there, or an operation failed
    unsigned unmet = 0;        // expectations in the scenario that failed and do not count
    const char* what = nullptr;  // what was cut: the await's name in the await tree
    std::source_location where{};  // its co_await
    int number = 0;              // the errno that an operation failed with; 0: its connection broke
};

namespace exploration {

enum class Cut : std::uint8_t { cancellation, fault };

// What a run has of its scenario, and the cut that is to come.
class Watch {
public:
    // A scenario that suspends more often is cancelled, as one that would never end.
    static constexpr unsigned suspensions_max = 1'000'000;

    Watch(PointRun& run, unsigned cancel_at) : run_(run), cancel_at_(cancel_at) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // The scenario runs as a spawned task, so that it can be cancelled from outside.
    template <class Scenario>
    static Task<void> run(Scenario& scenario, Watch& watch) {
        const auto body = [&](TaskGroup& group) -> Task<void> {
            auto target = group.spawn(std::ref(scenario));
            watch.target_ = &target;
            scheduler().set_suspension_handler(count, &watch);
            const auto outcome = co_await attempt(target.join());
            scheduler().set_suspension_handler(nullptr, nullptr);
            watch.target_ = nullptr;
            watch.ended_well = outcome.has_value();
            watch.was_cancelled = !outcome && outcome.error() == cancelled_error;
        };
        (void)co_await attempt(TaskGroup::run(body));
    }

    unsigned seen = 0;  // suspensions
    bool ended_well = false;
    bool was_cancelled = false;
    bool was_endless = false;
    std::source_location goes_round_at;  // an await of one that would never end

    // Notes what the faults of that world hit.
    void watch_faults(World& world) { world.seeded_faults().on_fault(note_fault, this); }

private:
    static void count(void* context);
    static void note_fault(const PossibleFault& fault, std::uint64_t user_data, void* context);
    void note(const Pending* pending, const TaskBlock* block);

    PointRun& run_;
    unsigned cancel_at_;  // 0: never
    TaskHandle<void>* target_ = nullptr;
};

struct Verdict {
    bool stuck;
    std::source_location goes_round_at;
    bool leaked;
    bool failed;  // the undisturbed run did
    bool is_good() const { return !stuck && !leaked && !failed; }
};

// Lets the current test fail, with all that is known about the run.
void report_point(Cut cut, const PointRun& run, const Verdict& verdict,
                  const Simulation& simulation);

template <Limits limits, class Scenario, class Check>
class Explorer {
public:
    Explorer(Cut cut, Scenario& scenario, const SimulationOptions& options, Check& check)
        : cut_(cut), scenario_(scenario), options_(options), check_(check) {}

    Exploration explore() {
        if (const auto alone = chosen("RINGLET_POINT")) {
            found_.whole = false;
            run_at(static_cast<unsigned>(*alone));
            return found_;
        }
        run_at(0);
        for (unsigned at = 1; at <= found_.points; ++at) run_at(at);
        return found_;
    }

private:
    void run_at(unsigned at) {
        const ReplayScope scope("RINGLET_POINT", at);
        const unsigned failures = failures_so_far();
        Simulation simulation(options_);
        World& world = simulation.world();
        const unsigned open_before = world.open_descriptors();
        const bool faulty = cut_ == Cut::fault && at != 0;
        if (faulty) world.fail_operation(at);
        simulation.allow_deadlock();
        if constexpr (requires { scenario_.prepare(simulation); }) scenario_.prepare(simulation);

        PointRun run{.at = at};
        Watch watch(run, faulty ? 0 : at);
        watch.watch_faults(world);
        const auto once = [&] {
            simulation.run<limits>(Watch::run<Scenario>, scenario_, watch);
        };
        if (faulty) run.unmet = set_failures_aside(once);
        else once();
        run.was_cut = faulty ? world.faults_met() > 0 : watch.was_cancelled;
        count(run, watch, simulation);

        const Verdict verdict{.stuck = simulation.deadlocked() || watch.was_endless,
                              .goes_round_at = watch.goes_round_at,
                              .leaked = world.open_descriptors() != open_before,
                              .failed = at == 0 && !watch.ended_well};
        found_.stuck += verdict.stuck ? 1 : 0;
        found_.leaked += verdict.leaked ? 1 : 0;
        found_.undisturbed_failures += verdict.failed ? 1 : 0;
        if constexpr (std::invocable<Check&, Simulation&, const PointRun&>) check_(simulation, run);
        else check_(simulation);
        if (verdict.is_good() && failures_so_far() == failures) return;
        ++found_.failed;
        if (found_.failed <= reports_max) report_point(cut_, run, verdict, simulation);
    }

    void count(const PointRun& run, const Watch& watch, Simulation& simulation) {
        if (run.at == 0) {
            const std::uint64_t faultable = simulation.world().operations_faultable();
            found_.points =
                cut_ == Cut::fault ? static_cast<unsigned>(faultable) : watch.seen;
        } else if (run.was_cut) {
            ++(cut_ == Cut::fault ? found_.hit : found_.cancelled);
        }
    }

    // Later failures are counted only.
    static constexpr unsigned reports_max = 3;

    Cut cut_;
    Scenario& scenario_;
    const SimulationOptions& options_;
    Check& check_;
    Exploration found_;
};

inline constexpr auto no_check = [](Simulation&) {};

}  // namespace exploration

// `scenario` is a callable that gives a Task<void>; each run starts it anew, in a fresh world. If
// it is an object with a function prepare(Simulation&), that is called before: to add peers, which
// live on when the scenario is cancelled, and to write files.
// `check(simulation)` or `check(simulation, point_run)` is called after each run.
template <Limits limits = Limits{}, class Scenario, class Check = decltype(exploration::no_check)>
Exploration explore_cancellation(Scenario scenario, const SimulationOptions& options = {},
                                 Check check = exploration::no_check) {
    using exploration::Cut;
    exploration::Explorer<limits, Scenario, Check> explorer(Cut::cancellation, scenario, options,
                                                            check);
    return explorer.explore();
}

// The same with a fault at each operation that can fail. Which of its possible errors it gives, the
// options' seed and the point decide.
template <Limits limits = Limits{}, class Scenario, class Check = decltype(exploration::no_check)>
Exploration explore_faults(Scenario scenario, const SimulationOptions& options = {},
                           Check check = exploration::no_check) {
    using exploration::Cut;
    exploration::Explorer<limits, Scenario, Check> explorer(Cut::fault, scenario, options, check);
    return explorer.explore();
}

}  // namespace ringlet::testing
