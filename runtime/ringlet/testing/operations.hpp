// Operations: what each SQE does to the world. When it is tried, and when its completion comes, is
// the ring's business.
//
// Executed: NOP, READ, WRITE, RECV, SEND, RECVMSG, SENDMSG, ACCEPT, CONNECT, SHUTDOWN, CLOSE,
// POLL_ADD, OPENAT, FSYNC, RENAMEAT, UNLINKAT, MKDIRAT, STATX; ASYNC_CANCEL by the ring. Of
// multishots there is RECV with provided buffers. Everything else ends with -EINVAL, as do linked
// SQEs, IOSQE_IO_DRAIN, every other multishot, and messages with more than one iovec or with
// MSG_WAITALL; fixed files end with -EBADF. IOSQE_ASYNC changes nothing: on the kernel, too, a
// program sees the same results, only from another thread.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/testing/buffer_groups.hpp>
#include <ringlet/testing/world.hpp>

#include <liburing.h>

#include <sys/socket.h>

namespace ringlet::testing {

// An SQE from its submission to its completion.
struct Request : ListLink<> {
    io_uring_sqe sqe{};
    std::uint64_t number = 0;   // in order of submission, from 1
    Object* object = nullptr;   // what sqe.fd referred to; held
    SocketAddress address;      // CONNECT's and SENDMSG's, copied when it was submitted, as the
                                // kernel does
    msghdr header{};            // SENDMSG's and RECVMSG's, likewise
    std::size_t moved = 0;      // by a MSG_WAITALL that waits for more
    bool waited = false;        // for what its provided buffer shall take
    std::span<std::byte> into;  // the provided buffer that such a receive has begun to fill
    Instant not_before = 0;     // parked until then at least
    Instant due = 0;            // done, but completes only then
    Instant ends_by = never;    // parked until then at most: a cancel came late
    unsigned shots = 0;         // a multishot's completions so far
    Instant last_shot = 0;      // when the last one was due: the next does not overtake it
    Instant deadline = 0;       // TIMEOUT's, on the boot-time clock
    int result = 0;
    unsigned flags = 0;

    bool selects_buffer() const { return (sqe.flags & IOSQE_BUFFER_SELECT) != 0; }
    bool is_message() const { return sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_SEND; }
    bool is_multishot() const {
        return sqe.opcode == IORING_OP_RECV && (sqe.ioprio & IORING_RECV_MULTISHOT) != 0;
    }
    // One completion of a multishot that goes on.
    bool is_shot() const { return (flags & IORING_CQE_F_MORE) != 0; }
    bool waits_for_all() const { return is_message() && (sqe.msg_flags & MSG_WAITALL) != 0; }
    bool has_header() const {
        return sqe.opcode == IORING_OP_RECVMSG || sqe.opcode == IORING_OP_SENDMSG;
    }
    bool may_park() const {
        return !(is_message() || has_header()) || (sqe.msg_flags & MSG_DONTWAIT) == 0;
    }
};

class Operations {
public:
    Operations(World& world, BufferGroups& buffers) : world_(world), buffers_(buffers) {}

    // Once for each request, in order of submission: what the kernel checks and copies before it
    // starts. Below 0: the request ends with it.
    int admit(Request& request);

    // Tries to do it. would_block: not yet; `moved` tells whether something was done nevertheless.
    int attempt(Request& request);

private:
    int take_fields(Request& request);
    int check_flags(const Request& request) const;
    int take_in(Request& request);
    int take_into(Request& request, std::span<std::byte> out);
    int give_out(Request& request);
    int read_some(Request& request, std::span<std::byte> out);
    int write_some(Request& request, std::span<const std::byte> in);
    int copy_header(Request& request);
    int receive_message(Request& request);
    int send_message(Request& request);
    int collect_rights(const Request& request, Rights& rights);
    int accept(const Request& request);
    int poll(const Request& request);
    int fsync(const Request& request);
    int rename(const io_uring_sqe& sqe);
    int statx(const io_uring_sqe& sqe);
    int close(const io_uring_sqe& sqe);
    std::size_t shorten(std::size_t size, std::size_t grain);

    World& world_;
    BufferGroups& buffers_;
};

}  // namespace ringlet::testing
