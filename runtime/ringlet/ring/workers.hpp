// Workers: the seam to threads. A fixed number of them take jobs from a source, one after another.
//
// The source says which job is next; a Workers only says when and where it runs: KernelWorkers on
// threads, testing::SimulatedWorkers on the loop's own thread, in virtual time.
//
//   each worker:  take() --a job--> run() --> ended() --> tell() --> take() ...
//                   |no job                                            ^
//                   +-----> sleeps -----wake()-------------------------+
#pragma once

#include <ringlet/base/error.hpp>

#include <cstddef>
#include <span>

namespace ringlet {

class Job;  // work/job.hpp

inline constexpr unsigned workers_max = 64;

class JobSource {
public:
    JobSource() = default;
    JobSource(const JobSource&) = delete;
    JobSource& operator=(const JobSource&) = delete;

    // The job to run now, or null. The lock is held.
    virtual Job* take() = 0;
    // Runs it, for as long as it takes. The lock is not held.
    virtual void run(Job& job) = 0;
    // It has run; this thread touches it no more. The lock is held.
    virtual void ended(Job& job) = 0;
    // Tells the loop that a job has ended. The lock is not held.
    virtual void tell() = 0;

protected:
    ~JobSource() = default;
};

class Workers {
public:
    Workers() = default;
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // Starts `count` workers, up to workers_max; each gets an equal part of `stacks`, which is
    // theirs until stop(). `source` outlives them. All signals that come from outside are blocked
    // in them. Errors: pthread_create(3)'s; then none has been started.
    virtual Result<void> start(JobSource& source, std::span<std::byte> stacks, unsigned count) = 0;
    // Ends all of them and waits for that; no job may run or be left. Harmless without any.
    virtual void stop() = 0;

    // What is shared with the workers is touched under this lock; held for a moment only.
    virtual void lock() = 0;
    virtual void unlock() = 0;
    // There are `jobs` more, at least one. At most one system call. Without the lock.
    virtual void wake(unsigned jobs) = 0;

protected:
    ~Workers() = default;
};

}  // namespace ringlet
