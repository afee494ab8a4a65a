// What the loop's thread and the workers do with a job in turn.
#include <ringlet/work/worker_pool.hpp>

#include <ringlet/task/await_tree.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace ringlet {
namespace {

// What a caller that has left its job waits for until its turn comes: the job may be gone by then.
constexpr PendingHooks left_hooks{
    .reason = "offload", .catches = false, .cancel = [](Pending&) {}};
constexpr PendingHooks left_attempt_hooks{
    .reason = "offload", .catches = true, .cancel = [](Pending&) {}};
constinit Pending left(left_hooks, nullptr);
constinit Pending left_attempt(left_attempt_hooks, nullptr);

}  // namespace

Lane::~Lane() {
    if (current_workers != nullptr) current_workers->forget(*this);
}

WorkerPool::WorkerPool(Scheduler& scheduler, Waker& waker)
    : scheduler_(scheduler), workers_(scheduler.system().workers()), waker_(waker) {
    RINGLET_ASSERT(current_workers == nullptr);
    current_workers = this;
}

[[gnu::cold]] WorkerPool::~WorkerPool() {
    RINGLET_ASSERT(idle_);
    if (threads_ > 0) workers_.stop();
    current_workers = nullptr;
}

Result<void> WorkerPool::start(std::span<std::byte> stacks) {
    const unsigned count = scheduler_.limits().workers;
    if (count == 0) return {};
    const auto started = workers_.start(*this, stacks, count);
    if (started) threads_ = count;
    return started;
}

std::optional<Error> WorkerPool::refusal(bool may_wait) const {
    if (threads_ == 0) return Error(std::errc::operation_not_supported, RuntimeDetail::workers);
    if (may_wait || jobs_ < scheduler_.limits().worker_jobs) return {};
    return Error(std::errc::resource_unavailable_try_again, RuntimeDetail::jobs);
}

void WorkerPool::submit(Job& job) {
    if (job.lane == nullptr) job.lane = &queue_.any();
    new_.push_back(job);
    jobs_max_ = std::max(jobs_max_, ++jobs_);
    idle_ = false;
    scheduler_.note_outgoing();
}

void WorkerPool::hand_over() {
    if (new_.empty()) return;
    unsigned count = 0;
    {
        const std::lock_guard locked(workers_);
        for (; Job* const job = new_.pop_front(); ++count) queue_.push(*job);
    }
    ++wakes_;
    workers_.wake(count);
}

void WorkerPool::ended(Job& job) {
    queue_.ended(job);
    ended_.push_back(job);
}

void WorkerPool::collect() {
    IntrusiveList<Job> ended;
    {
        const std::lock_guard locked(workers_);
        while (Job* const job = ended_.pop_front()) ended.push_back(*job);
    }
    while (Job* const job = ended.pop_front()) {
        count_down();
        job->job_hooks().collected(*job);
    }
}

void WorkerPool::count_down() {
    --jobs_;
    idle_ = jobs_ == 0;
}

WorkerPool::Withdrawn WorkerPool::withdraw(Job& job) {
    const std::lock_guard locked(workers_);
    if (job.runs()) return Withdrawn::runs;
    if (!job.has_not_begun()) return Withdrawn::has_ended;
    queue_.remove(job);
    count_down();
    return Withdrawn::yes;
}

void WorkerPool::abandon(AbandonableJob& job) {
    job.where = job.block->where;
    job.since_ms = job.block->since_ms;
    job.block->waiting = job.hooks->catches ? &left_attempt : &left;
    job.block = nullptr;
    abandoned_.push_back(job);
}

void WorkerPool::forget(Lane& lane) {
    const std::lock_guard locked(workers_);
    queue_.forget(lane);
}

[[gnu::cold]] void WorkerPool::print_abandoned(void (*sink)(std::string_view, void*),
                                               void* context) const {
    const AbandonableJob* job = abandoned_.front();
    for (; job != nullptr; job = abandoned_.after(*job)) {
        const unsigned age_ms = scheduler_.milliseconds() - job->since_ms;
        char line[256];
        const int size =
            std::snprintf(line, sizeof line, "abandoned job: offload%s for %u.%03u s\n",
                          SiteText(job->where).c_str(), age_ms / 1000, age_ms % 1000);
        sink({line, std::min(static_cast<std::size_t>(size), sizeof line - 1)}, context);
    }
}

}  // namespace ringlet
