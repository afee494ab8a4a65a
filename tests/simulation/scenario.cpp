// How a program gets its world, its ring and its runtime, and what must hold after the run.
#include "scenario.hpp"

#include "interpret.hpp"

#include <ringlet/ring/kernel_seal.hpp>
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>
#include <ringlet/time/sleep.hpp>

#include <bit>
#include <csignal>

namespace ringlet::simulate {
namespace {

// Each bound small in one of them, so that it is met often; and once all together. The first is
// ample.
constexpr Limits ample{
    .tasks = 512,
    .operations = 64,
    .descriptors = 64,
    .frames =
        {{128, 512}, {256, 1024}, {512, 512}, {1024, 256}, {2048, 64}, {4096, 32}, {8192, 16}},
    .workers = 2,
    .stop_limit_ms = 3'600'000};

constexpr Limits with_operations(unsigned count) {
    Limits limits = ample;
    limits.operations = count;
    return limits;
}
constexpr Limits few_frames() {
    Limits limits = ample;
    unsigned count = 48;
    for (FrameClass& each : limits.frames) {
        each.count = std::min(each.count, count);
        if (count > 2) count -= count / 3;
    }
    return limits;
}
constexpr Limits few_descriptors() {
    Limits limits = ample;
    limits.descriptors = 5;
    return limits;
}
constexpr Limits few_tasks() {
    Limits limits = ample;
    limits.tasks = 5;
    return limits;
}
constexpr Limits short_turns() {
    Limits limits = ample;
    limits.inline_awaits = 1;
    return limits;
}
constexpr Limits few_of_all() {
    Limits limits = few_frames();
    limits.operations = 2;
    limits.descriptors = 8;
    limits.tasks = 12;
    limits.inline_awaits = 3;
    limits.workers = 1;
    limits.worker_jobs = 2;
    return limits;
}

// The simulated ring; counts completions, and lets the model look when nothing can run.
class WatchedRing final : public Ring {
public:
    WatchedRing(testing::SimulatedRing& inner, Context& context)
        : inner_(inner), context_(context) {}

    io_uring_sqe& next_sqe() override { return inner_.next_sqe(); }
    unsigned unsubmitted() const override { return inner_.unsubmitted(); }
    void enter(Wait wait, Nanoseconds timeout) override {
        if (wait == Wait::for_one) context_.check_quiet();
        inner_.enter(wait, timeout);
    }
    std::size_t reap(std::span<Completion> out) override {
        const std::size_t count = inner_.reap(out);
        completions_ += count;
        return count;
    }
    bool overflowed() const override { return inner_.overflowed(); }
    Result<void> register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                      unsigned short group) override {
        return inner_.register_buffer_ring(ring, entries, group);
    }
    Result<void> unregister_buffer_ring(unsigned short group) override {
        return inner_.unregister_buffer_ring(group);
    }

    std::uint64_t completions() const { return completions_; }

private:
    testing::SimulatedRing& inner_;
    Context& context_;
    std::uint64_t completions_ = 0;
};

testing::SimulationOptions options_of(const Surroundings& around) {
    testing::SimulationOptions options;
    options.seed = around.seed;
    options.latency_max = std::chrono::microseconds(around.latency_us);
    options.job_time_max = std::chrono::microseconds(around.job_us);
    options.short_transfers = around.short_transfers != 0;
    options.faults = testing::FaultRates::everything(around.faults);
    options.datagram_loss = around.datagram_loss;
    options.datagram_duplication = around.datagram_duplication;
    options.datagram_reordering = around.datagram_reordering;
    // Small, since a world is built for every program.
    options.descriptors = 72;
    options.pipes = 24;
    options.sockets = 32;
    options.socket_bytes = 600;
    options.datagram_sockets = 16;
    options.datagrams = 24;
    options.files = 24;
    options.file_bytes = 2_KiB;
    options.disk_bytes = 20_KiB;
    options.terminals = 1;
    options.terminal_bytes = 64;
    options.input_bytes = 64;
    options.output_bytes = 32_KiB;
    return options;
}

// Again and again, until something has happened.
Task<void> run_rounds(Context& context, const WatchedRing& ring) {
    scheduler().set_suspension_handler(
        [](void* counts) { static_cast<Context*>(counts)->note_suspension(); }, &context);
    const At root{context, 0, context.root};
    const Surroundings& around = context.program().surroundings;
    for (unsigned left = 200; left > 0; --left) {
        const auto outcome = co_await attempt(run_node(root));
        root.say(outcome ? 0 : static_cast<std::uint64_t>(outcome.error().code()));
        const std::uint64_t events = context.suspensions + ring.completions();
        if (events >= around.events_min && around.stop_after == 0) break;
        co_await sleep(std::chrono::microseconds(50));
    }
}

template <Limits limits>
void run_with(Context& context, testing::World& world, Ran& ran) {
    static Runtime<limits> runtime;
    const Surroundings& around = context.program().surroundings;
    context.set_patient(limits.operations >= 64 && around.faults == 0);
    RingSize size = ringlet::Operations::ring_size(limits);
    if (around.submissions != 0) size.submissions = around.submissions;
    testing::SimulatedSystem system(world);
    testing::SimulatedRing ring(world, size);
    WatchedRing watched(ring, context);
    const int status = runtime.run_on(watched, system, run_rounds, context, watched);
    const RunReport& report = runtime.report();
    const bool was_stopped = status == exit_signal_base + SIGTERM && around.stop_after != 0;
    if (status != 0 && !was_stopped && !context.has_ran_out) found("the run failed", status);
    if (report.completions_overflowed) found("the completion queue overflowed");
    if (ring.in_flight() != 0) found("operations are in flight after the run", ring.in_flight());
    ran.completions = watched.completions();
    ran.hash = context.hash ^ ring.trace() * 0x9e3779b97f4a7c15;
}

using RunWith = void (*)(Context&, testing::World&, Ran&);
constexpr std::array<RunWith, 10> variants = {
    run_with<ample>,
    run_with<with_operations(1)>,
    run_with<with_operations(2)>,
    run_with<with_operations(3)>,
    run_with<with_operations(8)>,
    run_with<few_frames()>,
    run_with<few_descriptors()>,
    run_with<few_tasks()>,
    run_with<short_turns()>,
    run_with<few_of_all()>,
};

void check_after(Context& context, testing::World& world) {
    if (world.open_descriptors() != 3) found("descriptors leaked", world.open_descriptors() - 3);
    if (context.begun != context.ended) {
        found("nodes began and did not end", static_cast<long long>(context.begun - context.ended));
    }
    for (const SharedMutex& each : context.mutexes) {
        if (each.mutex.is_locked() || each.waiting != 0) found("a mutex was left locked");
    }
    for (const SharedSemaphore& each : context.semaphores) {
        if (each.semaphore.available() != each.semaphore.permits()) found("a permit was lost");
    }
    context.items.check(context.queue.size());
    if (const unsigned count = seal_breaches(); count != 0) {
        found("memory was allocated while the program ran", count);
    }
}

}  // namespace

Ran run_scenario(const Program& program, bool traces) {
    testing::World world(options_of(program.surroundings));
    world.on_deadlock([](void*) { found("a deadlock: nothing can ever run again"); }, nullptr);
    Context context(program, world);
    context.traces = traces;
    Ran ran;
    variants[program.surroundings.limits % variants.size()](context, world, ran);
    check_after(context, world);
    ran.suspensions = context.suspensions;
    for (const std::uint64_t kinds_of_role : context.task_kinds) {
        ran.task_kinds += static_cast<unsigned>(std::popcount(kinds_of_role));
    }
    return ran;
}

}  // namespace ringlet::simulate
