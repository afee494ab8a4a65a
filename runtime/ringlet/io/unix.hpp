// UnixSocket and UnixListener: streams of bytes between processes of one machine, which can also
// carry descriptors.
//
//   auto listener = co_await UnixListener::listen("/run/app.sock");
//   auto socket = co_await UnixSocket::connect("/run/app.sock");
//   co_await socket.send_with(bytes_of("log"), file.descriptor());
//   auto got = co_await peer.receive_with(buffer);   // got.size, got.descriptors
//
// A name is a path, or "@name" for one that is no file. Paths belong to the caller and outlive the
// await, as buffers do. Errors are the kernel's, unless said otherwise.
#pragma once

#include <ringlet/io/address.hpp>
#include <ringlet/io/descriptor_passing.hpp>
#include <ringlet/io/stream_socket.hpp>
#include <ringlet/io/unix_name.hpp>

namespace ringlet {

// receive(), send(), send_all(), shutdown_send(), close(): see StreamSocket. There is no way, so
// nothing is lost on it: a peer that closed is told by the next send, broken_pipe.
class UnixSocket : public StreamSocket {
public:
    // For those who make descriptors. Not with SO_PASSCRED or SO_PASSPIDFD, which add to messages.
    explicit UnixSocket(Descriptor descriptor) : StreamSocket(std::move(descriptor)) {}

    // Connects. While the listener's line is full, it waits.
    //
    // Errors: no_such_file_or_directory, connection_refused (nobody listens there),
    // wrong_protocol_type (it is a UnixDatagram's), permission_denied; unix_address()'s;
    // too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: the half-made connection is closed in the background.
    // Source: connect(2), unix(7).
    static Task<UnixSocket> connect(SocketAddress address);
    static Task<UnixSocket> connect(std::string_view path);

    // Sends all bytes, of which there is at least one, with copies of the descriptors; those given
    // stay the caller's, and may be closed as soon as this has ended. The peer gets them with the
    // first byte. At most passed_descriptors_max (else invalid_argument).
    //
    // Errors: bad_file_descriptor; as send's; then any part may have been sent.
    // Cancellation: any part may have been sent, the descriptors with the first.
    // Source: unix(7), SCM_RIGHTS.
    Task<void> send_with(std::span<const std::byte> bytes, std::span<const int> descriptors);
    Task<void> send_with(std::span<const std::byte> bytes, int descriptor);

    // Receives as receive() does, and up to `room` descriptors that were sent with one of the
    // bytes; the bytes of two sends with descriptors never come together. The descriptors have
    // O_CLOEXEC, and are the caller's. What there is no room for is closed, and descriptors_lost
    // tells. (A plain receive() closes what came along.) room: at most passed_descriptors_max.
    //
    // Errors: as receive's; too_many_files_open with RuntimeDetail::descriptors if `room` more
    // would exceed Limits::descriptors: nothing was received then.
    // Cancellation: nothing was received, or all that was is given. No descriptor is lost.
    // Source: unix(7), SCM_RIGHTS; MSG_CTRUNC in recvmsg(2).
    Task<PassedDescriptors> receive_with(std::span<std::byte> into,
                                         unsigned room = passed_descriptors_max) {
        RINGLET_ASSERT(!into.empty());
        return receive_with_descriptors(descriptor(), into, room, MessageKind::bytes);
    }

    // Who connected, or listened. Synchronous.
    // Source: unix(7), SO_PEERCRED.
    Result<PeerCredentials> peer_credentials() const {
        return scheduler().system().peer_credentials(descriptor());
    }
};

struct UnixListenOptions {
    int backlog = 128;  // connections in line for accept(); net.core.somaxconn at most
    UnixNameOptions name = {};
};

class UnixAccept;

class UnixListener {
public:
    // Binds and listens. The file gets 0777 less the process's umask; who may write it may connect.
    //
    // Errors: address_in_use (see UnixNameOptions), no_such_file_or_directory,
    // permission_denied, ...; unix_address()'s; too_many_files_open with RuntimeDetail::descriptors
    // at Limits::descriptors, of which looking for a stale file takes one more.
    // Cancellation: the file may have been made; the next listen() replaces it.
    // Source: bind(2), listen(2), unix(7).
    static Task<UnixListener> listen(SocketAddress address, UnixListenOptions options = {});
    static Task<UnixListener> listen(std::string_view path, UnixListenOptions options = {});

    // Waits for a connection. A waiting accept holds one of Limits::descriptors already.
    //
    // Errors, cancellation: as TcpListener::accept()'s.
    // Source: accept(2).
    UnixAccept accept();

    // Stops listening; connections in line are reset. It does not end an accept() under way: cancel
    // that first. The file stays, as everywhere: remove_file() it first, or leave it to the next
    // listen().
    //
    // Cancellation: the listener is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    Result<SocketAddress> local_address() const {
        return scheduler().system().local_address(descriptor());
    }
    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    explicit UnixListener(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    Descriptor descriptor_;
};

class [[nodiscard]] UnixAccept : public OperationOf<UnixAccept, UnixSocket> {
public:
    static constexpr const char* reason = "accept";
    static constexpr bool opens_descriptor = true;

    explicit UnixAccept(int descriptor) : descriptor_(descriptor) {}
    void prepare(io_uring_sqe& sqe) const { prepare_accept(sqe, descriptor_); }
    UnixSocket value(int result) const { return UnixSocket(Descriptor(result)); }

private:
    int descriptor_;
};

inline UnixAccept UnixListener::accept() {
    return UnixAccept(descriptor_.get());
}

}  // namespace ringlet
