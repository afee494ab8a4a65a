// What all sockets share: making one, and the operations that have an SQE.
#pragma once

#include <ringlet/io/descriptor.hpp>
#include <ringlet/io/transfer.hpp>

#include <sys/socket.h>

namespace ringlet {

// socket(2), blocking and with SOCK_CLOEXEC. Synchronous: it never waits.
//
// Errors: the kernel's; too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
Result<Descriptor> open_socket(int family, int type, int protocol = 0);

class [[nodiscard]] ReceiveOperation : public OperationOf<ReceiveOperation, std::size_t> {
public:
    static constexpr const char* reason = "receive";

    ReceiveOperation(int descriptor, std::span<std::byte> into)
        : descriptor_(descriptor), into_(into) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_recv(&sqe, descriptor_, into_.data(), transfer_size(into_), 0);
    }
    std::size_t value(int result) const { return static_cast<std::size_t>(result); }

private:
    int descriptor_;
    std::span<std::byte> into_;
};

// MSG_WAITALL: the ring itself goes on after a short send, until an error or the end.
class [[nodiscard]] SendOperation : public OperationOf<SendOperation, std::size_t> {
public:
    static constexpr const char* reason = "send";

    SendOperation(int descriptor, std::span<const std::byte> from)
        : descriptor_(descriptor), from_(from) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_send(&sqe, descriptor_, from_.data(), transfer_size(from_),
                             MSG_NOSIGNAL | MSG_WAITALL);
    }
    std::size_t value(int result) const { return static_cast<std::size_t>(result); }

private:
    int descriptor_;
    std::span<const std::byte> from_;
};

class [[nodiscard]] ConnectOperation : public OperationOf<ConnectOperation, void> {
public:
    static constexpr const char* reason = "connect";

    // The address outlives the await.
    ConnectOperation(int descriptor, const SocketAddress& address)
        : descriptor_(descriptor), address_(address) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_connect(&sqe, descriptor_, address_.get(), address_.size);
    }
    void value(int) const {}

private:
    int descriptor_;
    const SocketAddress& address_;
};

// shutdown(2) of the sending half.
class [[nodiscard]] ShutdownOperation : public OperationOf<ShutdownOperation, void> {
public:
    static constexpr const char* reason = "shutdown";

    explicit ShutdownOperation(int descriptor) : descriptor_(descriptor) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_shutdown(&sqe, descriptor_, SHUT_WR);
    }
    void value(int) const {}

private:
    int descriptor_;
};

inline void prepare_accept(io_uring_sqe& sqe, int descriptor) {
    ::io_uring_prep_accept(&sqe, descriptor, nullptr, nullptr, SOCK_CLOEXEC);
}

// Sends until all is sent.
Task<void> send_everything(int descriptor, std::span<const std::byte> from);

}  // namespace ringlet
