// Connecting by name: which address is tried when.
#include <dns/fake_server.hpp>
#include <io/io_cases.hpp>

#include <ringlet/dns/connect.hpp>

#include <utility>

using namespace ringlet;
using namespace ringlet::dns;
using namespace ringlet::support;

namespace {

Storage<dns::Limits{}> storage;

SocketAddress address_of(std::string_view host, std::uint16_t port = 80) {
    return parse_address(host, port).value();
}

// An address that neither accepts nor refuses: its line is full.
class BlackHole {
public:
    static Task<BlackHole> open(SocketAddress address) {
        ListenOptions options;
        options.backlog = 0;
        auto listener = co_await TcpListener::listen(address, options);
        auto first = co_await TcpSocket::connect(address);
        co_return BlackHole(std::move(listener), std::move(first));
    }

private:
    BlackHole(TcpListener listener, TcpSocket first)
        : listener_(std::move(listener)), first_(std::move(first)) {}
    TcpListener listener_;
    TcpSocket first_;
};

// Runs in a simulated world, where every address is local and time is exact.
template <class Body>
void simulated(Body body) {
    ringlet::testing::Simulation simulation;
    EXPECT_EQ(simulation.run<case_limits>(body), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

Task<void> expect_peer(Resolver& resolver, std::string_view name, const char* peer,
                       std::chrono::milliseconds after, ConnectOptions options = {}) {
    const Instant start = scheduler().now();
    auto connected = co_await attempt(connect(resolver, name, 80, options));
    EXPECT_TRUE(connected.has_value()) << name;
    if (!connected) {
        EXPECT_STREQ(text(connected.error()), "");
        co_return;
    }
    EXPECT_EQ(scheduler().now() - start, Nanoseconds(after).count());
    const auto address = co_await connected->peer_address();
    EXPECT_STREQ(text(address).c_str(), peer);
}

constexpr Scripted script[] = {
    {.name = "both.example", .addresses = {"192.0.2.1", "2001:db8::1"}},
    {.name = "late6.example", .addresses = {"192.0.2.1", "2001:db8::1"}, .delay_v6 = 30ms},
    {.name = "later6.example", .addresses = {"192.0.2.1", "2001:db8::1"}, .delay_v6 = 80ms},
    {.name = "late4.example", .addresses = {"192.0.2.1", "2001:db8::1"}, .delay_v4 = 3s},
    {.name = "only4.example", .addresses = {"192.0.2.1"}},
    {.name = "holes.example",
     .addresses = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}},
};

// A resolver that asks a scripted server, for cases in the simulated world.
template <class Body>
Task<void> with_resolver(Body& body) {
    auto server = co_await FakeServer::open(script);
    const ServedBy by(server);
    Resolver resolver(storage, by.options);
    auto inside = [&]() -> Task<void> { co_await body(resolver); };
    co_await while_serving(inside, server);
}

}  // namespace

RINGLET_CASE(DnsConnect, connects_to_the_kind_of_address_that_somebody_listens_at) {
    Options options;
    options.resolv_conf = options.hosts = nullptr;
    Resolver resolver(storage, options);
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const std::uint16_t port = port_of(co_await listener.local_address());
    auto client = co_await connect(resolver, "localhost", port);  // ::1 refuses
    auto server = co_await listener.accept();
    co_await client.send_all(bytes_of("hello"));
    std::array<std::byte, 5> buffer;
    co_await read_exactly(server, buffer);
    EXPECT_EQ(text_of(buffer), "hello");
    co_await client.close();
    auto literal = co_await connect(resolver, "127.0.0.1", port);
    EXPECT_TRUE(literal.is_open());
    co_await literal.close();
    co_await server.close();
    co_await listener.close();
    co_await expect_descriptors(0);
}

RINGLET_CASE(DnsConnect, tells_why_it_cannot_connect) {
    Options options;
    options.resolv_conf = options.hosts = nullptr;
    Resolver resolver(storage, options);
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const std::uint16_t port = port_of(co_await listener.local_address());
    co_await listener.close();
    const auto refused = co_await attempt(connect(resolver, "localhost", port));
    EXPECT_EQ(support::error_of(refused), std::errc::connection_refused);
    const auto nowhere = co_await attempt(connect(resolver, "host.example", port));
    EXPECT_TRUE(support::error_of(nowhere) == Detail::no_servers);
    const auto invalid = co_await attempt(connect(resolver, "host example", port));
    EXPECT_TRUE(support::error_of(invalid) == Detail::name_characters);
    ConnectOptions only_v6;
    only_v6.family = Family::v6;
    const auto wrong_kind = co_await attempt(connect(resolver, "127.0.0.1", port, only_v6));
    EXPECT_TRUE(support::error_of(wrong_kind) == Detail::no_address);
    co_await expect_descriptors(0);
}

RINGLET_CASE(DnsConnect, leaves_no_connection_behind_that_was_still_under_way) {
    static constexpr Scripted local[] = {{.name = "local.example",
                                          .addresses = {"127.0.0.1", "127.0.0.2", "::1"}}};
    auto server = co_await FakeServer::open(local);
    const ServedBy by(server);
    Resolver resolver(storage, by.options);
    auto listener = co_await TcpListener::listen(address_of("127.0.0.2", 0));
    const std::uint16_t port = port_of(co_await listener.local_address());
    auto body = [&]() -> Task<void> {
        {
            auto hole = co_await BlackHole::open(address_of("127.0.0.1", port));
            ConnectOptions options;
            options.attempt_delay = 10ms;
            auto client =
                co_await timeout(1min, connect(resolver, "local.example", port, options));
            const auto peer = co_await client.peer_address();
            EXPECT_STREQ(text(peer).c_str(), text(address_of("127.0.0.2", port)).c_str());
        }
        co_await expect_descriptors(4);  // the listener; the server's two, and its accept()
    };
    co_await while_serving(body, server);
}

TEST(DnsConnect, version_6_is_tried_first) {
    simulated([]() -> Task<void> {
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.1"));
        auto v6 = co_await TcpListener::listen(address_of("2001:db8::1"));
        auto body = [](Resolver& resolver) -> Task<void> {
            co_await expect_peer(resolver, "both.example", "[2001:db8::1]:80", 0ms);
            co_await expect_peer(resolver, "late4.example", "[2001:db8::1]:80", 0ms);
            ConnectOptions only_v4;
            only_v4.family = Family::v4;
            co_await expect_peer(resolver, "both.example", "192.0.2.1:80", 0ms, only_v4);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, next_address_is_tried_at_once_after_a_refusal) {
    simulated([]() -> Task<void> {
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.2"));
        auto body = [](Resolver& resolver) -> Task<void> {
            co_await expect_peer(resolver, "holes.example", "192.0.2.2:80", 0ms);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, next_address_is_tried_after_the_delay_if_one_does_not_answer) {
    simulated([]() -> Task<void> {
        auto hole = co_await BlackHole::open(address_of("2001:db8::1"));
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.1"));
        auto body = [](Resolver& resolver) -> Task<void> {
            co_await expect_peer(resolver, "both.example", "192.0.2.1:80", 250ms);
            ConnectOptions hasty;
            hasty.attempt_delay = 100ms;
            co_await expect_peer(resolver, "both.example", "192.0.2.1:80", 100ms, hasty);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, each_address_has_its_own_delay) {
    simulated([]() -> Task<void> {
        auto hole1 = co_await BlackHole::open(address_of("2001:db8::1"));
        auto hole2 = co_await BlackHole::open(address_of("192.0.2.1"));
        auto hole3 = co_await BlackHole::open(address_of("2001:db8::2"));
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.2"));
        auto body = [](Resolver& resolver) -> Task<void> {
            co_await expect_peer(resolver, "holes.example", "192.0.2.2:80", 750ms);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, version_6_addresses_are_waited_for_a_moment) {
    simulated([]() -> Task<void> {
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.1"));
        auto v6 = co_await TcpListener::listen(address_of("2001:db8::1"));
        auto body = [](Resolver& resolver) -> Task<void> {
            co_await expect_peer(resolver, "late6.example", "[2001:db8::1]:80", 30ms);
            co_await expect_peer(resolver, "later6.example", "192.0.2.1:80", 50ms);
            co_await expect_peer(resolver, "only4.example", "192.0.2.1:80", 0ms);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, addresses_that_come_late_are_tried_too) {
    simulated([]() -> Task<void> {
        auto hole = co_await BlackHole::open(address_of("192.0.2.1"));
        auto v6 = co_await TcpListener::listen(address_of("2001:db8::1"));
        auto body = [](Resolver& resolver) -> Task<void> {
            // 50 ms: version 4 begins; 80: version 6 is known; 300: it has its turn.
            co_await expect_peer(resolver, "later6.example", "[2001:db8::1]:80", 300ms);
        };
        co_await with_resolver(body);
    });
}

TEST(DnsConnect, first_address_that_answers_wins_also_if_it_was_tried_earlier) {
    ringlet::testing::Simulation simulation;
    simulation.world().set_latency(IORING_OP_CONNECT, 300ms, 300ms);
    const int status = simulation.run<case_limits>([]() -> Task<void> {
        auto v4 = co_await TcpListener::listen(address_of("192.0.2.1"));
        auto v6 = co_await TcpListener::listen(address_of("2001:db8::1"));
        Options options;
        options.resolv_conf = nullptr;
        options.hosts = "/hosts";
        Resolver resolver(storage, options);
        auto file = co_await File::open("/hosts", OpenMode::replace);
        co_await file.write_all(bytes_of("192.0.2.1 both\n2001:db8::1 both\n"));
        co_await file.close();
        co_await resolver.load();
        co_await expect_peer(resolver, "both", "[2001:db8::1]:80", 300ms);
    });
    EXPECT_EQ(status, 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

TEST(DnsConnect, most_telling_error_of_all_is_told) {
    ringlet::testing::Simulation simulation;
    simulation.world().fail_nth(IORING_OP_CONNECT, 1, ENETUNREACH);
    simulation.world().fail_nth(IORING_OP_CONNECT, 2, ETIMEDOUT);
    simulation.world().fail_nth(IORING_OP_CONNECT, 3, ETIMEDOUT);
    simulation.world().fail_nth(IORING_OP_CONNECT, 4, EHOSTUNREACH);
    simulation.world().fail_nth(IORING_OP_CONNECT, 5, ECONNREFUSED);
    simulation.world().fail_nth(IORING_OP_CONNECT, 6, ENOMEM);
    const int status = simulation.run<case_limits>([]() -> Task<void> {
        Options options;
        options.resolv_conf = options.hosts = nullptr;
        Resolver resolver(storage, options);
        for (int i = 0; i < 2; ++i) {
            const auto connected = co_await attempt(connect(resolver, "localhost", 80));
            EXPECT_EQ(support::error_of(connected), std::errc::timed_out);
        }
        const auto short_of_memory = co_await attempt(connect(resolver, "localhost", 80));
        EXPECT_EQ(support::error_of(short_of_memory), std::errc::not_enough_memory);
        {
            const FullDescriptors full;
            const auto none = co_await attempt(connect(resolver, "localhost", 80));
            expect_descriptor_limit(support::error_of(none));
        }
    });
    EXPECT_EQ(status, 0) << simulation.log();
}

TEST(DnsConnect, no_room_for_a_second_attempt_leaves_the_first_alone) {
    static constexpr ringlet::Limits one_task{.tasks = 1};
    ringlet::testing::Simulation simulation;
    simulation.world().set_latency(IORING_OP_CONNECT, 1s, 1s);
    const int status = simulation.run<one_task>([]() -> Task<void> {
        auto listener = co_await TcpListener::listen(loopback_address_v6(80));
        Options options;
        options.resolv_conf = options.hosts = nullptr;
        Resolver resolver(storage, options);
        co_await expect_peer(resolver, "localhost", "[::1]:80", 1s);
    });
    EXPECT_EQ(status, 0) << simulation.log();
}

namespace {

Task<int> ready() {
    co_return 0;
}

// So many awaits that are ready at once, so that the task's credit ends at another place each time.
Task<void> connect_after(unsigned awaits) {
    auto listener = co_await TcpListener::listen(loopback_address(80));
    Options options;
    options.resolv_conf = options.hosts = nullptr;
    Resolver resolver(storage, options);
    for (unsigned i = 0; i < awaits; ++i) co_await ready();
    const Instant start = scheduler().now();
    const auto connected = co_await attempt(timeout(100s, connect(resolver, "127.0.0.1", 80)));
    EXPECT_TRUE(connected.has_value()) << awaits;
    EXPECT_EQ(scheduler().now(), start) << awaits;
}

template <unsigned awaits>
void connect_with_inline_awaits() {
    static constexpr ringlet::Limits limits{.inline_awaits = awaits};
    ringlet::testing::Simulation simulation;
    const int status = simulation.run<limits>([]() -> Task<void> { return connect_after(0); });
    EXPECT_EQ(status, 0) << awaits << simulation.log();
}

}  // namespace

TEST(DnsConnect, hears_what_the_lookup_found_wherever_its_turn_ends) {
    static unsigned awaits;
    for (awaits = 0; awaits <= 260; ++awaits) {
        ringlet::testing::Simulation simulation;
        const int status =
            simulation.run<case_limits>([]() -> Task<void> { return connect_after(awaits); });
        EXPECT_EQ(status, 0) << awaits << simulation.log();
    }
    []<unsigned... less>(std::integer_sequence<unsigned, less...>) {
        (connect_with_inline_awaits<less + 1>(), ...);
    }(std::make_integer_sequence<unsigned, 16>());
}

TEST(DnsConnect, time_limit_ends_a_connection_that_nobody_answers) {
    simulated([]() -> Task<void> {
        auto hole4 = co_await BlackHole::open(address_of("192.0.2.1"));
        auto hole6 = co_await BlackHole::open(address_of("2001:db8::1"));
        auto body = [](Resolver& resolver) -> Task<void> {
            const auto connected =
                co_await attempt(timeout(2s, connect(resolver, "both.example", 80)));
            EXPECT_EQ(support::error_of(connected), std::errc::timed_out);
        };
        co_await with_resolver(body);
    });
}
