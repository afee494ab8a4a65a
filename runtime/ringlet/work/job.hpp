// Job: one call of a blocking function, from its co_await to its end. It lives in the awaiting
// frame (an abandonable one in a block of its own), so waiting costs no memory.
//
//   1 submit(): the task waits; the job is on the loop's list of new ones
//   2 hand_over(), once a turn: it joins its lane's line
//   3 a worker takes it; 4 and runs it; 5 it is on the list of those that have ended
//   6 collect(), on the loop's thread: the task goes on
//
//     new --2--> in line --3--> running --4--> ended --6--> collected
//      |           |               |
//      +--cancel---+               +--cancel: is waited for, or abandoned
//      v
//    withdrawn: never runs
//
// From 2 to 5 a job is shared with the workers, and touched under their lock only; but what run()
// uses of it is the worker's alone from 3 to 5.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/task/task_block.hpp>

namespace ringlet {

class Job;
class Lane;

struct JobHooks : PendingHooks {
    void (*run)(Job&) = nullptr;        // on a worker
    void (*collected)(Job&) = nullptr;  // on the loop's thread, after run(); nobody has it any more
};

class Job : public Pending, public ListLink<> {
public:
    Job(const JobHooks& kind, TaskBlock* waiter, Lane* its_lane)
        : Pending(kind, waiter), lane(its_lane) {}

    const JobHooks& job_hooks() const { return *static_cast<const JobHooks*>(hooks); }

    // New, or in line: it is on a list, and its lane still counts on it.
    bool has_not_begun() const { return is_linked() && lane != nullptr; }
    bool runs() const { return !is_linked(); }

    Lane* lane;  // null once it has ended, or if the lane died while it ran
};

}  // namespace ringlet
