// Network: which socket has which name, and who reaches whom.
//
// The world is one network in which every address is local: a test's server may stand on 10.0.0.7
// as well as on 127.0.0.1. An address where nobody listens refuses at once; a name is free again as
// soon as its sockets are gone (there is no TIME_WAIT).
#pragma once

#include <ringlet/testing/file_tree.hpp>
#include <ringlet/testing/socket.hpp>

namespace ringlet::testing {

class Network {
public:
    Network(FileTree& files, unsigned sockets, std::size_t socket_bytes);

    // The system calls: 0, or a negative errno. connect() is would_block while the listener's line
    // is full.
    int open(int family, int type, int protocol, Socket*& out);
    int bind(Socket& socket, const SocketAddress& address);
    int listen(Socket& socket, int backlog);
    int connect(Socket& socket, const SocketAddress& address);
    int set_option(Socket& socket, int level, int name, int value);
    int get_option(Socket& socket, int level, int name, int& value);

    // A socket is gone, and with it its name.
    void forget(Socket& socket);

private:
    int bind_internet(Socket& socket, const SocketAddress& address);
    int bind_unix(Socket& socket, const SocketAddress& address);
    int free_port(const Socket& socket, SocketAddress& address);
    bool is_taken(const Socket& socket, const SocketAddress& address, bool to_listen);
    int find_listener(const SocketAddress& address, Socket*& out);
    int find_unix_listener(const SocketAddress& address, Socket*& out);
    int name_client(Socket& socket, const SocketAddress& address);

    FileTree& files_;
    Pool<Socket> sockets_;
    std::uint16_t last_port_ = 0;
};

}  // namespace ringlet::testing
