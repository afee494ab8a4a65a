// The client of the TCP echo: one message of 64 bytes under way on each connection. It runs on a
// core of its own.
#include "load.hpp"

namespace {

constexpr unsigned buffer_bytes = 256;

struct Connection {
    int socket = -1;
    unsigned received = 0;         // of the message under way
    bench::Nanoseconds sent = 0;   // when it was
    std::uint64_t words[bench::message_bytes / sizeof(std::uint64_t)] = {};
};

unsigned power_of_two(unsigned least) {
    unsigned power = 64;
    while (power < least) power *= 2;
    return power;
}

class Client : public bench::Load<Client> {
public:
    Client(std::int64_t port, unsigned count)
        : Load(4096, 16384, power_of_two(count), buffer_bytes), connections_(count) {
        for (unsigned i = 0; i < count; ++i) {
            connections_[i].socket = bench::connected_socket(SOCK_STREAM, port);
            bench::set_no_delay(connections_[i].socket);
            connections_[i].words[0] = i;
            start_receive(connections_[i].socket, i);
        }
        for (Connection& connection : connections_) send(connection);
    }

    void completed(const io_uring_cqe& cqe) {
        const auto index = static_cast<unsigned>(cqe.user_data);
        Connection& connection = connections_[index];
        if (cqe.res == -ENOBUFS) return start_receive(connection.socket, index);
        if (cqe.res <= 0) fail("receive", cqe.res);
        received(connection, bench::Buffers::of(cqe), static_cast<unsigned>(cqe.res));
        if ((cqe.flags & IORING_CQE_F_MORE) == 0) start_receive(connection.socket, index);
    }

private:
    void received(Connection& connection, unsigned buffer, unsigned length) {
        const char* const expected = reinterpret_cast<const char*>(connection.words);
        if (connection.received + length > bench::message_bytes ||
            std::memcmp(buffers_.at(buffer), expected + connection.received, length) != 0) {
            std::fprintf(stderr, "what came back is not what was sent\n");
            std::exit(1);
        }
        buffers_.give_back(buffer);
        connection.received += length;
        if (connection.received < bench::message_bytes) return;
        ++round_trips;
        latencies.add(turn_ - connection.sent);
        send(connection);
    }

    void send(Connection& connection) {
        connection.received = 0;
        connection.sent = turn_;
        ++connection.words[1];  // no two messages are alike
        start_send(connection.socket, connection.words, MSG_DONTWAIT | MSG_WAITALL);
    }

    std::vector<Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    Client client(arguments.number("port", 7007),
                  static_cast<unsigned>(arguments.number("connections", 1)));
    bench::measure(client, arguments, "echo");
}
