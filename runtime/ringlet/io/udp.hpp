// UdpSocket: datagrams between machines, over IPv4 and IPv6.
//
//   auto socket = co_await UdpSocket::open(AF_INET);                // a client
//   co_await socket.connect(server);
//   co_await socket.send(question);
//   const auto got = co_await timeout(2s, socket.receive(buffer));  // got.size, got.truncated
//
//   auto socket = co_await UdpSocket::bind(any_address(5683));      // a server
//   const auto got = co_await socket.receive_from(buffer);
//   co_await socket.send_to(answer, got.address);
//
// Datagrams may be lost, doubled, and overtake one another: that is for its user to mind. Buffers
// belong to the caller and outlive the await. Any number of tasks may receive and send side by
// side; a datagram goes to one of them. A destroyed socket is closed in the background.
#pragma once

#include <ringlet/io/close.hpp>
#include <ringlet/io/datagram.hpp>

namespace ringlet {

struct UdpOptions {
    bool reuse_address = false;  // SO_REUSEADDR: several sockets share a port, for multicast
    bool reuse_port = false;     // SO_REUSEPORT: several processes share the port
    bool broadcast = false;      // SO_BROADCAST: may send to broadcast addresses
    bool v6_only = false;        // IPV6_V6ONLY: an IPv6 socket takes no IPv4 peers
};

class UdpSocket {
public:
    // For those who make descriptors.
    explicit UdpSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // A socket without a port of its own: it gets one from the kernel with the first send or
    // connect. family: AF_INET or AF_INET6. Synchronous.
    //
    // Errors: address_family_not_supported, ...; too_many_files_open with
    // RuntimeDetail::descriptors at Limits::descriptors.
    // Source: udp(7), socket(2).
    static Result<UdpSocket> open(int family, UdpOptions options = {});

    // A socket that receives at an address. Port 0 lets the kernel choose: see local_address().
    // Synchronous.
    //
    // Errors: address_in_use, address_not_available, permission_denied (ports below 1024), ...;
    // as open()'s.
    // Source: bind(2), ip(7), ipv6(7).
    static Result<UdpSocket> bind(const SocketAddress& address, UdpOptions options = {});

    // Fixes the peer: send() goes to it, and nothing but its datagrams is received from now on.
    // (What came before from others, and nobody took, still is.) May be called again, for another
    // peer. The address outlives the await; it completes at once.
    //
    // Errors: network_unreachable, ...
    // Cancellation: the peer may be fixed or not.
    // Source: connect(2), udp(7).
    ConnectOperation connect(const SocketAddress& address) {
        return ConnectOperation(descriptor_.get(), address);
    }

    // Sends one datagram to the peer, whole. Sent means: taken by the kernel.
    //
    // Errors: connection_refused if the peer's machine said, of an earlier datagram, that nobody is
    // there; message_size if it is too long; destination_address_required if not connected; ...
    // Cancellation: it was sent whole, or not at all.
    // Source: send(2), udp(7), ip(7).
    SendDatagram send(std::span<const std::byte> datagram) {
        return SendDatagram(descriptor_.get(), datagram);
    }

    // Receives one datagram of the peer; what does not fit `into` is lost, and `truncated` tells.
    // Not connected, of anybody.
    //
    // Errors: connection_refused as send()'s, once each; the socket can be used on.
    // Cancellation: nothing was received, or the datagram is given.
    // Source: recv(2), MSG_TRUNC, udp(7).
    ReceiveDatagram receive(std::span<std::byte> into) {
        return ReceiveDatagram(descriptor_.get(), into);
    }

    // Sends one datagram to an address, which outlives the await. The answers of machines where
    // nobody is there are not told: see connect().
    //
    // Errors: message_size, network_unreachable, permission_denied (broadcast without the option),
    // invalid_argument (port 0), ...
    // Cancellation: it was sent whole, or not at all.
    // Source: sendmsg(2), udp(7).
    SendTo send_to(std::span<const std::byte> datagram, const SocketAddress& address) {
        return SendTo(descriptor_.get(), datagram, address);
    }

    // Receives one datagram, and says whose: {size, truncated, address}.
    //
    // Errors, cancellation: as receive()'s.
    // Source: recvmsg(2), MSG_TRUNC.
    ReceiveFrom receive_from(std::span<std::byte> into) {
        return ReceiveFrom(descriptor_.get(), into);
    }

    // Harmless on a closed socket. It ends no other await on this socket: let those end first.
    //
    // Cancellation: the socket is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    // This end and, once connected, the other. Synchronous. Errors: not_connected.
    Result<SocketAddress> local_address() const;
    Result<SocketAddress> peer_address() const;

    bool is_open() const { return descriptor_.is_open(); }
    // The descriptor's number, which stays the socket's; -1 if it is closed.
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

}  // namespace ringlet
