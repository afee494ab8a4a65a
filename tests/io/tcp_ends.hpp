// Both ends of a TCP connection over loopback.
#pragma once

#include <ringlet/io/address.hpp>
#include <ringlet/io/tcp.hpp>

namespace ringlet::support {

struct Ends {
    Ends(TcpSocket one, TcpSocket other) : client(std::move(one)), server(std::move(other)) {}
    TcpSocket client;
    TcpSocket server;
};

inline Task<Ends> connect_both() {
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    auto client = co_await TcpSocket::connect(address);
    auto server = co_await listener.accept();
    co_return Ends(std::move(client), std::move(server));
}

}  // namespace ringlet::support
