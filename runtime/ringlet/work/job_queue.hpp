// Lane and JobQueue: which job is next.
//
//   lanes in turn: [ A ] [ B ] [ jobs without a lane ]      each with its line of jobs
//
// take() goes to the lane at the front and takes its first job. A lane is out of the turn while a
// job of it runs, so its jobs run one after another, and it holds one worker at most; then it goes
// to the back. The jobs without a lane have one place in the turn together, but several may run at
// once.
//
// Nothing here locks: whoever shares a queue does.
#pragma once

#include <ringlet/work/job.hpp>

#include <utility>

namespace ringlet {

// One at a time, in order: for a bus, a device, a database connection. Jobs of a lane run one after
// another, in the order in which they were submitted; lanes are served in turn. A lane that is
// long, or whose job is stuck, never holds up another, as long as there are more workers than lanes
// that are stuck.
//
// A Lane may die once none of its jobs is waited for. One that was abandoned may still run then.
class Lane : public ListLink<> {
public:
    Lane() = default;
    // Can be moved while none of its jobs is waited for or runs, and so can a driver that has one.
    Lane(Lane&& other) noexcept { RINGLET_ASSERT(other.is_free()); }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane();  // in worker_pool.cpp: the workers may be using it

private:
    friend class JobQueue;
    bool is_free() const { return line_.empty() && running_ == nullptr; }

    IntrusiveList<Job> line_;
    Job* running_ = nullptr;
};

class JobQueue {
public:
    JobQueue() = default;
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;

    // The lane of jobs that have none.
    Lane& any() { return any_; }

    // At the end of its lane's line. job.lane is set.
    void push(Job& job) {
        Lane& lane = *job.lane;
        lane.line_.push_back(job);
        line_up(lane);
    }

    // The next job to run, or null. Its lane is busy until ended().
    Job* take() {
        Lane* const lane = lanes_.pop_front();
        if (lane == nullptr) return nullptr;
        Job* const job = lane->line_.pop_front();
        if (lane != &any_) lane->running_ = job;
        line_up(*lane);
        return job;
    }

    void ended(Job& job) {
        Lane* const lane = std::exchange(job.lane, nullptr);
        if (lane == nullptr || lane == &any_) return;
        lane->running_ = nullptr;
        line_up(*lane);
    }

    // Takes out a job that has not begun.
    void remove(Job& job) {
        job.unlink();
        if (job.lane->line_.empty()) job.lane->unlink();
    }

    // The lane dies. A job that still runs in it belongs to none from now on.
    void forget(Lane& lane) {
        RINGLET_ASSERT(lane.line_.empty());  // its jobs are waited for
        if (Job* const job = std::exchange(lane.running_, nullptr)) job->lane = nullptr;
    }

private:
    // Gives the lane a place in the turn, if it has jobs and none that runs.
    void line_up(Lane& lane) {
        const bool waits = !lane.line_.empty() && lane.running_ == nullptr;
        if (waits && !lane.is_linked()) lanes_.push_back(lane);
    }

    IntrusiveList<Lane> lanes_;
    Lane any_;
};

}  // namespace ringlet
