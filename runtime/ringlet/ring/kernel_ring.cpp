// KernelRing: set-up with its refusals, and the loop's two calls, enter() and reap().
#include <ringlet/ring/kernel_ring.hpp>

#include <ringlet/base/panic.hpp>
#include <ringlet/ring/kernel_system.hpp>

#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ringlet {
namespace {

// By hand: sscanf brings 100 KiB of the C library into a program that is linked statically.
unsigned take_number(const char*& at) {
    unsigned number = 0;
    for (; *at >= '0' && *at <= '9'; ++at) number = 10 * number + static_cast<unsigned>(*at - '0');
    return number;
}

[[gnu::cold]] bool kernel_is_too_old() {
    utsname name{};
    if (::uname(&name) < 0) return false;
    const char* at = name.release;
    const unsigned major = take_number(at);
    if (at == name.release || *at != '.') return false;  // no form that we know
    const char* const dot = at++;
    const unsigned minor = take_number(at);
    if (at == dot + 1) return false;
    return major < 6 || (major == 6 && minor < 1);
}

// /proc/sys/kernel/io_uring_disabled (Linux 6.6): 0 is for all, 1 for a group, 2 for nobody.
bool sysctl_denies() {
    const int descriptor = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    char digit = '0';
    const bool read = ::read(descriptor, &digit, 1) == 1;
    ::close(descriptor);
    return read && digit != '0';
}

// io_uring_setup(2) says what went wrong by errno alone; what it means depends on the machine.
[[gnu::cold]] Error explain(int number) {
    const auto code = static_cast<std::errc>(number);
    if (number == ENOSYS && kernel_is_too_old()) return {code, RuntimeDetail::old_kernel};
    if (number == ENOSYS || number == EPERM || number == EACCES) {
        return {code, RuntimeDetail::ring_denied};
    }
    if (number == ENOMEM) return {code, RuntimeDetail::ring_memory};
    if (number == EINVAL && kernel_is_too_old()) return {code, RuntimeDetail::old_kernel};
    return Error::kernel(number);
}

// Null if the error says enough.
const char* words_of(Error error) {
    if (error == RuntimeDetail::old_kernel) {
        return "the kernel is older than Linux 6.1; "
               "boot a kernel 6.1 or newer (uname -r tells which one runs)";
    }
    if (error == RuntimeDetail::ring_denied) {
        if (error == std::errc::operation_not_permitted && sysctl_denies()) {
            return "the sysctl kernel.io_uring_disabled forbids it; "
                   "as root, run: sysctl -w kernel.io_uring_disabled=0";
        }
        return "a seccomp filter or the kernel's build denies it; "
               "run outside the container, or allow io_uring_setup, io_uring_enter and "
               "io_uring_register in its seccomp profile";
    }
    if (error == RuntimeDetail::ring_memory) {
        return "the limit of locked memory (RLIMIT_MEMLOCK) or memory itself is too small for the "
               "ring; raise it (ulimit -l), or lower Limits::operations";
    }
    if (error == std::errc::too_many_files_open) {
        return "the process has too few descriptors left for the ring and its self-test; "
               "raise the limit (ulimit -n)";
    }
    if (error == std::errc::too_many_files_open_in_system) {
        return "the machine has no descriptor left; raise its limit (sysctl fs.file-max)";
    }
    return nullptr;
}

}  // namespace

[[gnu::cold]] Refusal refusal(Error error) {
    Refusal refusal;
    char* const out = refusal.words_.data();
    const std::size_t room = refusal.words_.size();
    if (error.domain() == Domain::self_test) {
        std::snprintf(out, room,
                      "io_uring cannot be used: it does not work in this kernel (self-test, %s: "
                      "%s); boot another kernel (uname -r tells which one runs)",
                      text(step_of(error)), text_of_fault(error));
    } else if (const char* words = words_of(error); words != nullptr) {
        std::snprintf(out, room, "io_uring cannot be used: %s", words);
    } else {
        std::snprintf(out, room, "%s", text(error));
    }
    return refusal;
}

[[gnu::cold]] KernelRing::~KernelRing() {
    if (open_) ::io_uring_queue_exit(&ring_);
}

[[gnu::cold]] Result<void> KernelRing::open(RingSize size, unsigned bounded_workers,
                                            unsigned unbounded_workers) {
    RINGLET_ASSERT(!open_);
    // The version is asked first: a distribution's 5.x with patched-in flags is not the floor.
    if (kernel_is_too_old()) {
        return std::unexpected(Error(std::errc::function_not_supported, RuntimeDetail::old_kernel));
    }
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                       IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = size.completions;
    const int result = ::io_uring_queue_init_params(size.submissions, &ring_, &parameters);
    if (result < 0) return std::unexpected(explain(-result));
    RINGLET_ASSERT((parameters.features & IORING_FEAT_EXT_ARG) != 0);
    RINGLET_ASSERT(parameters.cq_entries >= size.completions);  // not clamped below the credits

    const Result<void> proved = prove(bounded_workers, unbounded_workers);
    open_ = proved.has_value();
    if (!open_) ::io_uring_queue_exit(&ring_);
    return proved;
}

// That the ring which was set up can be used.
[[gnu::cold]] Result<void> KernelRing::prove(unsigned bounded_workers, unsigned unbounded_workers) {
    unsigned workers[2] = {bounded_workers, unbounded_workers};
    const int limited = ::io_uring_register_iowq_max_workers(&ring_, workers);
    if (limited < 0) return std::unexpected(explain(-limited));
    // A filter may allow the set-up and deny the entry.
    const int entered = ::io_uring_get_events(&ring_);
    if (entered < 0) return std::unexpected(explain(-entered));

    KernelSystem system;
    const Result<void> tested = run_self_test(*this, system, self_test_);
    if (tested) return {};
    const Error found = tested.error();
    if (found.domain() == Domain::kernel) {
        return std::unexpected(explain(static_cast<int>(found.code())));
    }
    if (entry_error_ == 0) return tested;
    const Error explained = explain(entry_error_);
    if (explained.domain() == Domain::runtime) return std::unexpected(explained);
    return std::unexpected(
        self_test_error(step_of(found), SelfTestFault::entry, explained.code()));
}

unsigned KernelRing::unsubmitted() const {
    return ::io_uring_sq_ready(&ring_);
}

io_uring_sqe& KernelRing::next_sqe() {
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {  // full: only submitting helps
        ++entries_;
        const int result = ::io_uring_submit(&ring_);
        // EAGAIN, EBUSY: the kernel is short of memory for requests. Running task work frees some.
        if (result == -EAGAIN || result == -EBUSY) ::io_uring_get_events(&ring_);
        else RINGLET_ASSERT(result >= 0 || result == -EINTR);
        sqe = ::io_uring_get_sqe(&ring_);
    }
    *sqe = {};
    return *sqe;
}

void KernelRing::enter(Wait wait, Nanoseconds timeout) {
    int result = 0;
    ++entries_;
    if (wait == Wait::no) {
        result = ::io_uring_submit_and_get_events(&ring_);
    } else if (timeout == Nanoseconds::max()) {
        result = ::io_uring_submit_and_wait(&ring_, 1);
    } else {
        // An Instant further than the kernel's 64-bit seconds cannot occur: it counts nanoseconds.
        __kernel_timespec limit{.tv_sec = timeout.count() / 1'000'000'000,
                                .tv_nsec = timeout.count() % 1'000'000'000};
        io_uring_cqe* first = nullptr;
        result = ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
    }
    // ETIME: the timeout passed. EINTR: a signal came. EAGAIN, EBUSY: see next_sqe(); what was not
    // submitted stays in the queue, and the loop comes back after it has reaped.
    const bool harmless =
        result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY;
    if (result >= 0 || harmless) return;
    RINGLET_ASSERT(!open_);  // or the self-test has to answer for it
    entry_error_ = -result;
}

std::size_t KernelRing::reap(std::span<Completion> out) {
    std::size_t count = 0;
    unsigned head = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
        if (count == out.size()) break;
        out[count++] = {cqe->user_data, cqe->res, cqe->flags};
    }
    ::io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
    return count;
}

bool KernelRing::overflowed() const {
    const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
    return (flags & IORING_SQ_CQ_OVERFLOW) != 0 || *ring_.cq.koverflow != 0;
}

Result<void> KernelRing::register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                              unsigned short group) {
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring);
    registration.ring_entries = entries;
    registration.bgid = group;
    const int result = ::io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) return std::unexpected(Error::kernel(-result));
    return {};
}

Result<void> KernelRing::unregister_buffer_ring(unsigned short group) {
    const int result = ::io_uring_unregister_buf_ring(&ring_, group);
    if (result < 0) return std::unexpected(Error::kernel(-result));
    return {};
}

}  // namespace ringlet
