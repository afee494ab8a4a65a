// A minimal HTTP/1.1 client by hand, with 32 connections. The request never changes and never
// moves, so that sends need no completion. Kept connections receive in one operation for all
// answers. New ones are made by plain system calls: linked operations on direct descriptors cost
// 3 % more.
#include "bench.hpp"
#include "measure.hpp"
#include "ring.hpp"
#include "sockets.hpp"

#include <cerrno>
#include <string>
#include <string_view>

#include <unistd.h>

namespace {

constexpr unsigned connections = 32;
constexpr unsigned buffer_bytes = 4096;
constexpr unsigned send_tag = connections;

struct Connection {
    int socket = -1;
    bench::Nanoseconds begun = 0;
    std::size_t used = 0;
    std::size_t whole = 0;  // bytes of the answer, once its header is there
    char answer[16384];
};

[[noreturn]] void fail(const char* what, int result) {
    std::fprintf(stderr, "%s: %s\n", what,
                 result < 0 ? std::strerror(-result) : "the server closed the connection");
    std::exit(1);
}

// Of header and body; 0: the header is not whole yet.
std::size_t bytes_of_answer(std::string_view answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == answer.npos) return 0;
    const std::string_view header = answer.substr(0, end + 2);
    if (!header.starts_with("HTTP/1.1 200 ")) fail("the status is not 200", -EPROTO);
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t found = header.find(name);
    if (found == header.npos) fail("no Content-Length", -EPROTO);
    return end + 4 + std::strtoul(header.data() + found + name.size(), nullptr, 10);
}

class Client {
public:
    Client(std::int64_t port, const char* target, bool keep_alive)
        : buffers_(ring_, 2 * connections, buffer_bytes), keep_alive_(keep_alive),
          address_(bench::local_address(port)),
          request_(std::string("GET ") + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
                   (keep_alive ? "" : "Connection: close\r\n") + "\r\n") {}

    void run(std::int64_t requests) {
        to_begin_ = requests;
        to_end_ = requests;
        for (unsigned i = 0; i < connections; ++i) begin(i);
        while (to_end_ > 0) {
            ring_.wait();
            ring_.reap([this](const io_uring_cqe& cqe) { completed(cqe); });
        }
    }

    bench::Latencies latencies;

private:
    void begin(unsigned index) {
        if (to_begin_ == 0) return;
        --to_begin_;
        Connection& connection = all_[index];
        connection.begun = bench::now();
        connection.used = 0;
        connection.whole = 0;
        if (keep_alive_ && connection.socket >= 0) return send(connection);
        if (connection.socket >= 0) ::close(connection.socket);
        connect(connection);
        send(connection);
        start_receive(index);
    }

    void completed(const io_uring_cqe& cqe) {
        const auto index = static_cast<unsigned>(cqe.user_data);
        if (index == send_tag) fail("connect or send", cqe.res);
        bool expects_more = true;
        if (cqe.res > 0) {
            expects_more = !received(index, bench::Buffers::of(cqe), cqe.res);
        } else if (cqe.res != -ENOBUFS) {
            fail("receive", cqe.res);
        }
        const bool goes_on = (cqe.flags & IORING_CQE_F_MORE) != 0;
        if (!goes_on && (keep_alive_ || expects_more)) start_receive(index);
    }

    // True: the answer is whole, and the next request has begun.
    bool received(unsigned index, unsigned buffer, int result) {
        const auto length = static_cast<std::size_t>(result);
        Connection& connection = all_[index];
        if (connection.used + length > sizeof connection.answer) fail("receive", -EMSGSIZE);
        std::memcpy(connection.answer + connection.used, buffers_.at(buffer), length);
        buffers_.give_back(buffer);
        connection.used += length;
        if (connection.whole == 0) {
            connection.whole = bytes_of_answer({connection.answer, connection.used});
        }
        if (connection.whole == 0 || connection.used < connection.whole) return false;
        latencies.add(bench::now() - connection.begun);
        --to_end_;
        begin(index);
        return true;
    }

    // What is sent before the connection is there waits for it in the ring.
    void connect(Connection& connection) {
        connection.socket = bench::check(
            ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
        const auto* const address = reinterpret_cast<const sockaddr*>(&address_);
        if (::connect(connection.socket, address, sizeof address_) == 0) return;
        if (errno != EINPROGRESS) fail("connect", -errno);
    }
    void send(const Connection& connection) {
        io_uring_sqe* const sqe = ring_.sqe(0);
        ::io_uring_prep_send(sqe, connection.socket, request_.data(), request_.size(), MSG_WAITALL);
        sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = send_tag;
    }
    void start_receive(unsigned index) {
        const int socket = all_[index].socket;
        io_uring_sqe* const sqe = ring_.sqe(0);
        if (keep_alive_) ::io_uring_prep_recv_multishot(sqe, socket, nullptr, 0, 0);
        else ::io_uring_prep_recv(sqe, socket, nullptr, buffer_bytes, 0);
        sqe->flags = IOSQE_BUFFER_SELECT;
        sqe->buf_group = 0;
        sqe->user_data = index;
    }

    bench::Ring ring_{8 * connections};
    bench::Buffers buffers_;
    bool keep_alive_;
    sockaddr_in address_;
    std::string request_;
    Connection all_[connections];
    std::int64_t to_begin_ = 0;
    std::int64_t to_end_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    static Client client(arguments.number("port", 8080), arguments.text("target", "/"),
                         arguments.number("keep_alive", 1) != 0);
    bench::measure("http_get", "limit", arguments.number("ops", 50'000), &client.latencies,
                   [](std::int64_t requests) { client.run(requests); });
}
