// Datagrams over the loopback network.
#include <io/io_cases.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/race.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/udp.hpp>

#include <netinet/in.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

Task<void> talk(SocketAddress where) {
    auto server = co_await UdpSocket::bind(where);
    const auto address = co_await server.local_address();
    EXPECT_NE(port_of(address), 0);
    auto client = co_await UdpSocket::open(where.storage.ss_family);
    co_await client.connect(address);
    co_await client.send(bytes_of("ping"));
    std::array<std::byte, 16> buffer;
    const auto question = co_await server.receive_from(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(question.size)), "ping");
    EXPECT_FALSE(question.truncated);
    const auto local = co_await client.local_address();
    EXPECT_EQ(text(question.address).view(), text(local).view());
    co_await server.send_to(bytes_of("pong!"), question.address);
    const auto answer = co_await client.receive(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(answer.size)), "pong!");
    const auto peer = co_await client.peer_address();
    EXPECT_EQ(text(peer).view(), text(address).view());
    co_await client.close();
    EXPECT_FALSE(client.is_open());
    co_await client.close();
}

// A port where nobody is.
Task<SocketAddress> nowhere() {
    auto socket = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await socket.local_address();
    co_await socket.close();
    co_return address;
}

}  // namespace

RINGLET_CASE(Udp, carries_datagrams_both_ways) {
    co_await talk(loopback_address(0));
    co_await expect_descriptors(0);
}

RINGLET_CASE(Udp, carries_datagrams_both_ways_over_version_6) {
    co_await talk(loopback_address_v6(0));
    co_await expect_descriptors(0);
}

RINGLET_CASE(Udp, keeps_the_bounds_of_datagrams) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto client = co_await UdpSocket::open(AF_INET);
    co_await client.send_to(bytes_of("one"), address);
    co_await client.send_to({}, address);
    co_await client.send_to(bytes_of("three"), address);
    std::array<std::byte, 16> buffer;
    const auto one = co_await server.receive(buffer);
    EXPECT_EQ(one.size, 3u);
    const auto empty = co_await server.receive(buffer);
    EXPECT_EQ(empty.size, 0u);
    EXPECT_FALSE(empty.truncated);
    const auto three = co_await server.receive(buffer);
    EXPECT_EQ(three.size, 5u);
}

RINGLET_CASE(Udp, tells_that_a_datagram_was_cut) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto client = co_await UdpSocket::open(AF_INET);
    for (int i = 0; i < 3; ++i)
        co_await client.send_to(bytes_of("four"), address);
    std::array<std::byte, 4> buffer;
    const auto cut = co_await server.receive(std::span(buffer).first(3));
    EXPECT_EQ(cut.size, 3u);
    EXPECT_TRUE(cut.truncated);
    const auto from = co_await server.receive_from(std::span(buffer).first(2));
    EXPECT_EQ(from.size, 2u);
    EXPECT_TRUE(from.truncated);
    EXPECT_NE(port_of(from.address), 0);
    const auto whole = co_await server.receive_from(buffer);
    EXPECT_EQ(whole.size, 4u);
    EXPECT_FALSE(whole.truncated);
}

RINGLET_CASE(Udp, is_refused_where_nobody_is_if_connected) {
    const auto address = co_await nowhere();
    auto client = co_await UdpSocket::open(AF_INET);
    co_await client.connect(address);
    std::array<std::byte, 4> buffer;
    for (int i = 0; i < 2; ++i) {
        co_await client.send(bytes_of("x"));
        const auto refused = co_await attempt(client.receive(buffer));
        EXPECT_EQ(error_of(refused), std::errc::connection_refused);
    }
    auto sent = co_await attempt(client.send(bytes_of("x")));
    EXPECT_TRUE(sent.has_value());
    // The kernel brings the refusal when it finds the time.
    for (int tries = 0; sent && tries < 1000; ++tries) {
        co_await sleep(1ms);
        sent = co_await attempt(client.send(bytes_of("x")));
    }
    EXPECT_EQ(error_of(sent), std::errc::connection_refused);
    auto stranger = co_await UdpSocket::open(AF_INET);
    co_await stranger.send_to(bytes_of("x"), address);
    const auto silence = co_await attempt(timeout(5ms, stranger.receive(buffer)));
    EXPECT_EQ(error_of(silence), std::errc::timed_out);
}

RINGLET_CASE(Udp, refuses_what_cannot_be_sent) {
    static std::array<std::byte, 70'000> much;
    auto socket = co_await UdpSocket::open(AF_INET);
    const auto nobody = co_await attempt(socket.send(bytes_of("x")));
    EXPECT_EQ(error_of(nobody), std::errc::destination_address_required);
    const auto port_0 = co_await attempt(socket.send_to(bytes_of("x"), loopback_address(0)));
    EXPECT_EQ(error_of(port_0), std::errc::invalid_argument);
    const auto address = co_await nowhere();
    const auto long_one = co_await attempt(socket.send_to(much, address));
    EXPECT_EQ(error_of(long_one), std::errc::message_size);
    EXPECT_EQ(error_of(UdpSocket::open(200)), std::errc::address_family_not_supported);
    co_await socket.close();
    co_await expect_descriptors(0);
}

RINGLET_CASE(Udp, shares_a_port_only_if_all_agree) {
    auto one = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await one.local_address();
    EXPECT_EQ(error_of(UdpSocket::bind(address)), std::errc::address_in_use);
    EXPECT_EQ(error_of(UdpSocket::bind(address, {.reuse_address = true})),
              std::errc::address_in_use);
    co_await one.close();
    auto first = co_await UdpSocket::bind(address, {.reuse_address = true});
    auto second = co_await UdpSocket::bind(address, {.reuse_address = true});
    auto third = UdpSocket::bind(address, {.reuse_port = true});
    EXPECT_EQ(error_of(third), std::errc::address_in_use);
}

RINGLET_CASE(Udp, sets_the_options_that_are_asked_for) {
    auto socket = co_await UdpSocket::open(AF_INET6, {.broadcast = true, .v6_only = true});
    System& system = scheduler().system();
    const int descriptor = socket.descriptor();
    const auto broadcast = co_await system.get_option(descriptor, SOL_SOCKET, SO_BROADCAST);
    EXPECT_EQ(broadcast, 1);
    const auto v6_only = co_await system.get_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
    EXPECT_EQ(v6_only, 1);
}

RINGLET_CASE(Udp, stays_usable_after_a_receive_that_timed_out) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    std::array<std::byte, 8> buffer;
    for (int i = 0; i < 3; ++i) {
        const auto late = co_await attempt(timeout(5ms, server.receive_from(buffer)));
        EXPECT_EQ(error_of(late), std::errc::timed_out);
    }
    auto client = co_await UdpSocket::open(AF_INET);
    co_await client.send_to(bytes_of("now"), address);
    const auto now = co_await server.receive_from(buffer);
    EXPECT_EQ(now.size, 3u);
}

RINGLET_CASE(Udp, serves_several_clients_with_one_socket) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto ask = [&](const char* words) -> Task<void> {
        auto socket = co_await UdpSocket::open(AF_INET);
        co_await socket.connect(address);
        co_await socket.send(bytes_of(words));
        std::array<std::byte, 16> buffer;
        const auto got = co_await socket.receive(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(got.size)), words);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(std::ref(ask), "one");
        (void)group.spawn(std::ref(ask), "two");
        (void)group.spawn(std::ref(ask), "three");
        std::array<std::byte, 16> buffer;
        for (int i = 0; i < 3; ++i) {
            const auto got = co_await server.receive_from(buffer);
            co_await server.send_to(std::span(buffer).first(got.size), got.address);
        }
    });
}

RINGLET_CASE(Udp, is_served_by_several_tasks_side_by_side) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto serve = [&]() -> Task<void> {
        std::array<std::byte, 16> buffer;
        for (;;) {
            const auto got = co_await server.receive_from(buffer);
            co_await server.send_to(std::span(buffer).first(got.size), got.address);
        }
    };
    int answered = 0;
    auto ask = [&](const char* words) -> Task<void> {
        auto socket = co_await UdpSocket::open(AF_INET);
        co_await socket.connect(address);
        std::array<std::byte, 16> buffer;
        for (int i = 0; i < 3; ++i) {
            co_await socket.send(bytes_of(words));
            const auto got = co_await socket.receive(buffer);
            EXPECT_EQ(text_of(std::span(buffer).first(got.size)), words);
            ++answered;
        }
    };
    auto ask_all = [&]() -> Task<void> { co_await gather(ask("one"), ask("two"), ask("three")); };
    const auto ended = co_await race(serve(), serve(), serve(), ask_all());
    EXPECT_EQ(ended.first, 3u);
    EXPECT_EQ(answered, 9);
}

RINGLET_CASE(Udp, over_the_limit_is_refused_without_a_leak) {
    {
        const FullDescriptors full;
        expect_descriptor_limit(error_of(UdpSocket::open(AF_INET)));
        expect_descriptor_limit(error_of(UdpSocket::bind(loopback_address(0))));
    }
    auto socket = co_await UdpSocket::bind(loopback_address(0));
    EXPECT_EQ(scheduler().descriptors(), 1u);
    co_await socket.close();
    co_await expect_descriptors(0);
}

RINGLET_CASE(Udp, leaks_nothing_when_a_call_is_cancelled_in_flight) {
    {
        auto server = co_await UdpSocket::bind(loopback_address(0));
        const auto address = co_await server.local_address();
        std::array<std::byte, 8> buffer;
        auto receive = [&]() -> Task<void> { (void)co_await server.receive(buffer); };
        const bool received = co_await cancel_in_flight(receive);
        EXPECT_FALSE(received);
        auto receive_from = [&]() -> Task<void> { (void)co_await server.receive_from(buffer); };
        const bool named = co_await cancel_in_flight(receive_from);
        EXPECT_FALSE(named);
        auto client = co_await UdpSocket::open(AF_INET);
        auto send = [&]() -> Task<void> { co_await client.send_to(bytes_of("x"), address); };
        co_await cancel_in_flight(send);
        auto connect = [&]() -> Task<void> { co_await client.connect(address); };
        co_await cancel_in_flight(connect);
        auto close = [&]() -> Task<void> { co_await client.close(); };
        co_await cancel_in_flight(close);
        EXPECT_FALSE(client.is_open());
    }
    co_await expect_descriptors(0);
}

// ---- what the simulated network does to datagrams ----

namespace {

struct Tally {
    unsigned received = 0;
    unsigned doubled = 0;
    unsigned overtaken = 0;
};

constexpr unsigned numbered = 100;

// Sends numbered datagrams, and counts how they come.
Task<void> count_datagrams(Tally& tally) {
    auto server = co_await UdpSocket::bind(loopback_address(0));
    const auto address = co_await server.local_address();
    auto client = co_await UdpSocket::open(AF_INET);
    std::array<unsigned, numbered> seen{};
    unsigned highest = 0;
    auto receive = [&]() -> Task<void> {
        unsigned number = 0;
        for (;;) {
            (void)co_await server.receive(std::as_writable_bytes(std::span(&number, 1)));
            ++tally.received;
            if (++seen[number] > 1) ++tally.doubled;
            if (number < highest && seen[number] == 1) ++tally.overtaken;
            highest = std::max(highest, number);
        }
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto receiver = group.spawn(std::ref(receive));
        for (unsigned number = 0; number < numbered; ++number) {
            co_await client.send_to(std::as_bytes(std::span(&number, 1)), address);
            co_await sleep(1ms);
        }
        co_await sleep(1s);
        receiver.cancel();
    });
}

Tally tally_with(const ringlet::testing::SimulationOptions& options) {
    Tally tally;
    ringlet::testing::Simulation simulation(options);
    EXPECT_EQ(simulation.run<case_limits>([&] { return count_datagrams(tally); }), 0);
    return tally;
}

}  // namespace

TEST(Udp, loses_nothing_unless_the_network_shall) {
    const Tally tally = tally_with({.seed = 5});
    EXPECT_EQ(tally.received, numbered);
    EXPECT_EQ(tally.doubled + tally.overtaken, 0u);
}

TEST(Udp, loses_datagrams_where_the_network_does) {
    const Tally tally = tally_with({.seed = 5, .datagram_loss = 30});
    EXPECT_GT(tally.received, numbered / 2);
    EXPECT_LT(tally.received, numbered * 9 / 10);
    EXPECT_EQ(tally_with({.seed = 5, .datagram_loss = 100}).received, 0u);
}

TEST(Udp, gets_datagrams_twice_where_the_network_doubles_them) {
    const Tally tally = tally_with({.seed = 5, .datagram_duplication = 30});
    EXPECT_GT(tally.doubled, numbered / 10);
    EXPECT_EQ(tally.received, numbered + tally.doubled);
    EXPECT_EQ(tally.overtaken, 0u);
}

TEST(Udp, gets_datagrams_in_another_order_where_the_network_holds_them_back) {
    const Tally tally = tally_with({.seed = 5, .datagram_reordering = 30});
    EXPECT_EQ(tally.received, numbered);
    EXPECT_GT(tally.overtaken, numbered / 10);
}

TEST(Udp, sees_the_same_network_with_the_same_seed) {
    const ringlet::testing::SimulationOptions options{
        .seed = 9, .datagram_loss = 20, .datagram_duplication = 20, .datagram_reordering = 20};
    const Tally one = tally_with(options);
    const Tally other = tally_with(options);
    EXPECT_EQ(one.received, other.received);
    EXPECT_EQ(one.doubled, other.doubled);
    EXPECT_EQ(one.overtaken, other.overtaken);
}

TEST(Udp, drops_what_a_full_queue_has_no_room_for) {
    ringlet::testing::Simulation simulation({.socket_bytes = 100});
    const int status = simulation.run<case_limits>([]() -> Task<void> {
        auto server = co_await UdpSocket::bind(loopback_address(0));
        const auto address = co_await server.local_address();
        auto client = co_await UdpSocket::open(AF_INET);
        std::array<std::byte, 40> bytes{};
        for (int i = 0; i < 5; ++i)
            co_await client.send_to(bytes, address);
        for (int i = 0; i < 2; ++i)
            (void)co_await server.receive(bytes);
        const auto third = co_await attempt(timeout(5ms, server.receive(bytes)));
        EXPECT_EQ(error_of(third), std::errc::timed_out);
    });
    EXPECT_EQ(status, 0);
}

TEST(Udp, answers_through_a_network_that_holds_datagrams_back) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        run_simulated(Udp_carries_datagrams_both_ways, {.seed = seed,
                                                        .latency_max = Nanoseconds(1ms),
                                                        .short_transfers = true,
                                                        .datagram_reordering = 50});
    }
}
