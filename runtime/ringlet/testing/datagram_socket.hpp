// DatagramSocket: a socket of datagrams, UDP's or Unix'.
//
// A datagram that was sent stands in the receiver's queue at once, unless the network lost it or
// holds it back. UDP's queue drops what it has no room for, as the kernel does; a Unix socket's
// lets the sender wait. A connected socket knows its peer: UDP's by address, so that it may come
// and go; Unix' as such, and when it is gone the next send says so, and the socket is unconnected.
#pragma once

#include <ringlet/testing/packet.hpp>
#include <ringlet/testing/socket.hpp>

namespace ringlet::testing {

class Network;

class DatagramSocket final : public Socket {
public:
    DatagramSocket(Network& network, std::size_t capacity)
        : Socket(SOCK_DGRAM), network_(network), capacity_(capacity) {}

    // A slot that was taken from the pool becomes a new socket.
    void open(int family);

    int receive(Incoming& in) override;
    int send(Outgoing& out) override;
    int shutdown(int how) override;

    unsigned ready() const override;
    DatagramSocket* as_datagram() override { return this; }
    bool has_peer() const override { return remote.size != 0; }
    void drop_received() override;
    std::size_t read_grain() const override { return SIZE_MAX; }  // never shortened
    std::size_t write_grain() const override { return SIZE_MAX; }

    // For Network, which carries datagrams.
    bool has_room_for(std::size_t bytes) const;            // UDP's
    bool is_full_for(const DatagramSocket& sender) const;  // Unix'
    void put(Packet& packet);
    bool has_received() const { return waiting_ != 0; }
    void fail(int error) { error_ = error; }
    void set_peer(DatagramSocket* peer) { peer_ = peer; }
    const DatagramSocket* peer() const { return peer_; }
    DatagramSocket* peer() { return peer_; }
    bool read_is_shut() const { return read_shut_; }
    bool write_is_shut() const { return write_shut_; }

private:
    void closed() override;

    Network& network_;
    std::size_t capacity_;
    IntrusiveList<Packet> queue_;
    unsigned waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    DatagramSocket* peer_ = nullptr;  // of a Unix socket; null once it is gone
    bool read_shut_ = false;
    bool write_shut_ = false;
};

}  // namespace ringlet::testing
