// Sockets of the benchmarks: all on 127.0.0.1, and whatever fails ends the program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace bench {

// The result of a system call, if it is one.
inline int check(int result, const char* what) {
    if (result >= 0) return result;
    std::perror(what);
    std::exit(1);
}

inline sockaddr_in local_address(std::int64_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// Linux hands TCP_NODELAY of a listening socket on to what it accepts.
inline void set_no_delay(int socket) {
    const int on = 1;
    check(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

inline int bound_socket(int type, std::int64_t port) {
    const int socket = check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    check(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const sockaddr_in address = local_address(port);
    check(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    return socket;
}

inline int connected_socket(int type, std::int64_t port) {
    const int socket = check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
    const sockaddr_in address = local_address(port);
    check(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "connect");
    return socket;
}

// With TCP_NODELAY.
inline int listening_socket(std::int64_t port) {
    const int socket = bound_socket(SOCK_STREAM, port);
    set_no_delay(socket);
    check(::listen(socket, 4096), "listen");
    return socket;
}

// What the load generator waits for.
inline void print_listening() {
    std::puts("listening");
    std::fflush(stdout);
}

}  // namespace bench
