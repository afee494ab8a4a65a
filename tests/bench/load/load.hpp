// What the clients of both echoes share: a ring with buffers, a multishot receive for each socket,
// sends that tell of failures only, and the stretch that is measured, on the server's CPU clock. A
// client costs less than any server: one submission and wait a turn.
#pragma once

#include "bench.hpp"
#include "ring.hpp"
#include "sockets.hpp"

#include <unistd.h>

namespace bench {

// `Client` has: completed(cqe) for what is no failed send, and forget() for what was counted.
template <class Client>
class Load {
public:
    std::int64_t round_trips = 0;
    std::int64_t lost = 0;
    Latencies latencies;

    void run_until(Nanoseconds end) {
        while (turn_ < end) {
            ring_.wait();
            turn_ = now();
            ring_.reap([this](const io_uring_cqe& cqe) {
                if (cqe.user_data == send_tag) fail("send", cqe.res);
                static_cast<Client*>(this)->completed(cqe);
            });
        }
    }
    void forget() {
        round_trips = 0;
        lost = 0;
        latencies.clear();
    }

protected:
    static constexpr std::uint64_t send_tag = ~std::uint64_t{0};

    Load(unsigned entries, unsigned completions, unsigned buffers, unsigned buffer_bytes)
        : ring_(entries, completions), buffers_(ring_, buffers, buffer_bytes), turn_(now()) {}

    void start_send(int socket, const std::uint64_t* words, int flags) {
        io_uring_sqe* const sqe = ring_.sqe(send_tag);
        ::io_uring_prep_send(sqe, socket, words, message_bytes, flags);
        sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
    }
    void start_receive(int socket, unsigned index) {
        io_uring_sqe* const sqe = ring_.sqe(index);
        ::io_uring_prep_recv_multishot(sqe, socket, nullptr, 0, 0);
        sqe->flags = IOSQE_BUFFER_SELECT;
        sqe->buf_group = 0;
    }

    [[noreturn]] static void fail(const char* what, int result) {
        std::fprintf(stderr, "%s: %s\n", what,
                     result < 0 ? std::strerror(-result) : "the server closed the connection");
        std::exit(1);
    }

    Ring ring_;
    Buffers buffers_;
    Nanoseconds turn_;
};

// Of the process `--server_pid`; without one, our own.
inline clockid_t server_clock(const Arguments& arguments) {
    const auto server = static_cast<pid_t>(arguments.number("server_pid", 0));
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    if (server != 0 && ::clock_getcpuclockid(server, &clock) != 0) {
        std::fprintf(stderr, "--server_pid: no such process\n");
        std::exit(2);
    }
    return clock;
}

// Measures for `--seconds`, after a while to warm up.
template <class Client>
void measure(Client& client, const Arguments& arguments, const char* name) {
    constexpr Nanoseconds warm_up = 300'000'000;
    Stretch stretch(server_clock(arguments));
    client.run_until(now() + warm_up);
    client.forget();
    stretch.begin();
    client.run_until(now() + arguments.number("seconds", 2) * 1'000'000'000);
    stretch.end();
    print_result(arguments.text("name", name), arguments.text("peer", "limit"), client.round_trips,
                 stretch, &client.latencies, client.lost);
}

}  // namespace bench
