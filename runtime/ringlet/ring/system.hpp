// System: the few calls to the kernel that have no SQE, or that are quick and needed once.
//
// No other file calls libc for I/O (a test reads the objects' symbols), so a simulated System and a
// simulated Ring together are a whole world. No call here blocks, unless it says so. Errors are in
// the kernel's domain.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/error.hpp>
#include <ringlet/ring/workers.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringlet {

// A set of signals, one bit each: bit n - 1 is signal n (signal(7)).
using SignalSet = std::uint64_t;
constexpr SignalSet signal_bit(int number) {
    return SignalSet{1} << (number - 1);
}

// A socket's address and its length, as bind(2) and getsockname(2) take it.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

    // The size as the kernel told it. Of a Unix path that fills all its room it counts a zero more,
    // and does not take that back (unix(7), BUGS).
    void set_told_size(socklen_t told) {
        const bool is_unix = storage.ss_family == AF_UNIX;
        size = is_unix ? std::min(told, socklen_t{sizeof(sockaddr_un)}) : told;
    }
};

// Who is at the other end of a Unix socket, as unix(7) tells it of the moment of connecting.
struct PeerCredentials {
    int process = 0;  // 0: of another PID namespace
    unsigned user = 0;
    unsigned group = 0;
};

class System {
public:
    System() = default;
    System(const System&) = delete;
    System& operator=(const System&) = delete;

    // clock_gettime(2).
    virtual Instant now(Clock clock) = 0;

    // socket(2), with SOCK_CLOEXEC. Descriptors are blocking: io_uring parks what cannot go on.
    virtual Result<int> socket(int family, int type, int protocol) = 0;
    virtual Result<void> bind(int descriptor, const SocketAddress& address) = 0;
    virtual Result<void> listen(int descriptor, int backlog) = 0;
    // setsockopt(2) and getsockopt(2) for options that are an int.
    virtual Result<void> set_option(int descriptor, int level, int name, int value) = 0;
    // setsockopt(2) for the others.
    virtual Result<void> set_option_bytes(int descriptor, int level, int name,
                                          std::span<const std::byte> value) = 0;
    virtual Result<int> get_option(int descriptor, int level, int name) = 0;
    virtual Result<SocketAddress> local_address(int descriptor) = 0;
    virtual Result<SocketAddress> peer_address(int descriptor) = 0;
    // recvmsg(2) with MSG_DONTWAIT: the next of what has come already. Gives its size.
    virtual Result<std::size_t> receive_now(int descriptor, msghdr& header) = 0;
    // SO_PEERCRED.
    virtual Result<PeerCredentials> peer_credentials(int descriptor) = 0;

    // pipe2(2) with O_CLOEXEC: the reading end, then the writing end.
    virtual Result<std::array<int, 2>> pipe() = 0;

    // Blocks `signals` for this thread and gives a signalfd(2) that reads them.
    virtual Result<int> open_signals(SignalSet signals) = 0;
    // Forgets those that came and were not read: unblocked, they would end the process.
    virtual void discard_signals(SignalSet signals) = 0;
    // Undoes open_signals' blocking for those that this System blocked.
    virtual void unblock_signals(SignalSet signals) = 0;

    // eventfd(2): what other threads wake the loop with. It reads eight bytes once it was woken.
    virtual Result<int> open_waker() = 0;
    // From any thread. One read takes in all wakes so far.
    virtual void wake(int waker) = 0;

    // The threads for blocking work, of which there is one set.
    virtual Workers& workers() = 0;

    // close(2) at once: only for descriptors that die while no loop runs.
    virtual void close(int descriptor) = 0;

    // fchmod(2): exactly these, whatever the umask.
    virtual Result<void> set_permissions(int descriptor, unsigned permissions) = 0;

    virtual bool is_terminal(int descriptor) = 0;
    // Raw mode: tcgetattr(3), cfmakeraw(3), tcsetattr(3) at once. A read gives what is there.
    virtual Result<void> make_raw(int descriptor) = 0;
    // Columns of the terminal behind a descriptor; 80 where that cannot be told.
    virtual int terminal_columns(int descriptor) = 0;

    // ioctl(2), also from a worker's thread. `argument` is an address or a number, as the request
    // wants it; `object` below is what it points at. The one call here that may block: how long a
    // request takes, its device's driver knows; a slow one belongs on a worker.
    virtual Result<int> control(int descriptor, unsigned long request, std::uintptr_t argument) = 0;
    template <class T>
    Result<int> control_object(int descriptor, unsigned long request, T& object) {
        return control(descriptor, request, reinterpret_cast<std::uintptr_t>(&object));
    }

    // getrandom(2).
    virtual void random(std::span<std::byte> out) = 0;

    // mlockall(2) with MCL_CURRENT | MCL_FUTURE.
    virtual Result<void> lock_memory() = 0;

    // Writes last words to standard error, as emergency_write() does.
    virtual void write_error(std::string_view words) = 0;
    // _exit(2): nothing is flushed, no destructor runs.
    [[noreturn]] virtual void exit_now(int status) = 0;

protected:
    ~System() = default;
};

}  // namespace ringlet
