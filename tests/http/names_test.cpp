// Hosts by name: the client with a resolver.
#include <http/fake_server.hpp>

#include <ringlet/dns/resolver.hpp>
#include <ringlet/flow/transient.hpp>
#include <ringlet/io/udp.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;

namespace {

dns::Storage<dns::Limits{}> dns_storage;

Task<void> echo(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer(peer.request());
    }
}

Task<void> reaches_a_host_by_its_name() {
    dns::Resolver resolver(dns_storage);
    co_await resolver.load();
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        for (const char* const name : {"device.example", "DEVICE.example", "127.0.0.1"}) {
            const auto url = server.url("/", name);
            auto response = co_await client.get(url);
            std::array<std::byte, 256> room;
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.contains(name)) << heard;
        }
        EXPECT_EQ(client.counters().opened, 2u);  // a name has one pool, whatever its case
    };
    co_await with_server(echo, body, {.resolver = &resolver});
}

Task<void> tells_what_the_resolver_said() {
    dns::Resolver resolver(dns_storage);
    co_await resolver.load();
    Client client(small_storage, {.resolver = &resolver});
    const auto response = co_await attempt(client.get("http://missing_part..example/"));
    const Error error = error_of(response);
    EXPECT_TRUE(error == dns::Detail::name_shape) << text(error);
    EXPECT_EQ(http::kind_of(error), http::Kind::name);
    EXPECT_EQ(http::step_of(error), http::Step::resolve);
    EXPECT_EQ(client.open_connections(), 0u);
}

Task<void> ends_a_lookup_that_takes_too_long() {
    const auto where = co_await parse_address("192.0.2.53", 53);
    const auto silent_server = co_await UdpSocket::bind(where);
    dns::Resolver resolver(dns_storage);
    co_await resolver.load();
    Client client(small_storage, {.resolver = &resolver, .timeouts = {.connect = 2s}});
    const Instant begin = scheduler().now();
    const auto response = co_await attempt(client.get("http://silent.example/"));
    expect_failure(error_of(response), http::Reason::step_time, http::Step::connect);
    EXPECT_EQ(scheduler().now() - begin, Nanoseconds(2s).count());
    EXPECT_EQ(client.open_connections(), 0u);
}

// It is not the web server that refuses.
Task<void> tells_that_no_name_server_could_be_reached() {
    dns::Options options;
    options.resolv_conf = nullptr;
    const std::array servers{loopback_address(53)};
    options.servers = servers;
    dns::Resolver resolver(dns_storage, options);
    Client client(small_storage, {.resolver = &resolver});
    const auto response = co_await attempt(client.get("http://host.example/"));
    const Error error = error_of(response);
    EXPECT_TRUE(error == dns::Detail::unreachable) << text(error);
    EXPECT_EQ(error.code(), std::errc::connection_refused);
    EXPECT_STREQ(text(error), "no DNS server could be reached");
    EXPECT_EQ(http::kind_of(error), http::Kind::name);
    EXPECT_EQ(http::step_of(error), http::Step::resolve);
    EXPECT_TRUE(is_transient(error));
}

void run_with_hosts(Case body) {
    ringlet::testing::Simulation simulation;
    simulation.world().make_folder("/etc");
    simulation.world().write_file("/etc/hosts", "127.0.0.1 device.example\n");
    simulation.world().write_file("/etc/resolv.conf", "nameserver 192.0.2.53\n");
    EXPECT_EQ(simulation.run<case_limits>(body), 0) << simulation.world().written(2);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

}  // namespace

TEST(HttpNames, reach_their_hosts) {
    run_with_hosts(reaches_a_host_by_its_name);
}
TEST(HttpNames, that_are_none_keep_the_resolvers_error) {
    run_with_hosts(tells_what_the_resolver_said);
}
TEST(HttpNames, that_nobody_can_be_asked_for_are_no_fault_of_their_hosts) {
    run_with_hosts(tells_that_no_name_server_could_be_reached);
}
TEST(HttpNames, that_take_too_long_run_into_the_limit_of_connecting) {
    run_with_hosts(ends_a_lookup_that_takes_too_long);
}
