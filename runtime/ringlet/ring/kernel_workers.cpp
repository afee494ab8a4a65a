// Threads, their stacks and their signals.
#include <ringlet/ring/kernel_workers.hpp>

#include <ringlet/base/panic.hpp>
#include <ringlet/base/seal.hpp>

#include <sys/mman.h>

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace ringlet {
namespace {

// What a stack must keep besides its guard page; less, and there is none (a page may be 64 KiB).
constexpr std::size_t stack_bytes_min = 16 * 1024;

std::size_t page_bytes() {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// The lowest whole page of a stack: who overruns it is stopped there, not in the neighbour's stack.
std::span<std::byte> guard_of(std::span<std::byte> stack) {
    const std::size_t page = page_bytes();
    const std::size_t start = (page - reinterpret_cast<std::uintptr_t>(stack.data()) % page) % page;
    if (stack.size() < start + page + stack_bytes_min) return {};
    return stack.subspan(start, page);
}

// A worker takes no signal from outside: they are the loop's. What a thread does to itself (a bad
// address, an abort) it must take.
sigset_t signals_from_outside() {
    sigset_t set;
    sigfillset(&set);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
        sigdelset(&set, own);
    }
    return set;
}

}  // namespace

[[gnu::cold]] Result<void> KernelWorkers::start(JobSource& source, std::span<std::byte> stacks,
                                                unsigned count) {
    RINGLET_ASSERT(count_ == 0 && count > 0 && count <= workers_max);
    source_ = &source;
    stopping_ = false;
    stacks_ = stacks;
    stack_bytes_ = stacks.size() / count;
    const sigset_t blocked = signals_from_outside();  // a new thread inherits what is blocked
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    Result<void> started;
    while (started && count_ < count) {
        started = start_one(stacks.subspan(count_ * stack_bytes_, stack_bytes_));
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!started) stop();
    return started;
}

[[gnu::cold]] Result<void> KernelWorkers::start_one(std::span<std::byte> stack) {
    const std::span<std::byte> guard = guard_of(stack);
    if (!guard.empty()) {
        if (::mprotect(guard.data(), guard.size(), PROT_NONE) < 0) {
            return std::unexpected(Error::kernel(errno));
        }
        stack = stack.subspan(static_cast<std::size_t>(guard.data() + guard.size() - stack.data()));
    }
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    int number = ::pthread_attr_setstack(&attributes, stack.data(), stack.size());
    if (number == 0) {
        number = ::pthread_create(&threads_[count_], &attributes, thread_main, this);
    }
    ::pthread_attr_destroy(&attributes);
    if (number != 0) {
        if (!guard.empty()) ::mprotect(guard.data(), guard.size(), PROT_READ | PROT_WRITE);
        return std::unexpected(Error::kernel(number));
    }
    ::pthread_setname_np(threads_[count_], "ringlet-worker");
    ++count_;
    return {};
}

[[gnu::cold]] void KernelWorkers::stop() {
    {
        const std::lock_guard locked(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    while (count_ > 0) {
        --count_;
        ::pthread_join(threads_[count_], nullptr);
        const auto guard = guard_of(stacks_.subspan(count_ * stack_bytes_, stack_bytes_));
        if (!guard.empty()) ::mprotect(guard.data(), guard.size(), PROT_READ | PROT_WRITE);
    }
}

// Both are one futex call, and none if nobody sleeps.
void KernelWorkers::wake(unsigned jobs) {
    jobs == 1 ? changed_.notify_one() : changed_.notify_all();
}

void* KernelWorkers::thread_main(void* self) {
    if (seal_handler != nullptr) seal_handler(true);
    static_cast<KernelWorkers*>(self)->work();
    if (seal_handler != nullptr) seal_handler(false);
    return nullptr;
}

void KernelWorkers::work() {
    while (Job* const job = wait_for_job()) {
        source_->run(*job);
        {
            const std::lock_guard locked(mutex_);
            source_->ended(*job);
        }
        source_->tell();
    }
}

// Null once there will be none any more.
Job* KernelWorkers::wait_for_job() {
    std::unique_lock locked(mutex_);
    for (;;) {
        Job* const job = source_->take();
        if (job != nullptr || stopping_) return job;
        changed_.wait(locked);
    }
}

}  // namespace ringlet
