// P21, connection pool: limit, limit per host, reuse, and what happens to dead and idle ones.
#include <http/fake_server.hpp>

#include <ringlet/task/yield.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;

namespace {

// small_limits: four connections, three to a host, idle ones closed after five seconds.
Task<void> echo(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await sleep(2ms);
        co_await peer.answer(peer.path());
    }
}

Task<void> get(Client& client, std::string_view url) {
    auto response = co_await client.get(url);
    std::array<std::byte, 64> room;
    co_await response.read_all(room);
}

}  // namespace

RINGLET_CASE(P21ConnectionPool, is_bounded_and_its_connections_are_reused) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 9; ++i) {
                (void)group.spawn(get, std::ref(client), std::string_view(url));
            }
            co_return;
        });
        EXPECT_EQ(client.counters().per_host_max, 3u);
        EXPECT_EQ(client.counters().opened, 3u);
        EXPECT_EQ(client.counters().reused, 6u);
        EXPECT_EQ(client.counters().waiting_max, 6u);
        EXPECT_EQ(client.idle_connections(), 3u);
        EXPECT_EQ(server.accepted(), 3u);
    };
    co_await with_server(echo, body);
    co_await expect_open_descriptors(0);
}

RINGLET_CASE(P21ConnectionPool, is_bounded_over_all_hosts) {
    auto second = co_await FakeServer::open();
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto one = server.url();
        const auto other = second.url();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 4; ++i) {
                (void)group.spawn(get, std::ref(client), std::string_view(one));
                (void)group.spawn(get, std::ref(client), std::string_view(other));
            }
            co_return;
        });
        EXPECT_EQ(client.counters().connections_max, 4u);
        EXPECT_LE(client.counters().per_host_max, 3u);
        EXPECT_EQ(client.open_connections(), client.idle_connections());
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto serve = [&](TaskGroup& servers) { return second.serve(servers, echo); };
        (void)group.spawn(std::ref(serve), std::ref(group));
        co_await with_server(echo, body);
        group.cancel_tasks();
    });
}

TEST(P21ConnectionPool, closes_what_is_idle_and_makes_it_anew) {
    run_simulated([]() -> Task<void> {
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            const auto url = server.url();
            co_await get(client, url);
            co_await sleep(4999ms);
            co_await get(client, url);
            EXPECT_EQ(client.counters().reused, 1u);
            co_await sleep(5s);
            EXPECT_EQ(client.open_connections(), 0u);
            EXPECT_EQ(client.counters().idle_closed, 1u);
            co_await get(client, url);
            EXPECT_EQ(client.counters().opened, 2u);
            EXPECT_EQ(client.counters().replaced, 0u);
        };
        co_await with_server(echo, body);
    });
}

RINGLET_CASE(P21ConnectionPool, replaces_a_broken_connection) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (asked) co_await peer.answer("and good-bye");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        for (int i = 0; i < 3; ++i) {
            co_await get(client, url);
            co_await sleep(2ms);
        }
        EXPECT_EQ(client.counters().replaced, 2u);
        EXPECT_EQ(client.idle_connections(), 1u);
    };
    co_await with_server(script, body);
    co_await expect_open_descriptors(0);
}

RINGLET_CASE_ORDERED(P21ConnectionPool, serves_waiters_in_order_and_a_cancelled_one_harms_nobody) {
    static char order[8];
    static unsigned served;
    served = 0;
    std::memset(order, 0, sizeof order);
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto note = [&](char name) -> Task<void> {
            auto response = co_await client.get(url);
            order[served++] = name;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            std::array<http::Lease, 3> held;
            for (http::Lease& each : held) {
                const auto port = static_cast<std::uint16_t>(server.port());
                co_await client.pool().acquire(each, http::HostKey{"127.0.0.1", port});
            }
            (void)group.spawn(std::ref(note), '1');
            auto second = group.spawn(std::ref(note), '2');
            (void)group.spawn(std::ref(note), '3');
            co_await yield();
            co_await yield();
            EXPECT_EQ(client.waiting(), 3u);
            second.cancel();
            held[0].release();
            co_await sleep(1ms);
            EXPECT_EQ(client.waiting(), 1u);
            while (served == 0) co_await sleep(1ms);  // the first, before the rest is released
        });
        EXPECT_STREQ(order, "13");
    };
    co_await with_server(echo, body);
}

RINGLET_CASE(P21ConnectionPool, loses_nothing_when_requests_are_cancelled_anywhere) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 5; ++i) {
                (void)group.spawn(get, std::ref(client), std::string_view(url));
            }
            co_await sleep(1ms);
            group.cancel_tasks();
        });
        EXPECT_EQ(client.open_connections(), client.idle_connections());
        EXPECT_EQ(client.waiting(), 0u);
        co_await get(client, url);
        EXPECT_EQ(client.open_connections(), client.idle_connections());
    };
    co_await with_server(echo, body);
    co_await expect_open_descriptors(0);
}
