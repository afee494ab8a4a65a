// The log's way out of the process.
#include <ringlet/run/log_writer.hpp>

#include <ringlet/base/log.hpp>

#include <cerrno>

namespace ringlet {
namespace {
constexpr int standard_error = 2;
}

constinit const OperationHooks LogWriter::hooks_{
    {.reason = "log", .catches = false, .cancel = [](Pending&) {}}, prepare, completed};

LogWriter::LogWriter(Scheduler& scheduler) : Operation(hooks_, nullptr), scheduler_(scheduler) {
    log::attach();
}

LogWriter::~LogWriter() {
    log::detach();
}

void LogWriter::pump() {
    if (!is_idle() || log::pending().empty()) return;
    if (broken_) return log::consume(log::pending().size());
    scheduler_.operations().start_internal(*this);
}

bool LogWriter::is_done() const {
    return is_idle() && log::pending().empty();
}

void LogWriter::abandon() {
    broken_ = true;
    if (!is_idle()) scheduler_.operations().cancel(*this);
}

void LogWriter::prepare(Operation&, io_uring_sqe& sqe) {
    const std::string_view bytes = log::pending();
    constexpr auto at_file_position = static_cast<std::uint64_t>(-1);
    ::io_uring_prep_write(&sqe, standard_error, bytes.data(), static_cast<unsigned>(bytes.size()),
                          at_file_position);
}

void LogWriter::completed(Operation& operation, std::uint32_t) {
    auto& self = static_cast<LogWriter&>(operation);
    const std::int32_t result = self.result();
    if (result >= 0) {
        log::consume(static_cast<std::size_t>(result));
    } else if (result != -EAGAIN) {  // EAGAIN: somebody made it non-blocking; the next turn tries
        self.broken_ = true;
        log::consume(log::pending().size());
    }
    self.pump();
}

}  // namespace ringlet
