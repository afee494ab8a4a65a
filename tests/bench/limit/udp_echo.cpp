// UDP echo by hand: multishot receive of message and sender into provided buffers; a buffer goes
// back when what it holds is sent.
#include "bench.hpp"
#include "ring.hpp"
#include "sockets.hpp"

namespace {

constexpr unsigned buffers = 256;
constexpr unsigned buffer_bytes = 256;
constexpr std::uint64_t receive_tag = ~std::uint64_t{0};

class Server {
public:
    explicit Server(int socket) : buffers_(ring_, buffers, buffer_bytes) {
        bench::Ring::check(::io_uring_register_files(ring_.get(), &socket, 1),
                           "io_uring_register_files");
        header_.msg_namelen = sizeof(sockaddr_in);
        start_receive();
    }

    [[noreturn]] void run() {
        for (;;) {
            ring_.wait();
            ring_.reap([this](const io_uring_cqe& cqe) {
                if (cqe.user_data == receive_tag) received(cqe);
                else buffers_.give_back(static_cast<unsigned>(cqe.user_data));
            });
        }
    }

private:
    void received(const io_uring_cqe& cqe) {
        if (cqe.res >= 0) send(bench::Buffers::of(cqe), cqe.res);
        else if (cqe.res != -ENOBUFS) bench::Ring::check(cqe.res, "recvmsg");
        if ((cqe.flags & IORING_CQE_F_MORE) == 0) start_receive();
    }

    void send(unsigned buffer, int length) {
        io_uring_recvmsg_out* const message =
            ::io_uring_recvmsg_validate(buffers_.at(buffer), length, &header_);
        if (message == nullptr) return buffers_.give_back(buffer);
        io_uring_sqe* const sqe = ring_.sqe(0);
        ::io_uring_prep_send(sqe, 0, ::io_uring_recvmsg_payload(message, &header_),
                             message->payloadlen, 0);
        ::io_uring_prep_send_set_addr(
            sqe, static_cast<const sockaddr*>(::io_uring_recvmsg_name(message)),
            static_cast<std::uint16_t>(message->namelen));
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->user_data = buffer;
    }

    void start_receive() {
        io_uring_sqe* const sqe = ring_.sqe(0);
        ::io_uring_prep_recvmsg_multishot(sqe, 0, &header_, 0);
        sqe->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
        sqe->buf_group = 0;
        sqe->user_data = receive_tag;
    }

    bench::Ring ring_{512};
    bench::Buffers buffers_;
    msghdr header_{};
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    static Server server(bench::bound_socket(SOCK_DGRAM, arguments.number("port", 7007)));
    bench::print_listening();
    server.run();
}
