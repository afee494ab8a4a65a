// What sockets of datagrams share: the operations that keep a datagram's bounds and its address.
//
// A datagram is sent whole or not at all, and received by one receive, whole or cut to the buffer's
// size: what did not fit is lost, and `truncated` tells. A datagram may be empty.
#pragma once

#include <ringlet/io/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <utility>

namespace ringlet {

// What a receive of a connected socket gives.
struct Datagram {
    std::size_t size = 0;    // in the buffer
    bool truncated = false;  // it was longer than the buffer; the rest is lost
};

// What a receive_from gives.
struct DatagramFrom : Datagram {
    SocketAddress address;  // the sender's
};

class [[nodiscard]] ReceiveDatagram : public OperationOf<ReceiveDatagram, Datagram> {
public:
    static constexpr const char* reason = "receive";

    ReceiveDatagram(int descriptor, std::span<std::byte> into)
        : descriptor_(descriptor), into_(into) {}
    // MSG_TRUNC: the result is the datagram's whole size.
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_recv(&sqe, descriptor_, into_.data(), transfer_size(into_), MSG_TRUNC);
    }
    Datagram value(int result) const {
        const auto whole = static_cast<std::size_t>(result);
        return {.size = std::min(whole, into_.size()), .truncated = whole > into_.size()};
    }

private:
    int descriptor_;
    std::span<std::byte> into_;
};

// How a datagram waits for room: it is sent with MSG_DONTWAIT, and after EAGAIN polled for and sent
// anew. The ring must not wait with it: having waited, Linux 6.18 sends what it has not copied yet,
// which may be nothing (io_uring keeps the place in the bytes, and sendmsg moved it).
class RoomForDatagram {
public:
    static constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

    bool polls() const { return polls_; }
    void prepare(io_uring_sqe& sqe, int descriptor) const {
        ::io_uring_prep_poll_add(&sqe, descriptor, POLLOUT);
    }
    bool goes_on(int result) {
        if (std::exchange(polls_, false)) return result >= 0;
        polls_ = result == -EAGAIN;
        return polls_;
    }

private:
    bool polls_ = false;
};

class [[nodiscard]] SendDatagram : public OperationOf<SendDatagram, void> {
public:
    static constexpr const char* reason = "send";

    SendDatagram(int descriptor, std::span<const std::byte> from)
        : descriptor_(descriptor), from_(from) {}
    void prepare(io_uring_sqe& sqe) const {
        if (room_.polls()) return room_.prepare(sqe, descriptor_);
        ::io_uring_prep_send(&sqe, descriptor_, from_.data(), transfer_size(from_),
                             RoomForDatagram::flags);
    }
    bool goes_on(int result) { return room_.goes_on(result); }
    void value(int) const {}

private:
    int descriptor_;
    RoomForDatagram room_;
    std::span<const std::byte> from_;
};

// The kernel reads the message's header when it starts, and writes the sender's address when it
// ends: both stay in the description, which lives as long as its await.
class [[nodiscard]] ReceiveFrom : public OperationOf<ReceiveFrom, DatagramFrom> {
public:
    static constexpr const char* reason = "receive_from";

    ReceiveFrom(int descriptor, std::span<std::byte> into) : descriptor_(descriptor), into_(into) {}
    void prepare(io_uring_sqe& sqe) {
        bytes_ = {into_.data(), transfer_size(into_)};
        header_ = {};
        header_.msg_name = &sender_.storage;
        header_.msg_namelen = sizeof sender_.storage;
        header_.msg_iov = &bytes_;
        header_.msg_iovlen = 1;
        ::io_uring_prep_recvmsg(&sqe, descriptor_, &header_, MSG_TRUNC);
    }
    DatagramFrom value(int result);

private:
    int descriptor_;
    std::span<std::byte> into_;
    iovec bytes_{};
    msghdr header_{};
    SocketAddress sender_;
};

// Whether a full receiver is waited for: a socket that is not connected can only poll for room of
// its own.
enum class WhenFull : std::uint8_t { poll, fail };

class [[nodiscard]] SendTo : public OperationOf<SendTo, void> {
public:
    static constexpr const char* reason = "send_to";

    // The address outlives the await.
    SendTo(int descriptor, std::span<const std::byte> from, const SocketAddress& address,
           WhenFull when_full = WhenFull::poll)
        : descriptor_(descriptor), when_full_(when_full), from_(from), address_(address) {}
    void prepare(io_uring_sqe& sqe) {
        if (room_.polls()) return room_.prepare(sqe, descriptor_);
        // Only read, but iovec and msghdr know no const.
        bytes_ = {const_cast<std::byte*>(from_.data()), transfer_size(from_)};
        header_ = {};
        header_.msg_name = const_cast<sockaddr*>(address_.get());
        header_.msg_namelen = address_.size;
        header_.msg_iov = &bytes_;
        header_.msg_iovlen = 1;
        ::io_uring_prep_sendmsg(&sqe, descriptor_, &header_, RoomForDatagram::flags);
    }
    bool goes_on(int result) { return when_full_ == WhenFull::poll && room_.goes_on(result); }
    void value(int) const {}

private:
    int descriptor_;
    WhenFull when_full_;
    RoomForDatagram room_;
    std::span<const std::byte> from_;
    const SocketAddress& address_;
    iovec bytes_{};
    msghdr header_{};
};

}  // namespace ringlet
