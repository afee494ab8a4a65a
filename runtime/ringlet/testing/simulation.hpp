// Simulation: runs a coroutine in a simulated world, in virtual time.
//
//   Simulation simulation({.seed = 7});
//   EXPECT_EQ(simulation.run(app), 0);
#pragma once

#include <ringlet/run/runtime.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <csignal>
#include <optional>

namespace ringlet::testing {

class Simulation {
public:
    explicit Simulation(const SimulationOptions& options = {}) : world_(options), system_(world_) {
        world_.on_deadlock(
            [](void* self) {
                auto& simulation = *static_cast<Simulation*>(self);
                simulation.deadlocked_ = true;
                simulation.world_.raise(SIGTERM);  // unwinds what waits for ever
            },
            this);
    }

    World& world() { return world_; }

    // Runs `function(arguments...)` as the main task and returns its exit status, as run() does.
    // If nothing can ever run again, what each task waits for is logged (see world().written(2)),
    // deadlocked() becomes true, and the main task is stopped as by SIGTERM.
    template <Limits limits = Limits{}, class F, class... Arguments>
    int run(F&& function, Arguments&&... arguments) {
        ring_.emplace(world_, ringlet::Operations::ring_size(limits));
        deadlocked_ = false;
        Runtime<limits>& runtime = runtime_with<limits>();
        const int status = runtime.run_on(*ring_, system_, std::forward<F>(function),
                                          std::forward<Arguments>(arguments)...);
        report_ = runtime.report();
        return status;
    }

    // What the program wrote to standard error, the log included.
    std::string_view log() const { return world_.written(2); }

    bool deadlocked() const { return deadlocked_; }
    // What the last run has used.
    const RunReport& report() const { return report_; }
    // The hash of all completions of the last run: the same seed gives the same.
    std::uint64_t trace() const { return ring_->trace(); }
    std::uint64_t entries() const { return ring_->entries(); }

private:
    template <Limits limits>
    static Runtime<limits>& runtime_with() {
        static Runtime<limits> runtime;
        return runtime;
    }

    World world_;
    SimulatedSystem system_;
    std::optional<SimulatedRing> ring_;
    RunReport report_;
    bool deadlocked_ = false;
};

}  // namespace ringlet::testing
