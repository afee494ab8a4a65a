// TcpSocket and TcpListener: streams of bytes between machines, over IPv4 and IPv6.
//
//   auto socket = co_await timeout(2s, TcpSocket::connect(address));
//   co_await socket.send_all(bytes_of("hello\n"));
//   co_await socket.shutdown_send();
//   const auto count = co_await socket.receive(buffer);   // 0: the peer has sent all it will
//
// Buffers belong to the caller and outlive the await. Errors are the kernel's. Receiving and
// sending may run side by side, in two tasks; of each only one at a time. A destroyed socket is
// closed in the background; bytes that it had received and nobody took make that a reset (tcp(7)).
#pragma once

#include <ringlet/io/buffer_pool.hpp>
#include <ringlet/io/close.hpp>
#include <ringlet/io/socket.hpp>

namespace ringlet {

struct TcpOptions {
    bool no_delay = true;     // TCP_NODELAY: small sends leave at once
    bool keep_alive = false;  // SO_KEEPALIVE: find out, after hours, that a silent peer is gone
};

class TcpSocket {
public:
    // For those who make descriptors.
    explicit TcpSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // Connects to an address. It has no time limit but the kernel's (minutes): use timeout().
    //
    // Errors: connection_refused, network_unreachable, timed_out, ...; too_many_files_open with
    // RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: the half-made connection is closed in the background.
    // Source: connect(2), tcp(7).
    static Task<TcpSocket> connect(SocketAddress address, TcpOptions options = {});

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

private:
    Descriptor descriptor_;
};

struct ListenOptions {
    int backlog = 128;           // connections in line for accept(); net.core.somaxconn at most
    bool reuse_address = true;   // SO_REUSEADDR: a restart need not wait for old connections
    bool reuse_port = false;     // SO_REUSEPORT: several processes share the port
    bool v6_only = false;        // IPV6_V6ONLY: an IPv6 listener takes no IPv4 peers
    TcpOptions accepted = {};    // for the sockets that accept() gives
};

class AcceptOperation;

class TcpListener {
public:
    // Binds and listens. Synchronous: `co_await TcpListener::listen(...)` leaves with its error.
    // Port 0 lets the kernel choose: see local_address().
    //
    // Errors: address_in_use, address_not_available, permission_denied (ports below 1024), ...;
    // too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    // Source: bind(2), listen(2), ip(7), ipv6(7).
    static Result<TcpListener> listen(const SocketAddress& address, ListenOptions options = {});

    // Waits for a connection. A waiting accept holds one of Limits::descriptors already.
    //
    // Errors that concern this one connection, after which the next accept works:
    // connection_aborted, and those of its network (accept(2), "Error handling"). Those that come
    // again at once, while the connection stays in line: too_many_files_open (the process's limit,
    // or with RuntimeDetail::descriptors Limits::descriptors), too_many_files_open_in_system,
    // no_buffer_space, not_enough_memory. Wait a moment after these, or close something first: a
    // loop that tries again at once starves nobody, but burns the processor.
    // Cancellation: a connection that was taken meanwhile is given.
    // Source: accept(2).
    AcceptOperation accept();

    // Stops listening; connections in line are reset. It does not end an accept() under way:
    // cancel that first.
    //
    // Cancellation: the listener is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    // Where it listens, with the port that the kernel chose.
    Result<SocketAddress> local_address() const;

    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    TcpListener(Descriptor descriptor, TcpOptions accepted)
        : descriptor_(std::move(descriptor)), accepted_(accepted) {}

    Descriptor descriptor_;
    TcpOptions accepted_;
};

class [[nodiscard]] AcceptOperation : public OperationOf<AcceptOperation, TcpSocket> {
public:
    static constexpr const char* reason = "accept";
    static constexpr bool opens_descriptor = true;

    AcceptOperation(int descriptor, TcpOptions options)
        : descriptor_(descriptor), options_(options) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_accept(&sqe, descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    }
    TcpSocket value(int result) const;

private:
    int descriptor_;
    TcpOptions options_;
};

inline AcceptOperation TcpListener::accept() {
    return AcceptOperation(descriptor_.get(), accepted_);
}

}  // namespace ringlet
