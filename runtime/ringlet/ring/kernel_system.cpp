// The system calls behind KernelSystem, and emergency_write().
#include <ringlet/ring/kernel_system.hpp>

#include <ringlet/base/panic.hpp>

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace ringlet {
namespace {

std::unexpected<Error> last_error() {
    return std::unexpected(Error::kernel(errno));
}

Result<void> checked(int result) {
    if (result < 0) return last_error();
    return {};
}

sigset_t to_sigset(SignalSet signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int number = 1; number <= 64; ++number) {
        if ((signals & signal_bit(number)) != 0) sigaddset(&set, number);
    }
    return set;
}

bool is_ignored(int number) {
    struct sigaction now {};
    return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

// Waits before each write, and writes no more than a pipe that polls writable takes: a process that
// wants to end must not hang on a pipe that nobody reads.
[[gnu::cold]] void emergency_write(std::string_view words) {
    constexpr int patience_ms = 1000;
    static constinit std::atomic<bool> reader_is_stuck = false;  // it is not waited for twice
    while (!words.empty()) {
        pollfd error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
        const int polled = ::poll(&error, 1, reader_is_stuck ? 0 : patience_ms);
        if (polled < 0 && errno == EINTR) continue;
        reader_is_stuck = polled == 0;
        if (polled <= 0) return;
        const std::size_t size = std::min<std::size_t>(words.size(), PIPE_BUF);
        const ssize_t count = ::write(STDERR_FILENO, words.data(), size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        words.remove_prefix(static_cast<std::size_t>(count));
    }
}

[[gnu::cold]] void KernelSystem::prepare_process() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
    for (int number = 0; number <= STDERR_FILENO; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) continue;
        const int opened = ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        RINGLET_ASSERT(opened == number || opened < 0);  // the lowest that is free
    }
}

Instant KernelSystem::now(Clock clock) {
    static constexpr clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME};
    timespec time{};
    ::clock_gettime(ids[static_cast<unsigned>(clock)], &time);
    return Instant{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<int> KernelSystem::socket(int family, int type, int protocol) {
    const int descriptor = ::socket(family, type | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return last_error();
    return descriptor;
}

Result<void> KernelSystem::bind(int descriptor, const SocketAddress& address) {
    return checked(::bind(descriptor, address.get(), address.size));
}

Result<void> KernelSystem::listen(int descriptor, int backlog) {
    return checked(::listen(descriptor, backlog));
}

Result<void> KernelSystem::set_option(int descriptor, int level, int name, int value) {
    return checked(::setsockopt(descriptor, level, name, &value, sizeof value));
}

Result<void> KernelSystem::set_option_bytes(int descriptor, int level, int name,
                                            std::span<const std::byte> value) {
    const auto size = static_cast<socklen_t>(value.size());
    return checked(::setsockopt(descriptor, level, name, value.data(), size));
}

Result<int> KernelSystem::get_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(descriptor, level, name, &value, &size) < 0) return last_error();
    return value;
}

Result<SocketAddress> KernelSystem::local_address(int descriptor) {
    SocketAddress address;
    socklen_t size = sizeof address.storage;
    if (::getsockname(descriptor, address.get(), &size) < 0) return last_error();
    address.set_told_size(size);
    return address;
}

Result<SocketAddress> KernelSystem::peer_address(int descriptor) {
    SocketAddress address;
    socklen_t size = sizeof address.storage;
    if (::getpeername(descriptor, address.get(), &size) < 0) return last_error();
    address.set_told_size(size);
    return address;
}

Result<std::size_t> KernelSystem::receive_now(int descriptor, msghdr& header) {
    const ssize_t size = ::recvmsg(descriptor, &header, MSG_DONTWAIT);
    if (size < 0) return last_error();
    return static_cast<std::size_t>(size);
}

Result<PeerCredentials> KernelSystem::peer_credentials(int descriptor) {
    struct ucred peer {};
    socklen_t size = sizeof peer;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return last_error();
    return PeerCredentials{.process = peer.pid, .user = peer.uid, .group = peer.gid};
}

// O_NONBLOCK lets io_uring do the operation itself, and park it on a poll. Without it a kernel
// before 6.4 gives each to a worker thread, which a long write to a full pipe then keeps.
Result<std::array<int, 2>> KernelSystem::pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) < 0) return last_error();
    return ends;
}

// SFD_NONBLOCK as in pipe(), before Linux 6.10: a worker thread would not see a signal that is sent
// to the loop's thread alone, as by raise(3).
[[gnu::cold]] Result<int> KernelSystem::open_signals(SignalSet signals) {
    // A shell without job control starts `app &` so, and means it: one blocked would come here.
    if (is_ignored(SIGINT)) signals &= ~signal_bit(SIGINT);
    const sigset_t set = to_sigset(signals);
    sigset_t before;
    if (const int number = ::pthread_sigmask(SIG_BLOCK, &set, &before); number != 0) {
        return std::unexpected(Error::kernel(number));
    }
    const int descriptor = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0) {
        const auto error = last_error();
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return error;
    }
    for (int number = 1; number <= 64; ++number) {
        const SignalSet bit = signal_bit(number);
        if ((signals & bit) != 0 && sigismember(&before, number) == 0) blocked_ |= bit;
    }
    return descriptor;
}

[[gnu::cold]] void KernelSystem::discard_signals(SignalSet signals) {
    const sigset_t set = to_sigset(signals & blocked_);
    const timespec at_once{};
    while (::sigtimedwait(&set, nullptr, &at_once) > 0) {
    }
}

[[gnu::cold]] void KernelSystem::unblock_signals(SignalSet signals) {
    const sigset_t set = to_sigset(signals & blocked_);
    blocked_ &= ~signals;
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Result<int> KernelSystem::open_waker() {
    const int descriptor = ::eventfd(0, EFD_CLOEXEC);
    if (descriptor < 0) return last_error();
    return descriptor;
}

void KernelSystem::wake(int waker) {
    const int saved_errno = errno;  // also called inside a job
    const std::uint64_t one = 1;
    // It would block only after 2^64 wakes that nobody read.
    while (::write(waker, &one, sizeof one) < 0) RINGLET_ASSERT(errno == EINTR);
    errno = saved_errno;
}

void KernelSystem::close(int descriptor) {
    ::close(descriptor);
}

Result<void> KernelSystem::set_permissions(int descriptor, unsigned permissions) {
    return checked(::fchmod(descriptor, permissions));
}

bool KernelSystem::is_terminal(int descriptor) {
    return ::isatty(descriptor) == 1;
}

Result<void> KernelSystem::make_raw(int descriptor) {
    termios settings{};
    if (::tcgetattr(descriptor, &settings) < 0) return last_error();
    ::cfmakeraw(&settings);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    return checked(::tcsetattr(descriptor, TCSANOW, &settings));
}

int KernelSystem::terminal_columns(int descriptor) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

Result<int> KernelSystem::control(int descriptor, unsigned long request,
                                  std::uintptr_t argument) {
    const int result = ::ioctl(descriptor, request, argument);
    if (result < 0) return last_error();
    return result;
}

void KernelSystem::random(std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t count = ::getrandom(out.data(), out.size(), 0);
        if (count > 0) out = out.subspan(static_cast<std::size_t>(count));
        else RINGLET_ASSERT(errno == EINTR);
    }
}

Result<void> KernelSystem::lock_memory() {
    return checked(::mlockall(MCL_CURRENT | MCL_FUTURE));
}

void KernelSystem::write_error(std::string_view words) {
    emergency_write(words);
}

[[gnu::cold]] Result<void> KernelSystem::append_to_file(const char* path, std::string_view text) {
    const int descriptor = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return last_error();
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    Result<void> result = checked(written < 0 ? -1 : 0);
    if (written >= 0 && static_cast<std::size_t>(written) < text.size()) {
        // Half a line would spoil the next one as well.
        const off_t end = ::lseek(descriptor, 0, SEEK_CUR);
        [[maybe_unused]] const int cut = ::ftruncate(descriptor, end - written);
        result = std::unexpected(Error::kernel(ENOSPC));
    }
    ::close(descriptor);
    return result;
}

void KernelSystem::exit_now(int status) {
    ::_exit(status);
}

}  // namespace ringlet
