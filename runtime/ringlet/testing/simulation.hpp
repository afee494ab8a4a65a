// Simulation: runs a coroutine in a simulated world, in virtual time.
//
//   Simulation simulation{seed};
//   EXPECT_EQ(simulation.run(app), 0);
//
// <ringlet/testing/seeds.hpp> does so for many seeds, <ringlet/testing/gtest.hpp> in GoogleTest.
#pragma once

#include <ringlet/run/runtime.hpp>
#include <ringlet/testing/deadlock_report.hpp>
#include <ringlet/testing/peers.hpp>
#include <ringlet/testing/replay.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <utility>

namespace ringlet::testing {

// What a seed alone decides. 0, nothing: all in the order of submission, at once, and whole. With
// another one the order is drawn, and some seeds draw latencies and short transfers, too.
inline SimulationOptions seeded(std::uint64_t seed) {
    SimulationOptions options{.seed = seed};
    if (seed == 0) return options;
    constexpr Nanoseconds latencies[] = {Nanoseconds(100'000), Nanoseconds(5'000'000),
                                         Nanoseconds(0)};
    options.latency_max = options.job_time_max = latencies[seed % 3];
    options.short_transfers = seed / 3 % 2 == 0;
    return options;
}

// The status of a run that came to a deadlock. No program ends with it.
inline constexpr int deadlock_status = -1;

class Simulation {
public:
    explicit Simulation(std::uint64_t seed) : Simulation(seeded(seed)) {}
    explicit Simulation(const SimulationOptions& options = {})
        : world_(options), system_(world_), peers_(options.peers) {
        world_.on_deadlock([](void* self) { static_cast<Simulation*>(self)->deadlock(); }, this);
    }

    World& world() { return world_; }

    // Each run from now on has beside its main task a peer that runs `function(arguments...)`, a
    // Task<void>: see peers.hpp. Both are copied or moved, and used again in each run; std::ref
    // passes a reference. Peers take their share of the run's Limits.
    //
    //   simulation.add_peer(serve, loopback_address(8080)).named("server");
    template <class F, class... Arguments>
    Peer& add_peer(F&& function, Arguments&&... arguments) {
        return peers_.add(std::forward<F>(function), std::forward<Arguments>(arguments)...);
    }

    // Runs `function(arguments...)` as the main task and returns its exit status, as run() does.
    //
    // If nothing can ever run again, the current test fails with deadlock_report(): which task
    // waits for what, since when, and where (without <ringlet/testing/gtest.hpp> it goes to
    // standard error). Then the main task is stopped as by SIGTERM, and the status is
    // deadlock_status.
    template <Limits limits = Limits{}, class F, class... Arguments>
    int run(F&& function, Arguments&&... arguments) {
        world_.restore_power();
        ring_.emplace(world_, ringlet::Operations::ring_size(limits));
        deadlock_report_.clear();
        begun_at_ = world_.now();
        Runtime<limits>& runtime = runtime_with<limits>();
        const CurrentWorld current(world_);
        const auto start = [&] {
            return std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        };
        const int status =
            peers_.empty() ? runtime.run_on(*ring_, system_, start)
                           : runtime.run_on(*ring_, system_, run_among_peers<decltype(start)>,
                                            start, peers_);
        report_ = runtime.report();
        judge_deadlock();
        return deadlocked() ? deadlock_status : status;
    }

    // The next run must come to a deadlock: if it does not, the test fails.
    void expect_deadlock() { on_deadlock_ = OnDeadlock::expected; }
    // The next run may, and the caller looks at deadlocked().
    void allow_deadlock() { on_deadlock_ = OnDeadlock::allowed; }

    // What the program wrote to standard error, the log included.
    std::string_view log() const { return world_.written(2); }

    bool deadlocked() const { return !deadlock_report_.is_empty(); }
    // The await tree of the last run's deadlock; empty if it had none.
    std::string_view deadlock_report() const { return deadlock_report_.text(); }
    // What the last run has used.
    const RunReport& report() const { return report_; }
    // The hash of all completions of the last run: the same seed gives the same.
    std::uint64_t trace() const { return ring_->trace(); }
    std::uint64_t entries() const { return ring_->entries(); }

private:
    enum class OnDeadlock : std::uint8_t { fails, expected, allowed };

    // Inside the run.
    void deadlock() {
        if (!deadlocked()) deadlock_report_.take(Nanoseconds(world_.now() - begun_at_));
        stop_run(SIGTERM);  // not by the world's signals: their reader may have failed
    }

    void judge_deadlock() {
        const OnDeadlock how = std::exchange(on_deadlock_, OnDeadlock::fails);
        if (how == OnDeadlock::fails && deadlocked()) {
            report_failure(std::string(deadlock_report()) + how_to_replay());
        }
        if (how == OnDeadlock::expected && !deadlocked()) {
            report_failure("a deadlock was expected, but the run has come to its end");
        }
    }

    template <Limits limits>
    static Runtime<limits>& runtime_with() {
        static Runtime<limits> runtime;
        return runtime;
    }

    World world_;
    SimulatedSystem system_;
    Peers peers_;
    std::optional<SimulatedRing> ring_;
    RunReport report_;
    DeadlockReport deadlock_report_;
    Instant begun_at_ = 0;
    OnDeadlock on_deadlock_ = OnDeadlock::fails;
};

}  // namespace ringlet::testing
