// TCP echo by hand: multishot accept and receive on direct descriptors, provided buffers, one
// submission and wait a turn. A buffer goes back when what it holds is sent.
//
// A send that succeeds posts no completion, so that it does not end the wait. MSG_DONTWAIT keeps it
// from waiting for room, so its buffer is free when it is submitted; MSG_WAITALL makes a short one
// an error. No awaited send can do that: --send_completions 1 does as an awaited one must.
#include "bench.hpp"
#include "ring.hpp"
#include "sockets.hpp"

namespace {

constexpr unsigned buffers = 1024;
constexpr unsigned buffer_bytes = bench::message_bytes;
constexpr unsigned connections_max = 4096;

enum class Kind : unsigned { accept, receive, send, close };

// user_data: what it was, the connection, and the buffer and length of a send.
std::uint64_t tag(Kind kind, unsigned connection, unsigned buffer = 0, unsigned length = 0) {
    return static_cast<std::uint64_t>(kind) | std::uint64_t{connection} << 4 |
           std::uint64_t{buffer} << 32 | std::uint64_t{length} << 48;
}
Kind kind_of(std::uint64_t tag) {
    return static_cast<Kind>(tag & 0xf);
}
unsigned connection_of(std::uint64_t tag) {
    return static_cast<unsigned>(tag >> 4) & 0xfff'ffff;
}
unsigned buffer_of(std::uint64_t tag) {
    return static_cast<unsigned>(tag >> 32) & 0xffff;
}
int length_of(std::uint64_t tag) {
    return static_cast<int>(tag >> 48);
}

class Server {
public:
    Server(std::int64_t port, bool send_completions)
        : ring_(4096, 16384), buffers_(ring_, buffers, buffer_bytes),
          listener_(bench::listening_socket(port)), send_completions_(send_completions) {
        bench::Ring::check(::io_uring_register_files_sparse(ring_.get(), connections_max),
                           "io_uring_register_files_sparse");
        start_accept();
    }

    [[noreturn]] void run() {
        for (;;) {
            ring_.wait();
            while (submitted_ > 0) buffers_.give_back(submitting_[--submitted_]);
            ring_.reap([this](const io_uring_cqe& cqe) { completed(cqe); });
        }
    }

private:
    void completed(const io_uring_cqe& cqe) {
        const unsigned connection = connection_of(cqe.user_data);
        switch (kind_of(cqe.user_data)) {
            case Kind::accept:
                if (cqe.res >= 0) start_receive(static_cast<unsigned>(cqe.res));
                if ((cqe.flags & IORING_CQE_F_MORE) == 0) start_accept();
                break;
            case Kind::receive: received(connection, cqe); break;
            case Kind::send: sent(connection, cqe); break;
            case Kind::close: break;
        }
    }

    void received(unsigned connection, const io_uring_cqe& cqe) {
        if (cqe.res > 0) {
            send(connection, bench::Buffers::of(cqe), static_cast<unsigned>(cqe.res));
            if ((cqe.flags & IORING_CQE_F_MORE) == 0) start_receive(connection);
        } else if (cqe.res == -ENOBUFS) {
            start_receive(connection);
        } else {
            ::io_uring_prep_close_direct(ring_.sqe(tag(Kind::close, connection)), connection);
        }
    }

    void send(unsigned connection, unsigned buffer, unsigned length) {
        io_uring_sqe* const sqe = ring_.sqe(0);
        if (send_completions_) {
            ::io_uring_prep_send(sqe, static_cast<int>(connection), buffers_.at(buffer), length,
                                 MSG_WAITALL);
            sqe->flags = IOSQE_FIXED_FILE;
        } else {
            ::io_uring_prep_send(sqe, static_cast<int>(connection), buffers_.at(buffer), length,
                                 MSG_WAITALL | MSG_DONTWAIT);
            sqe->flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
            submitting_[submitted_++] = static_cast<std::uint16_t>(buffer);
        }
        sqe->user_data = tag(Kind::send, connection, buffer, length);
    }

    void sent(unsigned connection, const io_uring_cqe& cqe) {
        if (send_completions_) buffers_.give_back(buffer_of(cqe.user_data));
        if (cqe.res == length_of(cqe.user_data)) return;
        ::io_uring_prep_close_direct(ring_.sqe(tag(Kind::close, connection)), connection);
    }

    void start_accept() {
        io_uring_sqe* const sqe = ring_.sqe(0);
        ::io_uring_prep_multishot_accept_direct(sqe, listener_, nullptr, nullptr, 0);
        sqe->user_data = tag(Kind::accept, 0);
    }
    void start_receive(unsigned connection) {
        io_uring_sqe* const sqe = ring_.sqe(0);
        ::io_uring_prep_recv_multishot(sqe, static_cast<int>(connection), nullptr, 0, 0);
        sqe->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
        sqe->buf_group = 0;
        sqe->user_data = tag(Kind::receive, connection);
    }

    bench::Ring ring_;
    bench::Buffers buffers_;
    int listener_;
    bool send_completions_;
    // Whose buffers the next submission frees, without send completions.
    std::uint16_t submitting_[buffers];
    unsigned submitted_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    static Server server(arguments.number("port", 7007),
                         arguments.number("send_completions", 0) != 0);
    bench::print_listening();
    server.run();
}
