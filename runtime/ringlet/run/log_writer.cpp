// The log's way out of the process.
#include <ringlet/run/log_writer.hpp>

#include <ringlet/base/log.hpp>

#include <cerrno>
#include <poll.h>
#include <sys/uio.h>
#include <utility>

namespace ringlet {
namespace {
constexpr int standard_error = 2;

// Whole lines, as far as one write may go: so they stay whole in a pipe that others write to, and a
// slow console can be seen to go on.
std::string_view next_piece() {
    const std::string_view bytes = log::pending().substr(0, log::line_bytes_max);
    const std::size_t newline = bytes.rfind('\n');
    return newline == std::string_view::npos ? bytes : bytes.substr(0, newline + 1);
}

}  // namespace

constinit const OperationHooks LogWriter::hooks_{
    {.reason = "log", .catches = false, .cancel = [](Pending&) {}}, prepare, completed};

LogWriter::LogWriter(Scheduler& scheduler) : Operation(hooks_, nullptr), scheduler_(scheduler) {
    log::attach();
    log::set_wake([](void* whose) { static_cast<Scheduler*>(whose)->note_outgoing(); }, &scheduler);
}

LogWriter::~LogWriter() {
    log::set_wake(nullptr, nullptr);
    log::detach();
}

void LogWriter::pump() {
    if (!is_idle() || log::pending().empty()) return;
    if (broken_) return log::consume(log::pending().size());
    scheduler_.operations().start_internal(*this);
}

void LogWriter::abandon() {
    broken_ = true;
    if (!is_idle()) scheduler_.operations().cancel(*this);
}

void LogWriter::prepare(Operation& operation, io_uring_sqe& sqe) {
    auto& self = static_cast<LogWriter&>(operation);
    if (self.polls_) return ::io_uring_prep_poll_add(&sqe, standard_error, POLLOUT);
    const std::string_view bytes = next_piece();
    constexpr auto at_file_position = static_cast<std::uint64_t>(-1);
    self.asked_ = bytes.size();
    ::io_uring_prep_write(&sqe, standard_error, bytes.data(), static_cast<unsigned>(bytes.size()),
                          at_file_position);
    // A short write leaves a file's position where it was: see write_everything() in io/.
    if (self.was_short_) sqe.rw_flags = RWF_APPEND;
}

void LogWriter::completed(Operation& operation, std::uint32_t) {
    auto& self = static_cast<LogWriter&>(operation);
    const std::int32_t result = self.result();
    const bool polled = std::exchange(self.polls_, false);
    if (result == -EAGAIN) {
        self.polls_ = true;  // somebody made it non-blocking, and it is full
    } else if (result >= 0) {
        const std::size_t written = polled ? 0 : static_cast<std::size_t>(result);
        if (!polled && written < self.asked_) self.was_short_ = true;
        self.written_ += written;
        log::consume(written);
    } else {
        // The next lines may find room again, or a worker thread of io_uring's where ECANCELED is
        // for want of one.
        self.broken_ |= result != -ENOMEM && result != -ENOSPC && result != -EDQUOT &&
                        result != -ECANCELED;
        log::consume(log::pending().size());
    }
    self.pump();
}

}  // namespace ringlet
