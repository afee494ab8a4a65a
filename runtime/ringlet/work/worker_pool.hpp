// WorkerPool: the loop's side of the workers. It hands jobs over once a turn, and collects those
// that have ended; work/job.hpp shows a job's whole way.
//
//   loop's thread                 under the lock                   workers
//   submit() -> [ new ] --hand_over()--> JobQueue --take()--------> run()
//   task goes on <------collect()------- [ ended ] <--ended()---------+
//
// Each way costs at most one system call for all that goes it together: Workers::wake(), and
// Waker::tell().
#pragma once

#include <ringlet/ring/workers.hpp>
#include <ringlet/work/job_queue.hpp>
#include <ringlet/work/waker.hpp>

#include <algorithm>
#include <optional>
#include <string_view>

namespace ringlet {

// Sanitizers want room of their own on a worker's stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t sanitizer_stack_bytes = 1024 * 1024;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::size_t sanitizer_stack_bytes = 1024 * 1024;
#else
inline constexpr std::size_t sanitizer_stack_bytes = 0;
#endif
#else
inline constexpr std::size_t sanitizer_stack_bytes = 0;
#endif

// The least that a stack must have: glibc's PTHREAD_STACK_MIN, which is no constant, and a guard
// page with its alignment, where a page may have 64 KiB.
#if defined(__aarch64__) || defined(__powerpc__) || defined(__mips__) || defined(__loongarch__)
inline constexpr std::size_t platform_stack_bytes = 131'072 + 2 * 65'536;
#else
inline constexpr std::size_t platform_stack_bytes = worker_stack_bytes_min;
#endif

// What a worker's stack takes for `wanted` bytes: Limits::worker_stack_bytes.
constexpr std::size_t worker_stack_room(std::size_t wanted,
                                        std::size_t least = platform_stack_bytes) {
    return std::max(wanted, least) + sanitizer_stack_bytes;
}

// What the workers' stacks take in a runtime's storage.
constexpr std::size_t worker_stacks_bytes(const Limits& limits) {
    return limits.workers * worker_stack_room(limits.worker_stack_bytes);
}

class WorkerPool;

// The pool of the loop on this thread; null outside run().
inline constinit thread_local WorkerPool* current_workers = nullptr;

// A job that owns all it uses, so that its caller may leave while it runs.
struct AbandonableJob : Job, ListLink<AbandonableJob> {
    using Job::Job;
    [[no_unique_address]] AwaitSite where;  // of the caller's co_await, once it has left
    std::uint32_t since_ms = 0;
};

class WorkerPool final : public JobSource {
public:
    // It becomes current_workers. All outlive it.
    WorkerPool(Scheduler& scheduler, Waker& waker);
    ~WorkerPool();

    // Starts limits.workers threads. `stacks` has worker_stacks_bytes() and outlives the pool.
    // Errors: pthread_create(3)'s.
    Result<void> start(std::span<std::byte> stacks);

    // --- for awaiters

    // Why a job cannot be submitted now: there are no workers, or, unless it may wait, too many
    // jobs have not ended (Limits::worker_jobs).
    std::optional<Error> refusal(bool may_wait) const;
    // The job's task waits for it; it runs when a worker is free and its lane, if any, allows.
    void submit(Job& job);

    enum class Withdrawn : std::uint8_t { yes, runs, has_ended };
    // Takes a job back that has not begun.
    Withdrawn withdraw(Job& job);
    // The job runs on, and nobody waits for it any more.
    void abandon(AbandonableJob& job);

    void forget(Lane& lane);

    // --- for the loop

    // Before the kernel is entered: the jobs of this turn go to the workers.
    void hand_over();
    // After the waker was told: the tasks of jobs that have ended go on.
    void collect();
    // True while no job is with the workers or on its way to them.
    const bool& is_idle() const { return idle_; }
    // The jobs that run on without a caller, a line each, for the await tree.
    void print_abandoned(void (*sink)(std::string_view line, void* context), void* context) const;

    // Jobs not ended, at most, so far.
    unsigned jobs_max() const { return jobs_max_; }
    // Calls of Workers::wake().
    std::uint64_t wakes() const { return wakes_; }

private:
    Job* take() override { return queue_.take(); }
    void run(Job& job) override { job.job_hooks().run(job); }
    void ended(Job& job) override;
    void tell() override { waker_.tell(); }
    void count_down();

    Scheduler& scheduler_;
    Workers& workers_;
    Waker& waker_;
    unsigned threads_ = 0;

    IntrusiveList<Job> new_;
    IntrusiveList<AbandonableJob, AbandonableJob> abandoned_;
    unsigned jobs_ = 0;
    unsigned jobs_max_ = 0;
    bool idle_ = true;
    std::uint64_t wakes_ = 0;

    // Under the lock of workers_:
    JobQueue queue_;
    IntrusiveList<Job> ended_;
};

}  // namespace ringlet
