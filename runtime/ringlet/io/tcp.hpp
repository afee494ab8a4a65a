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

#include <ringlet/io/stream_socket.hpp>

namespace ringlet {

struct TcpOptions {
    bool no_delay = true;     // TCP_NODELAY: small sends leave at once
    bool keep_alive = false;  // SO_KEEPALIVE: find out, after hours, that a silent peer is gone
};

// receive(), send(), send_all(), shutdown_send(), close(): see StreamSocket.
class TcpSocket : public StreamSocket {
public:
    // For those who make descriptors.
    explicit TcpSocket(Descriptor descriptor) : StreamSocket(std::move(descriptor)) {}

    // Connects to an address. It has no time limit but the kernel's (minutes): use timeout().
    //
    // Errors: connection_refused, network_unreachable, timed_out, ...; too_many_files_open with
    // RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: the half-made connection is closed in the background.
    // Source: connect(2), tcp(7).
    static Task<TcpSocket> connect(SocketAddress address, TcpOptions options = {});
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
        prepare_accept(sqe, descriptor_);
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
