// The client of the UDP echo: 32 datagrams of 64 bytes under way, each from a socket of its own.
// One that does not come back within 100 ms is sent again, and counted.
#include "load.hpp"

namespace {

constexpr unsigned sockets = 32;
constexpr unsigned entries = 256;
constexpr unsigned completions = 1024;
constexpr unsigned buffers = 128;
constexpr unsigned buffer_bytes = 128;
constexpr bench::Nanoseconds lost_after = 100'000'000;

struct Socket {
    int descriptor = -1;
    bench::Nanoseconds begun = 0;      // of the round trip
    bench::Nanoseconds last_sent = 0;  // of this datagram
    std::uint64_t words[bench::message_bytes / sizeof(std::uint64_t)] = {};
};

class Client : public bench::Load<Client> {
public:
    explicit Client(std::int64_t port) : Load(entries, completions, buffers, buffer_bytes) {
        for (unsigned i = 0; i < sockets; ++i) {
            sockets_[i].descriptor = bench::connected_socket(SOCK_DGRAM, port);
            start_receive(sockets_[i].descriptor, i);
        }
        start_tick();
        for (Socket& socket : sockets_) next(socket);
    }

    void completed(const io_uring_cqe& cqe) {
        if (cqe.user_data == tick_tag) return tick();
        const auto index = static_cast<unsigned>(cqe.user_data);
        Socket& socket = sockets_[index];
        if (cqe.res >= 0) received(socket, cqe);
        else if (cqe.res != -ENOBUFS) fail("receive", cqe.res);
        if ((cqe.flags & IORING_CQE_F_MORE) == 0) start_receive(socket.descriptor, index);
    }

private:
    static constexpr std::uint64_t tick_tag = send_tag - 1;

    void received(Socket& socket, const io_uring_cqe& cqe) {
        const unsigned buffer = bench::Buffers::of(cqe);
        // Else it is the answer to one that was sent twice.
        const bool is_answer =
            cqe.res == bench::message_bytes &&
            std::memcmp(buffers_.at(buffer), socket.words, bench::message_bytes) == 0;
        buffers_.give_back(buffer);
        if (!is_answer) return;
        ++round_trips;
        latencies.add(turn_ - socket.begun);
        next(socket);
    }

    void next(Socket& socket) {
        socket.begun = turn_;
        ++socket.words[0];
        send(socket);
    }

    void send(Socket& socket) {
        socket.last_sent = turn_;
        start_send(socket.descriptor, socket.words, 0);
    }

    void tick() {
        for (Socket& socket : sockets_) {
            if (turn_ - socket.last_sent < lost_after) continue;
            ++lost;
            send(socket);
        }
        start_tick();
    }
    void start_tick() {
        io_uring_sqe* const sqe = ring_.sqe(tick_tag);
        ::io_uring_prep_timeout(sqe, &tick_, 0, 0);
    }

    Socket sockets_[sockets];
    __kernel_timespec tick_{.tv_sec = 0, .tv_nsec = lost_after / 10};
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    static Client client(arguments.number("port", 7007));
    bench::measure(client, arguments, "udp_echo");
    if (client.lost > 0) {
        std::fprintf(stderr, "%lld datagrams were lost\n", static_cast<long long>(client.lost));
    }
}
