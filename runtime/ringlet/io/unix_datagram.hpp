// UnixDatagram: datagrams between processes of one machine: syslog, sd_notify, and one's own. None
// is lost on the way, and they come in order; while the receiver's queue is full, a send waits.
//
//   auto socket = co_await UnixDatagram::open();
//   co_await socket.connect(address);                  // e.g. unix_address("/dev/log")
//   co_await socket.send(bytes_of("<14>app: hello"));
//
// Buffers and paths belong to the caller and outlive the await. Receiving and sending may run side
// by side, in two tasks; of each only one at a time. A destroyed socket is closed in the
// background.
#pragma once

#include <ringlet/io/address.hpp>
#include <ringlet/io/close.hpp>
#include <ringlet/io/datagram.hpp>
#include <ringlet/io/descriptor_passing.hpp>
#include <ringlet/io/unix_name.hpp>

namespace ringlet {

class UnixDatagram {
public:
    // For those who make descriptors. Not with SO_PASSCRED or SO_PASSPIDFD, which add to messages.
    explicit UnixDatagram(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // A socket without a name, to which nobody can answer. Synchronous.
    //
    // Errors: too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    static Result<UnixDatagram> open();

    // A socket with a name: a path, or "@name". Errors, cancellation: as UnixListener::listen()'s.
    // Source: bind(2), unix(7).
    static Task<UnixDatagram> bind(SocketAddress address, UnixNameOptions options = {});
    static Task<UnixDatagram> bind(std::string_view path, UnixNameOptions options = {});

    // Fixes the peer, which must be there: send() goes to it, and nobody else's is taken any more.
    // The address outlives the await; it completes at once.
    //
    // Errors: no_such_file_or_directory, connection_refused (no socket has the name),
    // wrong_protocol_type (it is a stream's), operation_not_permitted (it has another peer), ...
    // Cancellation: the peer may be fixed or not.
    // Source: connect(2), unix(7).
    ConnectOperation connect(const SocketAddress& address) {
        return ConnectOperation(descriptor_.get(), address);
    }

    // Sends one datagram to the peer, whole.
    //
    // Errors: connection_refused once the peer is gone, and not_connected from then on;
    // message_size if it is too long (some 200 KiB); ...
    // Cancellation: it was sent whole, or not at all.
    // Source: send(2), unix(7).
    SendDatagram send(std::span<const std::byte> datagram) {
        return SendDatagram(descriptor_.get(), datagram);
    }

    // Sends one datagram to an address, which outlives the await. While the receiver's queue is
    // full, it tries again after 1 ms, then at longer intervals up to 50 ms: the kernel tells only
    // a connected socket when there is room.
    //
    // Errors: as connect()'s and send()'s.
    // Cancellation: it was sent whole, or not at all.
    // Source: sendmsg(2), unix(7).
    Task<void> send_to(std::span<const std::byte> datagram, const SocketAddress& address);

    // Receives one datagram; what does not fit `into` is lost, and `truncated` tells. That the peer
    // is gone is not told: an empty datagram is one.
    //
    // Cancellation: nothing was received, or the datagram is given.
    // Source: recv(2), MSG_TRUNC.
    ReceiveDatagram receive(std::span<std::byte> into) {
        return ReceiveDatagram(descriptor_.get(), into);
    }

    // Receives one datagram, and says whose: {size, truncated, address}; the address of a sender
    // without a name has the size 0.
    //
    // Cancellation: as receive()'s.
    // Source: recvmsg(2).
    ReceiveFrom receive_from(std::span<std::byte> into) {
        return ReceiveFrom(descriptor_.get(), into);
    }

    // Sends one datagram to the peer with copies of the descriptors: see UnixSocket::send_with().
    // Errors, cancellation: as send()'s; invalid_argument, bad_file_descriptor.
    Task<void> send_with(std::span<const std::byte> datagram, std::span<const int> descriptors);
    Task<void> send_with(std::span<const std::byte> datagram, int descriptor);

    // Receives one datagram and its descriptors: see UnixSocket::receive_with().
    Task<PassedDescriptors> receive_with(std::span<std::byte> into,
                                         unsigned room = passed_descriptors_max) {
        return receive_with_descriptors(descriptor(), into, room, MessageKind::datagram);
    }

    // Harmless on a closed socket. It ends no other await on this socket: let those end first. The
    // file of a bound socket stays: see UnixListener::close().
    //
    // Cancellation: the socket is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    // Synchronous. Errors: not_connected.
    Result<SocketAddress> local_address() const {
        return scheduler().system().local_address(descriptor());
    }
    Result<SocketAddress> peer_address() const {
        return scheduler().system().peer_address(descriptor());
    }

    bool is_open() const { return descriptor_.is_open(); }
    // The descriptor's number, which stays the socket's; -1 if it is closed.
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

}  // namespace ringlet
