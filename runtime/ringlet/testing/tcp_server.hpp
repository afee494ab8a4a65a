// TcpServer: a peer that listens, and runs a coroutine for each connection.
//
//   const auto answer = [](TcpSocket& client) -> Task<void> { co_await client.send_all(hello); };
//   simulation.add_peer(TcpServer(loopback_address(8080), answer)).named("server");
//
// A connection ends when its coroutine ends, be it with an error: a client that goes away is none
// of the server's. An accept that fails is tried again after a millisecond. A server that cannot
// listen fails, and with it the run.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <functional>

namespace ringlet::testing {

template <class Handler>
class TcpServer {
    static_assert(std::is_same_v<std::invoke_result_t<Handler&, TcpSocket&>, Task<void>>,
                  "the handler is a coroutine that takes a TcpSocket& and gives a Task<void>");

public:
    TcpServer(const SocketAddress& address, Handler handler)
        : address_(address), handler_(std::move(handler)) {}

    Task<void> operator()() {
        auto listener = co_await TcpListener::listen(address_);
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (;;) {
                auto client = co_await attempt(listener.accept());
                if (client) {
                    group.spawn(&TcpServer::serve, this, std::move(*client)).named("connection");
                } else {
                    co_await sleep(std::chrono::milliseconds(1));
                }
            }
        });
    }

private:
    Task<void> serve(TcpSocket client) {
        const auto outcome = co_await attempt(std::invoke(handler_, client));
        static_cast<void>(outcome);
    }

    SocketAddress address_;
    Handler handler_;
};

}  // namespace ringlet::testing
