// Opening a tty, and reading to its hang-up.
#include <ringlet/io/terminal.hpp>

#include <ringlet/io/poll.hpp>
#include <ringlet/task/attempt.hpp>

#include <fcntl.h>

namespace ringlet {
namespace {

class OpenTerminal : public OperationOf<OpenTerminal, Descriptor> {
public:
    static constexpr const char* reason = "open";
    static constexpr bool opens_descriptor = true;

    explicit OpenTerminal(const char* path) : path_(path) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_openat(&sqe, AT_FDCWD, path_, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
                               0);
    }
    Descriptor value(int result) const { return Descriptor(result); }

private:
    const char* path_;
};

}  // namespace

Task<Terminal> Terminal::open(const char* path, TerminalOptions options) {
    Terminal terminal(co_await OpenTerminal(path));
    System& system = scheduler().system();
    if (options.raw) {
        co_await system.make_raw(terminal.descriptor());
    } else if (!system.is_terminal(terminal.descriptor())) {
        co_await fail(Error::kernel(ENOTTY));
    }
    co_return terminal;
}

Task<std::size_t> Terminal::read(std::span<std::byte> into) {
    RINGLET_ASSERT(!into.empty());
    for (;;) {
        const unsigned events = co_await poll(descriptor(), POLLIN);
        const auto count = co_await attempt(ReadOperation(descriptor(), into, at_position));
        if (count) co_return *count;
        const Error why = count.error();
        if (why == std::errc::resource_unavailable_try_again) continue;
        if (why == std::errc::io_error && (events & POLLHUP) != 0) co_return 0;
        co_await fail(why);
    }
}

}  // namespace ringlet
