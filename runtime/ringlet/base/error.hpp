// Error and Result: how a call says that it failed.
//
// An Error is eight bytes: a std::errc (errno's values under the standard's names), the domain that
// raised it, and a small detail that is the domain's own. Two errors with the same code can so be
// told apart: a full frame pool is not the kernel's ENOMEM.
#pragma once

#include <ringlet/base/panic.hpp>

#include <cstdint>
#include <expected>
#include <system_error>

namespace ringlet {

// Who raised an error. Drivers number theirs from `driver` upwards: driver_domain().
enum class Domain : std::uint16_t { kernel, runtime, app, json, self_test, driver = 256 };

// The domain of a driver; each has a number of its own.
constexpr Domain driver_domain(std::uint16_t number) {
    return static_cast<Domain>(static_cast<std::uint16_t>(Domain::driver) + number);
}

// The detail of an error whose domain is `runtime`: the bound that was reached, or what was wrong.
enum class RuntimeDetail : std::uint16_t {
    none,
    frames,        // FramePool: no frame of the size is free (Limits::frames)
    tasks,         // Limits::tasks
    descriptors,   // Limits::descriptors
    nested_run,    // run() inside a run() of the same thread
    closed,        // a queue, broadcast or stream that was closed
    line_length,   // a line or message longer than its reader's limit
    circuit_open,  // a circuit breaker that lets no call through now
    old_kernel,    // Linux before 6.1
    ring_denied,   // io_uring switched off by sysctl, or denied by seccomp
    workers,       // no threads for offload(): Limits::workers is 0
    jobs,          // Limits::worker_jobs
    posts,         // the mailbox is full (Limits::posts)
    not_running,   // a post while no run() is under way
    ring_memory,   // RLIMIT_MEMLOCK or memory does not suffice for the ring
    multishot_buffers,  // Limits::multishot_buffers
};

class [[nodiscard]] Error {
public:
    constexpr Error() = default;
    constexpr Error(std::errc code, Domain domain = Domain::app, std::uint16_t detail = 0)
        : code_(code), domain_(domain), detail_(detail) {}
    constexpr Error(std::errc code, RuntimeDetail detail)
        : Error(code, Domain::runtime, static_cast<std::uint16_t>(detail)) {}

    // The error of a system call or completion that returned `-number`; number > 0.
    static constexpr Error kernel(int number) {
        return {static_cast<std::errc>(number), Domain::kernel};
    }

    constexpr std::errc code() const { return code_; }
    constexpr Domain domain() const { return domain_; }
    constexpr std::uint16_t detail() const { return detail_; }

    friend constexpr bool operator==(Error, Error) = default;
    friend constexpr bool operator==(Error error, std::errc code) { return error.code_ == code; }
    friend constexpr bool operator==(Error error, RuntimeDetail detail) {
        return error.domain_ == Domain::runtime &&
               error.detail_ == static_cast<std::uint16_t>(detail);
    }

private:
    std::errc code_{};
    Domain domain_ = Domain::kernel;
    std::uint16_t detail_ = 0;
};
static_assert(sizeof(Error) == 8);

template <class T>
using Result = std::expected<T, Error>;

// The error in words, as static text. Never null.
const char* text(Error error);

// Teaches text() the words of a driver's domain. An object with static storage, in the driver's
// own source; made before run().
class DomainWords {
public:
    // Static text for an error of the domain, or null for errno's.
    using Words = const char* (*)(Error error);

    DomainWords(Domain domain, Words words);
    DomainWords(const DomainWords&) = delete;
    DomainWords& operator=(const DomainWords&) = delete;

private:
    friend const char* text(Error error);

    Domain domain_;
    Words words_;
    const DomainWords* next_;
};

// `co_await fail(error)` ends the coroutine with the error, as if it had come from a call.
struct [[nodiscard]] Fail {
    explicit constexpr Fail(Error why) : error(why) { RINGLET_ASSERT(why != Error()); }
    Error error;
};
constexpr Fail fail(Error error) {
    return Fail(error);
}
constexpr Fail fail(std::errc code) {
    return Fail(Error(code));
}

}  // namespace ringlet
