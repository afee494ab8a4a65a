// Workers that wait in the world's agenda.
#include <ringlet/testing/simulated_workers.hpp>

#include <ringlet/task/scheduler.hpp>

#include <span>
#include <utility>

namespace ringlet::testing {

Result<void> SimulatedWorkers::start(JobSource& source, std::span<std::byte>, unsigned count) {
    RINGLET_ASSERT(count_ == 0 && count > 0 && count <= workers_max);
    if (const int number = world_.thread_refusal(); number != 0) {
        return std::unexpected(Error::kernel(number));
    }
    source_ = &source;
    count_ = count;
    for (Worker& worker : std::span(workers_).first(count)) worker = {.all = this};
    return {};
}

void SimulatedWorkers::stop() {
    for (const Worker& worker : workers_) RINGLET_ASSERT(worker.job == nullptr);
    count_ = 0;
}

void SimulatedWorkers::wake(unsigned) {
    for (Worker& worker : std::span(workers_).first(count_)) {
        if (worker.job == nullptr) take_one(worker);
    }
}

void SimulatedWorkers::take_one(Worker& worker) {
    worker.job = source_->take();
    if (worker.job == nullptr) return;
    world_.call_at(later(world_.now(), world_.draw_job_time()), run_one, &worker);
}

// A job runs beside the loop, not in it: there it may not use tasks, and here neither.
void SimulatedWorkers::run_one(void* context) {
    Worker& worker = *static_cast<Worker*>(context);
    World& world = worker.all->world_;
    Scheduler* const loop = std::exchange(current_scheduler, nullptr);
    world.begin_job();
    worker.all->source_->run(*worker.job);
    const Nanoseconds longer = world.end_job();
    current_scheduler = loop;
    if (longer.count() == 0) return end_one(context);
    world.call_at(later(world.now(), longer), end_one, context);
}

void SimulatedWorkers::end_one(void* context) {
    Worker& worker = *static_cast<Worker*>(context);
    JobSource& source = *worker.all->source_;
    source.ended(*std::exchange(worker.job, nullptr));
    source.tell();
    worker.all->take_one(worker);
}

}  // namespace ringlet::testing
