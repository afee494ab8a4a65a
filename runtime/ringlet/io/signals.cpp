// Which signals may be awaited, and reading them.
#include <ringlet/io/signals.hpp>

#include <ringlet/io/transfer.hpp>

#include <sys/signalfd.h>

namespace ringlet {

bool Signals::is_allowed(int number) {
    constexpr int last = 64;
    if (number < 1 || number > last || number == scheduler().limits().await_tree_signal) {
        return false;
    }
    switch (number) {
        case SIGINT:
        case SIGTERM: return false;  // run()'s
        case SIGKILL:
        case SIGSTOP: return false;  // cannot be blocked
        case SIGSEGV:
        case SIGBUS:
        case SIGFPE:
        case SIGILL:
        case SIGTRAP:
        case SIGSYS: return false;  // raised by a fault they end the process, blocked or not
        default: return true;
    }
}

Result<Signals> Signals::open_set(SignalSet set) {
    if (!scheduler().reserve_descriptor()) {
        return std::unexpected(Error(std::errc::too_many_files_open, RuntimeDetail::descriptors));
    }
    const auto number = scheduler().system().open_signals(set);
    if (number) return Signals(Descriptor(*number), set);
    scheduler().release_descriptor();
    return std::unexpected(number.error());
}

Signals::~Signals() {
    if (set_ != 0) scheduler().system().unblock_signals(set_);
}

Task<int> Signals::next() {
    signalfd_siginfo info{};
    const auto into = std::as_writable_bytes(std::span(&info, 1));
    const std::size_t count = co_await ReadOperation(descriptor_.get(), into, at_position);
    RINGLET_ASSERT(count == sizeof info);  // signalfd(2): whole structures
    co_return static_cast<int>(info.ssi_signo);
}

}  // namespace ringlet
