// Streams over the loopback network.
#include <io/io_cases.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/stream.hpp>
#include <ringlet/io/tcp.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

// Both ends of a connection. A constructor, for GCC before 14.
struct Ends {
    Ends(TcpSocket one, TcpSocket other) : client(std::move(one)), server(std::move(other)) {}
    TcpSocket client;
    TcpSocket server;
};

Task<Ends> connect_both(SocketAddress where) {
    auto listener = co_await TcpListener::listen(where);
    const auto address = co_await listener.local_address();
    auto client = co_await TcpSocket::connect(address);
    auto server = co_await listener.accept();
    co_return Ends(std::move(client), std::move(server));
}

Task<void> expect_text(TcpSocket& socket, std::string_view text) {
    std::array<std::byte, 64> buffer;
    const auto into = std::span(buffer).first(text.size());
    co_await read_exactly(socket, into);
    EXPECT_EQ(text_of(into), text);
}

Task<void> talk(SocketAddress where) {
    auto ends = co_await connect_both(where);
    co_await ends.client.send_all(bytes_of("ping"));
    co_await expect_text(ends.server, "ping");
    const auto count = co_await ends.server.send(bytes_of("pong"));
    EXPECT_EQ(count, 4u);
    co_await expect_text(ends.client, "pong");
    const auto peer = co_await ends.client.peer_address();
    const auto local = co_await ends.server.local_address();
    EXPECT_EQ(text(peer).view(), text(local).view());
    co_await ends.client.close();
    std::array<std::byte, 8> buffer;
    const auto end = co_await ends.server.receive(buffer);
    EXPECT_EQ(end, 0u);
}

}  // namespace

RINGLET_CASE(Tcp, carries_bytes_both_ways) {
    co_await talk(loopback_address(0));
    co_await expect_descriptors(0);
}

RINGLET_CASE(Tcp, carries_bytes_both_ways_over_version_6) {
    co_await talk(loopback_address_v6(0));
    co_await expect_descriptors(0);
}

RINGLET_CASE(Tcp, serves_several_clients_side_by_side) {
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    EXPECT_NE(port_of(address), 0);
    auto serve = [](TcpSocket socket) -> Task<void> {
        std::array<std::byte, 16> buffer;
        for (;;) {
            const auto count = co_await socket.receive(buffer);
            if (count == 0) break;
            co_await socket.send_all(std::span(buffer).first(count));
        }
    };
    auto ask = [&](const char* words) -> Task<void> {
        auto socket = co_await TcpSocket::connect(address);
        co_await socket.send_all(bytes_of(words));
        co_await socket.shutdown_send();
        co_await expect_text(socket, words);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(std::ref(ask), "one");
        (void)group.spawn(std::ref(ask), "two");
        (void)group.spawn(std::ref(ask), "three");
        for (int i = 0; i < 3; ++i) {
            auto socket = co_await listener.accept();
            (void)group.spawn(std::ref(serve), std::move(socket));
        }
    });
}

RINGLET_CASE(Tcp, can_be_half_closed) {
    auto ends = co_await connect_both(loopback_address(0));
    co_await ends.client.send_all(bytes_of("question"));
    co_await ends.client.shutdown_send();
    co_await expect_text(ends.server, "question");
    std::array<std::byte, 8> buffer;
    const auto end = co_await ends.server.receive(buffer);
    EXPECT_EQ(end, 0u);
    co_await ends.server.send_all(bytes_of("answer"));
    co_await expect_text(ends.client, "answer");
    const auto sent = co_await attempt(ends.client.send(bytes_of("more")));
    EXPECT_EQ(error_of(sent), std::errc::broken_pipe);
}

RINGLET_CASE(Tcp, is_reset_by_a_peer_that_leaves_bytes_unread) {
    auto ends = co_await connect_both(loopback_address(0));
    co_await ends.client.send_all(bytes_of("nobody reads this"));
    co_await poll(ends.server.descriptor(), POLLIN);
    co_await ends.server.close();
    std::array<std::byte, 8> buffer;
    const auto received = co_await attempt(ends.client.receive(buffer));
    EXPECT_EQ(error_of(received), std::errc::connection_reset);
    const auto sent = co_await attempt(ends.client.send_all(bytes_of("x")));
    EXPECT_EQ(error_of(sent), std::errc::broken_pipe);
}

RINGLET_CASE(Tcp, is_refused_where_nobody_listens) {
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    const auto twice = TcpListener::listen(address);
    EXPECT_EQ(error_of(twice), std::errc::address_in_use);
    co_await listener.close();
    const auto refused = co_await attempt(TcpSocket::connect(address));
    EXPECT_EQ(error_of(refused), std::errc::connection_refused);
    SocketAddress strange;
    strange.storage.ss_family = 200;
    strange.size = sizeof(sockaddr_in);
    const auto unknown = co_await attempt(TcpSocket::connect(strange));
    EXPECT_EQ(error_of(unknown), std::errc::address_family_not_supported);
    co_await expect_descriptors(0);
}

RINGLET_CASE(Tcp, moves_more_than_all_buffers_hold) {
    static std::array<std::byte, 1'000'000> sent;
    static std::array<std::byte, 1'000'000> received;
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 13);
    received.fill({});
    auto ends = co_await connect_both(loopback_address(0));
    co_await gather(ends.client.send_all(sent), read_exactly(ends.server, received));
    EXPECT_TRUE(sent == received);
}

RINGLET_CASE(Tcp, stays_usable_after_a_receive_that_timed_out) {
    auto ends = co_await connect_both(loopback_address(0));
    std::array<std::byte, 8> buffer;
    for (int i = 0; i < 3; ++i) {
        const auto late = co_await attempt(timeout(5ms, ends.client.receive(buffer)));
        EXPECT_EQ(error_of(late), std::errc::timed_out);
    }
    co_await ends.server.send_all(bytes_of("now"));
    co_await expect_text(ends.client, "now");
}

RINGLET_CASE(Tcp, over_the_limit_is_refused_without_a_leak) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        auto client = co_await TcpSocket::connect(address);
        {
            const FullDescriptors full;
            expect_descriptor_limit(error_of(TcpListener::listen(loopback_address(0))));
            const auto connected = co_await attempt(TcpSocket::connect(address));
            expect_descriptor_limit(error_of(connected));
            const auto accepted = co_await attempt(listener.accept());
            expect_descriptor_limit(error_of(accepted));
        }
        auto server = co_await listener.accept();  // it stayed in line
        co_await server.send_all(bytes_of("x"));
        co_await expect_text(client, "x");
        EXPECT_EQ(scheduler().descriptors(), 3u);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Tcp, sets_the_options_that_are_asked_for) {
    ListenOptions options;
    options.accepted.keep_alive = true;
    auto listener = co_await TcpListener::listen(loopback_address_v6(0), options);
    const auto address = co_await listener.local_address();
    auto client = co_await TcpSocket::connect(address, {.no_delay = false});
    auto server = co_await listener.accept();
    System& system = scheduler().system();
    const auto slow = co_await system.get_option(client.descriptor(), IPPROTO_TCP, TCP_NODELAY);
    EXPECT_EQ(slow, 0);
    const auto fast = co_await system.get_option(server.descriptor(), IPPROTO_TCP, TCP_NODELAY);
    EXPECT_NE(fast, 0);
    const auto alive = co_await system.get_option(server.descriptor(), SOL_SOCKET, SO_KEEPALIVE);
    EXPECT_NE(alive, 0);
}

RINGLET_CASE(Tcp, leaks_nothing_when_a_call_is_cancelled_in_flight) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        auto accept = [&]() -> Task<void> { (void)co_await listener.accept(); };
        const bool accepted = co_await cancel_in_flight(accept);
        EXPECT_FALSE(accepted);
        auto connect = [&]() -> Task<void> { (void)co_await TcpSocket::connect(address); };
        co_await cancel_in_flight(connect);
        auto close = [&]() -> Task<void> { co_await listener.close(); };
        co_await cancel_in_flight(close);
        EXPECT_FALSE(listener.is_open());
        auto ends = co_await connect_both(loopback_address(0));
        std::array<std::byte, 8> buffer;
        auto receive = [&]() -> Task<void> { co_await ends.client.receive(buffer); };
        const bool received = co_await cancel_in_flight(receive);
        EXPECT_FALSE(received);
        static std::array<std::byte, 16'000'000> much;
        auto send = [&]() -> Task<void> { co_await ends.client.send_all(much); };
        const bool sent = co_await cancel_in_flight(send);
        EXPECT_FALSE(sent);
        auto shut = [&]() -> Task<void> { co_await ends.client.shutdown_send(); };
        co_await cancel_in_flight(shut);
    }
    co_await expect_descriptors(0);
}

TEST(Tcp, moves_everything_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        run_simulated(Tcp_moves_more_than_all_buffers_hold,
                      {.seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true});
        run_simulated(Tcp_serves_several_clients_side_by_side,
                      {.seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true});
    }
}
