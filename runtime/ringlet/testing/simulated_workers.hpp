// SimulatedWorkers: Workers without threads. Jobs run on the loop's own thread, in virtual time.
//
//   1 wake(): each idle worker takes a job, and draws how long it shall take
//   2 when the clock comes to its end, the job runs, at once; then it has ended, and the next is
//     taken, unless
//   3 it called a device that takes time (World::take_time): then it ends so much later
//
// So a job's own work is done at its end, but for that time: what it uses must live so long. It
// must not wait for another job or for the loop, which stand still meanwhile.
#pragma once

#include <ringlet/ring/workers.hpp>
#include <ringlet/testing/world.hpp>

#include <array>

namespace ringlet::testing {

class SimulatedWorkers final : public Workers {
public:
    explicit SimulatedWorkers(World& world) : world_(world) {}

    Result<void> start(JobSource& source, std::span<std::byte> stacks, unsigned count) override;
    void stop() override;
    void lock() override {}
    void unlock() override {}
    void wake(unsigned jobs) override;

private:
    struct Worker {
        SimulatedWorkers* all = nullptr;
        Job* job = nullptr;  // null: idle
    };
    void take_one(Worker& worker);
    static void run_one(void* worker);
    static void end_one(void* worker);

    World& world_;
    JobSource* source_ = nullptr;
    std::array<Worker, workers_max> workers_{};
    unsigned count_ = 0;
};

}  // namespace ringlet::testing
