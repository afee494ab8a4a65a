// StreamSocket: what connected streams of bytes share, TcpSocket and UnixSocket.
//
// Buffers belong to the caller and outlive the await. Errors are the kernel's. Receiving and
// sending may run side by side, in two tasks; of each only one at a time. A destroyed socket is
// closed in the background.
#pragma once

#include <ringlet/io/buffer_pool.hpp>
#include <ringlet/io/close.hpp>
#include <ringlet/io/socket.hpp>

namespace ringlet {

class StreamSocket {
public:
    // Receives what is there, or waits for something. Gives how much; 0 is the end: the peer has
    // shut its half down, or closed. `into` must not be empty, or 0 could not be told from the end.
    //
    // Errors: connection_reset, timed_out, ...
    // Cancellation: nothing was received, or all that was is given; the socket can be used on.
    // Source: recv(2).
    ReceiveOperation receive(std::span<std::byte> into) {
        RINGLET_ASSERT(!into.empty());
        return ReceiveOperation(descriptor_.get(), into);
    }

    // The same into a buffer of the pool, which is taken only when something has come: so few
    // buffers serve many quiet sockets. The Buffer is empty at the end of the stream. While the
    // pool is dry it waits in line for a buffer that comes back. The pool must be open.
    //
    // Cancellation: nothing was received, or all that was is given; no buffer is lost.
    // Source: io_uring_register_buf_ring(3).
    PooledReceive receive(BufferRing& pool) { return PooledReceive(descriptor_.get(), pool); }

    // Sends, and gives how much: less than all only if it was interrupted by an error, which the
    // next send tells, or by a cancellation. Sent means: taken by the kernel.
    //
    // Errors: broken_pipe (never SIGPIPE), connection_reset, ...
    // Cancellation: what was sent by then is given; if nothing was, it unwinds.
    // Source: send(2), MSG_NOSIGNAL, MSG_WAITALL.
    SendOperation send(std::span<const std::byte> from) {
        return SendOperation(descriptor_.get(), from);
    }
    // Sends all.
    //
    // Errors: as send's; then any part may have been sent.
    // Cancellation: any part may have been sent: the peer cannot be talked to any more.
    Task<void> send_all(std::span<const std::byte> from) {
        return send_everything(descriptor_.get(), from);
    }

    // Tells the peer that nothing more will be sent (it receives 0 after what was); receiving goes
    // on. Errors: not_connected if the connection is gone.
    //
    // Cancellation: the half may be shut or not.
    // Source: shutdown(2), SHUT_WR.
    ShutdownOperation shutdown_send() { return ShutdownOperation(descriptor_.get()); }

    // Closes both halves; what was sent is still delivered. Harmless on a closed socket. It ends no
    // other await on this socket: let those end first.
    //
    // Cancellation: the socket is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    // This end and the other. Synchronous. Errors: not_connected once the peer is gone.
    Result<SocketAddress> local_address() const;
    Result<SocketAddress> peer_address() const;

    bool is_open() const { return descriptor_.is_open(); }
    // The descriptor's number, which stays the socket's; -1 if it is closed.
    int descriptor() const { return descriptor_.get(); }

protected:
    explicit StreamSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
    StreamSocket(StreamSocket&&) = default;
    StreamSocket& operator=(StreamSocket&&) = default;
    ~StreamSocket() = default;

private:
    Descriptor descriptor_;
};

}  // namespace ringlet
