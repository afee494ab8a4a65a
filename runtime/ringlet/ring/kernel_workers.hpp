// KernelWorkers: Workers as threads of the process.
#pragma once

#include <ringlet/ring/workers.hpp>

#include <condition_variable>
#include <mutex>
#include <pthread.h>

namespace ringlet {

class KernelWorkers final : public Workers {
public:
    Result<void> start(JobSource& source, std::span<std::byte> stacks, unsigned count) override;
    void stop() override;
    void lock() override { mutex_.lock(); }
    void unlock() override { mutex_.unlock(); }
    void wake(unsigned jobs) override;

private:
    Result<void> start_one(std::span<std::byte> stack);
    static void* thread_main(void* self);
    void work();
    Job* wait_for_job();

    std::mutex mutex_;
    std::condition_variable changed_;
    JobSource* source_ = nullptr;
    bool stopping_ = false;  // under the mutex
    pthread_t threads_[workers_max]{};
    unsigned count_ = 0;
    std::span<std::byte> stacks_;
    std::size_t stack_bytes_ = 0;
};

}  // namespace ringlet
