// The words of an Error.
#include <ringlet/base/error.hpp>

#include <cstring>
#include <utility>

namespace ringlet {
namespace {

constinit const DomainWords* first_words = nullptr;

const char* runtime_text(RuntimeDetail detail) {
    switch (detail) {
        case RuntimeDetail::none: return nullptr;
        case RuntimeDetail::frames: return "the frame pool is full (Limits::frames)";
        case RuntimeDetail::tasks: return "too many tasks (Limits::tasks)";
        case RuntimeDetail::descriptors: return "too many open descriptors (Limits::descriptors)";
        case RuntimeDetail::multishot_buffers:
            return "the pool has more buffers than receive streams may use "
                   "(Limits::multishot_buffers)";
        case RuntimeDetail::nested_run: return "run() was called inside run() on the same thread";
        case RuntimeDetail::closed: return "it was closed";
        case RuntimeDetail::line_length: return "a line or message is longer than the limit";
        case RuntimeDetail::circuit_open: return "it failed too often and is left alone for now";
        case RuntimeDetail::old_kernel: return "the kernel is older than Linux 6.1";
        case RuntimeDetail::ring_denied: return "io_uring is switched off or denied";
        case RuntimeDetail::workers: return "there are no worker threads (Limits::workers)";
        case RuntimeDetail::jobs: return "too many jobs for the workers (Limits::worker_jobs)";
        case RuntimeDetail::posts: return "the mailbox is full (Limits::posts)";
        case RuntimeDetail::not_running: return "no run() is under way";
        case RuntimeDetail::ring_memory: return "not enough locked memory for io_uring";
    }
    return nullptr;
}

}  // namespace

DomainWords::DomainWords(Domain domain, Words words)
    : domain_(domain), words_(words), next_(std::exchange(first_words, this)) {}

[[gnu::cold]] const char* text(Error error) {
    if (error.domain() == Domain::runtime) {
        const char* words = runtime_text(static_cast<RuntimeDetail>(error.detail()));
        if (words != nullptr) return words;
        if (error == std::errc::timed_out) return "the time limit has passed";
        if (error == std::errc::operation_canceled) return "it was cancelled";
    }
    if (error.domain() == Domain::self_test) return "io_uring does not work in this kernel";
    for (const DomainWords* each = first_words; each != nullptr; each = each->next_) {
        if (each->domain_ != error.domain()) continue;
        if (const char* words = each->words_(error); words != nullptr) return words;
    }
    const char* words = strerrordesc_np(static_cast<int>(error.code()));
    return words != nullptr ? words : "unknown error";
}

}  // namespace ringlet
