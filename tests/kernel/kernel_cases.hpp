// What the kernel's tests share: peers outside the runtime, made of plain system calls; descriptors
// counted by the kernel itself; and child processes that may spoil their own limits and mounts.
#pragma once

#include <ringlet/ring/kernel_seal.hpp>
#include <ringlet/ringlet.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringlet::support {

using namespace std::chrono_literals;

inline constexpr int status_skipped = 77;

// Descriptors of this process, whoever opened them. Allocates nothing, so it may run inside a run.
inline unsigned open_descriptors() {
    constexpr int beyond = 8192;
    unsigned count = 0;
    for (int number = 0; number < beyond; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) ++count;
    }
    return count;
}

// Waits until closes in the background have left `expected` of Limits::descriptors.
inline Task<void> expect_descriptors(unsigned expected) {
    for (int tries = 0; tries < 2000 && scheduler().descriptors() != expected; ++tries) {
        co_await sleep(1ms);
    }
    EXPECT_EQ(scheduler().descriptors(), expected);
}

// No task but the caller's waits for the kernel.
inline void expect_quiet() {
    EXPECT_EQ(scheduler().operations().in_flight(), 0u);
    EXPECT_EQ(scheduler().operations().in_line(), 0u);
}

// The error of what must have failed; one that compares equal to nothing if it did not.
template <class T>
Error error_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Error() : result.error();
}

// A peer that is no part of the runtime: a blocking socket, whose calls end at once on loopback.
class PlainSocket {
public:
    PlainSocket() : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    explicit PlainSocket(int number) : number_(number) {}
    PlainSocket(PlainSocket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    PlainSocket& operator=(PlainSocket&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~PlainSocket() { close(); }

    bool connect(const SocketAddress& address) {
        return ::connect(number_, address.get(), address.size) == 0;
    }
    bool send(std::string_view text) {
        return ::send(number_, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }
    // What is there, or comes within the patience; empty at the end, after an error, or too late.
    std::string_view receive() {
        pollfd ready{.fd = number_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, patience_ms) <= 0) return {};
        const ssize_t count = ::recv(number_, buffer_, sizeof buffer_, MSG_DONTWAIT);
        return {buffer_, static_cast<std::size_t>(count > 0 ? count : 0)};
    }
    void shutdown_send() { ::shutdown(number_, SHUT_WR); }
    void close() {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }
    // Closes by a reset, as a peer whose process died with data unread, or that lost its power.
    void reset() {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }
    int number() const { return number_; }

    static constexpr int patience_ms = 60'000;

private:
    int number_;
    char buffer_[64];
};

// Runs `body`, which gives an exit status, in a process of its own. What it expects counts: its
// messages show, and the status is 1. A hang ends by SIGALRM.
template <class F>
int in_child(F&& body) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        const int status = body();
        EXPECT_EQ(seal_breaches(), 0u);
        std::fflush(nullptr);
        ::_exit(::testing::Test::HasFailure() ? 1 : status);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : exit_signal_base + WTERMSIG(status);
}

}  // namespace ringlet::support

// For a status of run() or in_child().
#define RINGLET_EXPECT_STATUS_0(status, needs)                                             \
    do {                                                                                   \
        const int ringlet_status = (status);                                               \
        if (ringlet_status == ringlet::exit_unavailable) GTEST_SKIP() << "no io_uring";    \
        if (ringlet_status == ringlet::support::status_skipped) GTEST_SKIP() << needs;     \
        EXPECT_EQ(ringlet_status, 0);                                                      \
    } while (false)
