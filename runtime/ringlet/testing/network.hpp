// Network: which socket has which name, who reaches whom, and how datagrams get there.
//
// The world is one network in which every address is local: a test's server may stand on 10.0.0.7
// as well as on 127.0.0.1. An address where nobody listens refuses at once; a name is free again as
// soon as its sockets are gone (there is no TIME_WAIT). UDP's datagrams may be lost, doubled and
// held back, as SimulationOptions says.
#pragma once

#include <ringlet/testing/can_network.hpp>
#include <ringlet/testing/datagram_socket.hpp>
#include <ringlet/testing/file_tree.hpp>
#include <ringlet/testing/random.hpp>
#include <ringlet/testing/simulation_options.hpp>
#include <ringlet/testing/stream_socket.hpp>

#include <vector>

namespace ringlet::testing {

class Network {
public:
    Network(FileTree& files, const VirtualClock& clock, Random& random,
            const SimulationOptions& options);
    ~Network();

    // The system calls: 0, or a negative errno. connect() is would_block while the listener's line
    // is full.
    int open(int family, int type, int protocol, Socket*& out);
    int bind(Socket& socket, const SocketAddress& address);
    int listen(Socket& socket, int backlog);
    int connect(Socket& socket, const SocketAddress& address);
    int set_option(Socket& socket, int level, int name, int value);
    int get_option(Socket& socket, int level, int name, int& value);

    // Sends a datagram: its size, or a negative errno; would_block while a Unix socket is full.
    int send(DatagramSocket& socket, Outgoing& out);
    // When the next datagram that was held back arrives; `never` if there is none.
    Instant next_arrival() const;
    // Those whose time has come arrive.
    void let_arrive();
    Packets& packets() { return packets_; }
    CanNetwork& can() { return can_; }

    // A socket is gone, and with it its name.
    void forget(Socket& socket);
    // A Unix socket is gone to which others may be connected.
    void forget_peer(DatagramSocket& socket);
    // Nothing more is received: for the world's end, since descriptors on their way keep others.
    void drop_received();

private:
    int bind_internet(Socket& socket, const SocketAddress& address);
    int bind_unix(Socket& socket, const SocketAddress& address);
    int bind_somehow(Socket& socket);
    static void give_name(Socket& socket, const SocketAddress& name);
    bool is_taken(const Socket& socket, std::string_view name) const;
    int take_port(Socket& socket);
    int free_port(const Socket& socket, SocketAddress& address);
    bool is_taken(const Socket& socket, const SocketAddress& address, bool to_listen);

    int connect_stream(StreamSocket& socket, const SocketAddress& target);
    int find_listener(const SocketAddress& address, StreamSocket*& out);
    int find_unix(const SocketAddress& address, int type, Socket*& out);
    int name_client(Socket& socket, const SocketAddress& address);

    int connect_datagrams(DatagramSocket& socket, const SocketAddress& target);
    static void leave_peer(DatagramSocket& socket, DatagramSocket* old);
    int send_internet(DatagramSocket& socket, Outgoing& out);
    int send_unix(DatagramSocket& socket, Outgoing& out);
    int find_unix_receiver(DatagramSocket& socket, const Outgoing& out, DatagramSocket*& to);
    DatagramSocket* find_receiver(const SocketAddress& to, const SocketAddress& from);
    void carry(std::span<const std::byte> bytes, const SocketAddress& from,
               const SocketAddress& to);
    void arrive(Packet& packet);
    bool happens(unsigned percent);

    FileTree& files_;
    const VirtualClock& clock_;
    Random& random_;
    const SimulationOptions& options_;
    Packets packets_;
    Pool<StreamSocket> streams_;
    Pool<DatagramSocket> datagrams_;
    std::vector<Socket*> sockets_;  // all of both
    CanNetwork can_;
    IntrusiveList<Packet> held_back_;
    std::uint16_t last_port_ = 0;
    unsigned last_name_ = 0;
};

// What an address without a host reaches: the host that the socket is bound to, or the loopback.
SocketAddress with_own_host(const Socket& socket, const SocketAddress& address);

// Whether an address can name, or reach, a socket of this kind: 0, or a negative errno.
int check_name(const Socket& socket, const SocketAddress& address);

}  // namespace ringlet::testing
