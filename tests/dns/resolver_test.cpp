// Lookups against a server that does what a script says.
#include <dns/fake_server.hpp>
#include <io/io_cases.hpp>

#include <ringlet/dns/connect.hpp>
#include <ringlet/flow/gather.hpp>

#include <algorithm>

using namespace ringlet;
using namespace ringlet::dns;
using namespace ringlet::support;

namespace {

Storage<dns::Limits{}> storage;
Storage<dns::Limits{.queries = 1, .message_bytes = 512, .hosts = 2, .hosts_bytes = 64, .cache = 0}>
    small_storage;

constexpr Scripted script[] = {
    {.name = "host.example", .addresses = {"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
    {.name = "four.example", .addresses = {"192.0.2.4"}},
    {.name = "alias.example", .addresses = {"192.0.2.5"}, .alias = "host.example"},
    {.name = "nothing.example"},
    {.name = "failing.example", .reply = Reply::server_failure},
    {.name = "refused.example", .reply = Reply::refused},
    {.name = "format.example", .reply = Reply::format_error},
    {.name = "malformed.example", .reply = Reply::malformed},
    {.name = "silent.example", .reply = Reply::silence},
    {.name = "garbage.example", .reply = Reply::garbage},
    {.name = "forged.example", .reply = Reply::wrong_id_first, .addresses = {"192.0.2.6"}},
    {.name = "other.example", .reply = Reply::other_question_first, .addresses = {"192.0.2.7"}},
    {.name = "many.example", .reply = Reply::truncated, .many = 30},
    {.name = "big.example", .many = 60},
    {.name = "cut.example", .reply = Reply::cut_over_tcp, .addresses = {"192.0.2.8"}},
    {.name = "wrong.example", .reply = Reply::wrong_over_tcp, .addresses = {"192.0.2.8"}},
    {.name = "empty.example", .reply = Reply::empty_over_tcp, .addresses = {"192.0.2.8"}},
    {.name = "late.example", .addresses = {"192.0.2.9"}, .delay_v4 = 40ms, .delay_v6 = 20ms},
    {.name = "zero.example", .addresses = {"192.0.2.9"}, .ttl_s = 0},
    {.name = "host.search.example", .addresses = {"192.0.2.10"}},
};
constexpr Scripted second_script[] = {
    {.name = "failing.example", .addresses = {"198.51.100.1"}},
    {.name = "refused.example", .addresses = {"198.51.100.2"}},
    {.name = "malformed.example", .addresses = {"198.51.100.3"}},
    {.name = "silent.example", .addresses = {"198.51.100.4"}},
    {.name = "big.example", .many = 60},
    {.name = "cut.example", .addresses = {"198.51.100.5"}},
    {.name = "wrong.example", .addresses = {"198.51.100.6"}},
    {.name = "empty.example", .addresses = {"198.51.100.7"}},
    {.name = "host.example", .addresses = {"198.51.100.8"}},
};

Task<void> expect_addresses(Resolver& resolver, std::string_view name, std::string_view expected,
                            Family family = Family::any) {
    const auto found = co_await attempt(resolver.resolve(name, family));
    EXPECT_TRUE(found.has_value()) << name;
    if (!found) {
        EXPECT_STREQ(text(found.error()), "");
        co_return;
    }
    EXPECT_EQ(hosts_text(*found).view(), expected) << name;
}

Task<void> expect_failure(Resolver& resolver, std::string_view name, Detail detail,
                          Family family = Family::any) {
    const auto found = co_await attempt(resolver.resolve(name, family));
    EXPECT_TRUE(support::error_of(found) == detail) << name;
}

// Runs the body with a resolver, and the server that it asks, which serves meanwhile.
template <dns::Limits limits, class Body>
Task<void> with_resolver(Storage<limits>& memory, Body body) {
    auto server = co_await FakeServer::open(script);
    const ServedBy by(server);
    Resolver resolver(memory, by.options);
    auto both = [&]() -> Task<void> { return body(resolver, server); };
    co_await while_serving(both, server);
}

Task<void> write_text(const char* path, std::string_view contents) {
    auto file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of(contents));
    co_await file.close();
}

// Runs in a simulated world, where time is exact.
template <class Body>
void simulated(Body body) {
    ringlet::testing::Simulation simulation;
    EXPECT_EQ(simulation.run<case_limits>(body), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

}  // namespace

RINGLET_CASE(DnsResolver, finds_addresses_of_both_kinds_and_follows_aliases) {
    co_await with_resolver(storage, [](Resolver& resolver, FakeServer& server) -> Task<void> {
        co_await expect_addresses(resolver, "host.example", "2001:db8::1 192.0.2.1 192.0.2.2 ");
        co_await expect_addresses(resolver, "four.example.", "192.0.2.4 ");
        co_await expect_addresses(resolver, "alias.example", "192.0.2.5 ");
        EXPECT_EQ(resolver.questions(), 6u);
        EXPECT_EQ(server.questions(), 6u);
    });
}

RINGLET_CASE(DnsResolver, asks_only_for_the_kind_that_is_wanted) {
    co_await with_resolver(storage, [](Resolver& resolver, FakeServer& server) -> Task<void> {
        co_await expect_addresses(resolver, "host.example", "2001:db8::1 ", Family::v6);
        co_await expect_addresses(resolver, "host.example", "192.0.2.1 192.0.2.2 ", Family::v4);
        co_await expect_failure(resolver, "four.example", Detail::no_address, Family::v6);
        EXPECT_EQ(server.questions(), 3u);
    });
}

RINGLET_CASE(DnsResolver, tells_the_answers_no_name_and_no_address_from_failures) {
    co_await with_resolver(storage, [](Resolver& resolver, FakeServer&) -> Task<void> {
        co_await expect_failure(resolver, "nobody.example", Detail::not_found);
        co_await expect_failure(resolver, "nothing.example", Detail::no_address);
        EXPECT_EQ(resolver.questions(), 4u) << "a last word is not asked for twice";
        co_await expect_failure(resolver, "failing.example", Detail::server_failure);
        co_await expect_failure(resolver, "refused.example", Detail::refused);
        co_await expect_failure(resolver, "format.example", Detail::not_understood);
        co_await expect_failure(resolver, "malformed.example", Detail::malformed);
        EXPECT_EQ(resolver.questions(), 4u + 4 * 4) << "two kinds, two attempts each";
    });
}

RINGLET_CASE(DnsResolver, asks_the_next_server_after_a_failure) {
    auto first = co_await FakeServer::open(script);
    auto second = co_await FakeServer::open(second_script);
    const ServedBy by(first, second);
    Resolver resolver(storage, by.options);
    auto body = [&]() -> Task<void> {
        co_await expect_addresses(resolver, "failing.example", "198.51.100.1 ");
        co_await expect_addresses(resolver, "refused.example", "198.51.100.2 ");
        co_await expect_addresses(resolver, "malformed.example", "198.51.100.3 ");
        co_await expect_addresses(resolver, "cut.example", "198.51.100.5 ", Family::v4);
        co_await expect_addresses(resolver, "wrong.example", "198.51.100.6 ", Family::v4);
        co_await expect_addresses(resolver, "empty.example", "198.51.100.7 ", Family::v4);
        EXPECT_EQ(first.tcp_questions(), 3u);
    };
    co_await while_serving(body, first, second);
}

RINGLET_CASE(DnsResolver, begins_at_another_server_each_time_if_told_to) {
    auto first = co_await FakeServer::open(script);
    auto second = co_await FakeServer::open(second_script);
    ServedBy by(first, second);
    by.options.rotate = true;
    Resolver resolver(small_storage, by.options);
    auto body = [&]() -> Task<void> {
        co_await expect_addresses(resolver, "host.example", "192.0.2.1 192.0.2.2 ", Family::v4);
        co_await expect_addresses(resolver, "host.example", "198.51.100.8 ", Family::v4);
        co_await expect_addresses(resolver, "host.example", "192.0.2.1 192.0.2.2 ", Family::v4);
    };
    co_await while_serving(body, first, second);
}

RINGLET_CASE(DnsResolver, ignores_answers_that_do_not_match) {
    co_await with_resolver(storage, [](Resolver& resolver, FakeServer&) -> Task<void> {
        co_await expect_addresses(resolver, "forged.example", "192.0.2.6 ");
        co_await expect_addresses(resolver, "other.example", "192.0.2.7 ");
        EXPECT_EQ(resolver.questions(), 4u);
    });
}

RINGLET_CASE(DnsResolver, asks_over_tcp_what_does_not_fit_a_datagram) {
    co_await with_resolver(storage, [](Resolver& resolver, FakeServer& server) -> Task<void> {
        const auto found = co_await resolver.resolve("many.example", Family::v4);
        EXPECT_EQ(found.size(), addresses_max);
        EXPECT_EQ(server.tcp_questions(), 1u);
    });
}

RINGLET_CASE(DnsResolver, refuses_an_answer_that_is_longer_than_its_limit) {
    auto body = [](Resolver& resolver, FakeServer& server) -> Task<void> {
        co_await expect_failure(resolver, "many.example", Detail::too_long, Family::v4);
        co_await expect_failure(resolver, "big.example", Detail::too_long, Family::v4);
        EXPECT_EQ(server.tcp_questions(), 2u) << "two attempts at the first";
    };
    co_await with_resolver(small_storage, body);
}

RINGLET_CASE(DnsResolver, serves_more_tasks_at_once_than_it_may_have_questions) {
    co_await with_resolver(small_storage, [](Resolver& resolver, FakeServer&) -> Task<void> {
        co_await gather(
            expect_addresses(resolver, "host.example", "2001:db8::1 192.0.2.1 192.0.2.2 "),
            expect_addresses(resolver, "four.example", "192.0.2.4 "),
            expect_addresses(resolver, "alias.example", "192.0.2.5 "),
            expect_failure(resolver, "nobody.example", Detail::not_found));
    });
}

RINGLET_CASE(DnsResolver, needs_no_server_for_literals_and_localhost) {
    Options options;
    options.resolv_conf = options.hosts = nullptr;
    Resolver resolver(storage, options);
    co_await expect_addresses(resolver, "192.0.2.1", "192.0.2.1 ");
    co_await expect_addresses(resolver, "2001:db8::1", "2001:db8::1 ");
    co_await expect_addresses(resolver, "localhost", "::1 127.0.0.1 ");
    co_await expect_addresses(resolver, "app.localhost.", "127.0.0.1 ", Family::v4);
    co_await expect_failure(resolver, "192.0.2.1", Detail::no_address, Family::v6);
    co_await expect_failure(resolver, "host.example", Detail::no_servers);
    co_await expect_failure(resolver, "host example", Detail::name_characters);
    co_await expect_failure(resolver, "", Detail::name_shape);
    EXPECT_EQ(resolver.questions(), 0u);
}

RINGLET_CASE(DnsResolver, reads_its_files_and_lets_hosts_win) {
    const auto folder = co_await make_test_folder();
    const auto resolv_conf = folder / "resolv.conf";
    const auto hosts = folder / "hosts";
    co_await write_text(resolv_conf,
                        "# by hand\nnameserver 192.0.2.53\nnameserver nonsense\n"
                        "search search.example\noptions timeout:3 attempts:1\n");
    co_await write_text(hosts, "127.0.0.1 localhost\n192.0.2.100 Host.example gate\n"
                               "2001:db8::100 gate\n");
    auto server = co_await FakeServer::open(script);
    ServedBy by(server);
    by.options.resolv_conf = resolv_conf;
    by.options.hosts = hosts;
    Resolver resolver(storage, by.options);
    auto body = [&]() -> Task<void> {
        co_await resolver.load();
        EXPECT_EQ(resolver.config().attempts, 1u);
        EXPECT_EQ(resolver.config().timeout, Nanoseconds(3s));
        EXPECT_EQ(resolver.config().servers(), 1u);
        EXPECT_NE(port_of(resolver.config().server(0)), dns_port) << "ours, not the file's";
        co_await expect_addresses(resolver, "host.EXAMPLE", "192.0.2.100 ");
        co_await expect_addresses(resolver, "gate", "2001:db8::100 192.0.2.100 ");
        EXPECT_EQ(resolver.questions(), 0u);
        co_await expect_addresses(resolver, "host", "192.0.2.10 ");
        EXPECT_EQ(resolver.questions(), 2u);
        co_await expect_addresses(resolver, "host.example", "2001:db8::1 ", Family::v6);
        co_await write_text(hosts, "192.0.2.101 gate\n");
        co_await resolver.load();
        co_await expect_addresses(resolver, "gate", "192.0.2.101 ");
    };
    co_await while_serving(body, server);
}

RINGLET_CASE(DnsResolver, files_that_are_missing_say_nothing_and_big_ones_are_bounded) {
    const auto folder = co_await make_test_folder();
    const auto resolv_conf = folder / "resolv.conf";
    const auto hosts = folder / "hosts";
    Options options;
    options.resolv_conf = resolv_conf;
    options.hosts = hosts;
    Resolver resolver(small_storage, options);
    co_await resolver.load();
    EXPECT_EQ(resolver.config().servers(), 1u);
    EXPECT_STREQ(text(resolver.config().server(0)).c_str(), "127.0.0.1:53");
    static std::array<char, 1500> long_line;
    long_line.fill('x');
    long_line.back() = '\n';
    auto file = co_await File::open(hosts, OpenMode::replace);
    co_await file.write_all(bytes_of("192.0.2.1 one\n"));
    co_await file.write_all(bytes_of({long_line.data(), long_line.size()}));
    co_await file.write_all(bytes_of("192.0.2.2 two\n192.0.2.3 three\n"));
    co_await file.close();
    co_await resolver.load();
    EXPECT_EQ(resolver.hosts().size(), 2u);
    EXPECT_EQ(resolver.hosts().left_out(), 1u);
    co_await expect_addresses(resolver, "two", "192.0.2.2 ");
    Options unreadable;
    unreadable.resolv_conf = folder.root();
    Resolver other(storage, unreadable);
    const auto loaded = co_await attempt(other.load());
    EXPECT_EQ(support::error_of(loaded), std::errc::is_a_directory);
}

RINGLET_CASE(DnsResolver, lookup_waits_until_the_hosts_file_has_been_read) {
    const auto folder = co_await make_test_folder();
    const auto hosts = folder / "hosts";
    co_await write_text(hosts, "192.0.2.1 gate\n");
    Options options;
    options.resolv_conf = nullptr;
    options.hosts = hosts;
    Resolver resolver(storage, options);
    co_await gather(resolver.load(), resolver.load(),
                    expect_addresses(resolver, "gate", "192.0.2.1 "));
}

TEST(DnsResolver, silence_is_an_error_after_every_attempt_at_every_server) {
    simulated([]() -> Task<void> {
        auto first = co_await FakeServer::open(script);
        auto second = co_await FakeServer::open(script);
        ServedBy by(first, second);
        by.options.timeout = 2s;
        by.options.attempts = 3;
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            const Instant start = scheduler().now();
            co_await expect_failure(resolver, "silent.example", Detail::no_answer);
            EXPECT_EQ(scheduler().now() - start, Nanoseconds(2s * 3 * 2).count());
            EXPECT_EQ(first.questions(), 6u);
            EXPECT_EQ(second.questions(), 6u);
            co_await expect_failure(resolver, "garbage.example", Detail::no_answer, Family::v4);
            EXPECT_EQ(scheduler().now() - start, Nanoseconds(2s * 3 * 2 * 2).count());
        };
        co_await while_serving(body, first, second);
    });
}

TEST(DnsResolver, second_server_is_asked_when_the_first_is_silent) {
    simulated([]() -> Task<void> {
        auto first = co_await FakeServer::open(script);
        auto second = co_await FakeServer::open(second_script);
        const ServedBy by(first, second);
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            const Instant start = scheduler().now();
            co_await expect_addresses(resolver, "silent.example", "198.51.100.4 ");
            EXPECT_EQ(scheduler().now() - start, Nanoseconds(5s).count());
        };
        co_await while_serving(body, first, second);
    });
}

TEST(DnsResolver, late_answer_counts_within_the_time_limit_only) {
    simulated([]() -> Task<void> {
        auto server = co_await FakeServer::open(script);
        ServedBy by(server);
        by.options.timeout = 41ms;
        {
            Resolver resolver(storage, by.options);
            auto body = [&]() -> Task<void> {
                co_await expect_addresses(resolver, "late.example", "192.0.2.9 ");
            };
            co_await while_serving(body, server);
        }
        by.options.timeout = 39ms;
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            co_await expect_failure(resolver, "late.example", Detail::no_answer);
        };
        co_await while_serving(body, server);
    });
}

TEST(DnsResolver, one_silence_does_not_hide_an_answer_for_the_other_kind) {
    static constexpr Scripted half[] = {
        {.name = "half.example", .addresses = {"192.0.2.1"}, .delay_v6 = 1h}};
    simulated([]() -> Task<void> {
        auto server = co_await FakeServer::open(half);
        const ServedBy by(server);
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            co_await expect_addresses(resolver, "half.example", "192.0.2.1 ");
        };
        co_await while_serving(body, server);
    });
}

TEST(DnsResolver, answer_is_remembered_for_its_time_to_live) {
    simulated([]() -> Task<void> {
        co_await with_resolver(storage, [](Resolver& resolver, FakeServer& server) -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                co_await expect_addresses(resolver, "host.example", "192.0.2.1 192.0.2.2 ",
                                          Family::v4);
                co_await expect_addresses(resolver, "HOST.example.", "2001:db8::1 ", Family::v6);
            }
            EXPECT_EQ(server.questions(), 2u);
            co_await sleep(59s);
            co_await expect_addresses(resolver, "host.example", "2001:db8::1 ", Family::v6);
            EXPECT_EQ(server.questions(), 2u);
            co_await sleep(1s);
            co_await expect_addresses(resolver, "host.example", "2001:db8::1 ", Family::v6);
            EXPECT_EQ(server.questions(), 3u);
            resolver.clear_cache();
            co_await expect_addresses(resolver, "host.example", "2001:db8::1 ", Family::v6);
            EXPECT_EQ(server.questions(), 4u);
            for (int i = 0; i < 2; ++i) {
                co_await expect_addresses(resolver, "zero.example", "192.0.2.9 ", Family::v4);
            }
            EXPECT_EQ(server.questions(), 6u) << "a time to live of 0 is for this once";
        });
    });
}

TEST(DnsResolver, that_a_host_has_no_such_address_is_remembered_for_a_while) {
    simulated([]() -> Task<void> {
        co_await with_resolver(storage, [](Resolver& resolver, FakeServer& server) -> Task<void> {
            for (int i = 0; i < 2; ++i) {
                co_await expect_addresses(resolver, "four.example", "192.0.2.4 ");
                EXPECT_EQ(server.questions(), 2u);
                co_await expect_failure(resolver, "four.example", Detail::no_address, Family::v6);
                EXPECT_EQ(server.questions(), 2u);
            }
            co_await sleep(30s - 1ns);
            co_await expect_failure(resolver, "four.example", Detail::no_address, Family::v6);
            EXPECT_EQ(server.questions(), 2u);
            co_await sleep(1ns);
            co_await expect_failure(resolver, "four.example", Detail::no_address, Family::v6);
            EXPECT_EQ(server.questions(), 3u);
            co_await expect_failure(resolver, "nobody.example", Detail::not_found, Family::v4);
            co_await expect_failure(resolver, "nobody.example", Detail::not_found, Family::v4);
            EXPECT_EQ(server.questions(), 5u) << "a name may come into being";
        });
        auto server = co_await FakeServer::open(script);
        ServedBy by(server);
        by.options.cache_time_max = std::chrono::seconds::zero();
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            for (int i = 0; i < 2; ++i) {
                co_await expect_failure(resolver, "four.example", Detail::no_address, Family::v6);
            }
            EXPECT_EQ(server.questions(), 2u);
        };
        co_await while_serving(body, server);
    });
}

// An answer that was asked for before, of a server that is perhaps not ours any more.
TEST(DnsResolver, answer_to_an_older_configuration_is_not_remembered) {
    simulated([]() -> Task<void> {
        const auto folder = co_await make_test_folder();
        const auto resolv_conf = folder / "resolv.conf";
        auto server = co_await FakeServer::open(script);
        ServedBy by(server);
        by.options.resolv_conf = resolv_conf;
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            auto load = [&]() -> Task<void> {
                co_await sleep(10ms);  // the answer takes 40
                co_await resolver.load();
            };
            auto clear = [&]() -> Task<void> {
                co_await sleep(10ms);
                resolver.clear_cache();
            };
            auto ask = [&] {
                return expect_addresses(resolver, "late.example", "192.0.2.9 ", Family::v4);
            };
            co_await gather(load(), ask());
            EXPECT_EQ(resolver.questions(), 1u);
            co_await gather(clear(), ask());
            EXPECT_EQ(resolver.questions(), 2u);
            co_await ask();
            co_await ask();
            EXPECT_EQ(resolver.questions(), 3u);
        };
        co_await while_serving(body, server);
    });
}

TEST(DnsResolver, hosts_stay_known_when_their_file_cannot_be_opened) {
    simulated([]() -> Task<void> {
        const auto folder = co_await make_test_folder();
        const auto hosts = folder / "hosts";
        co_await write_text(hosts, "192.0.2.1 gate\n");
        Options options;
        options.resolv_conf = nullptr;
        options.hosts = hosts;
        Resolver resolver(storage, options);
        co_await resolver.load();
        {
            const FullDescriptors full;
            const auto loaded = co_await attempt(resolver.load());
            expect_descriptor_limit(support::error_of(loaded));
        }
        EXPECT_EQ(resolver.hosts().size(), 1u);
        co_await expect_addresses(resolver, "gate", "192.0.2.1 ");
        co_await remove_file(hosts);
        co_await resolver.load();
        EXPECT_EQ(resolver.hosts().size(), 0u) << "a file that is not there says nothing";
    });
}

TEST(DnsResolver, questions_have_different_ids) {
    simulated([]() -> Task<void> {
        std::array<std::byte, 512> buffer;
        std::array<unsigned, 8> ids{};
        auto socket = co_await UdpSocket::bind(loopback_address(0));
        const std::array servers{co_await socket.local_address()};
        Options options;
        options.resolv_conf = options.hosts = nullptr;
        options.servers = servers;
        options.attempts = ids.size();
        options.timeout = 1ms;
        Resolver resolver(storage, options);
        auto listen = [&]() -> Task<void> {
            for (unsigned& id : ids) {
                (void)co_await socket.receive(buffer);
                id = std::to_integer<unsigned>(buffer[0]) << 8 |
                     std::to_integer<unsigned>(buffer[1]);
            }
        };
        co_await gather(listen(),
                        expect_failure(resolver, "host.example", Detail::no_answer, Family::v4));
        std::ranges::sort(ids);
        EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
    });
}

TEST(DnsResolver, search_goes_on_after_an_answer_but_not_after_silence) {
    static constexpr std::string_view domains[] = {"silent.test", "search.example"};
    static constexpr Scripted searched[] = {
        {.name = "quiet.silent.test", .reply = Reply::silence},
        {.name = "broken.silent.test", .reply = Reply::server_failure},
        {.name = "broken.search.example", .addresses = {"192.0.2.1"}},
        {.name = "quiet.search.example", .addresses = {"192.0.2.1"}}};
    simulated([]() -> Task<void> {
        auto server = co_await FakeServer::open(searched);
        ServedBy by(server);
        by.options.search = domains;
        Resolver resolver(storage, by.options);
        auto body = [&]() -> Task<void> {
            co_await expect_addresses(resolver, "broken", "192.0.2.1 ");
            co_await expect_failure(resolver, "quiet", Detail::no_answer);
            co_await expect_failure(resolver, "nobody", Detail::not_found);
        };
        co_await while_serving(body, server);
    });
}

TEST(DnsResolver, our_own_bounds_are_told_at_once) {
    simulated([]() -> Task<void> {
        auto server = co_await FakeServer::open(script);
        const ServedBy by(server);
        Resolver resolver(storage, by.options);
        {
            const FullDescriptors full;
            const auto found = co_await attempt(resolver.resolve("host.example"));
            expect_descriptor_limit(support::error_of(found));
        }
        EXPECT_EQ(resolver.questions(), 2u);
    });
}

TEST(DnsResolver, server_where_nobody_listens_is_refused_without_waiting) {
    simulated([]() -> Task<void> {
        auto second = co_await FakeServer::open(script);
        const std::array servers{loopback_address(9), second.address()};
        Options options;
        options.resolv_conf = options.hosts = nullptr;
        options.servers = servers;
        Resolver resolver(storage, options);
        auto body = [&]() -> Task<void> {
            const Instant start = scheduler().now();
            co_await expect_addresses(resolver, "four.example", "192.0.2.4 ");
            EXPECT_EQ(scheduler().now(), start);
        };
        co_await while_serving(body, second);
    });
}

TEST(DnsResolver, several_lookups_fit_the_runtimes_default_limits) {
    ringlet::testing::Simulation simulation;
    const int status = simulation.run<ringlet::Limits{}>([]() -> Task<void> {
        co_await with_resolver(storage, [](Resolver& resolver, FakeServer&) -> Task<void> {
            co_await gather(expect_addresses(resolver, "four.example", "192.0.2.4 "),
                            expect_addresses(resolver, "alias.example", "192.0.2.5 "),
                            expect_addresses(resolver, "late.example", "192.0.2.9 "));
        });
    });
    EXPECT_EQ(status, 0) << simulation.log();
}

TEST(DnsResolver, no_frame_of_it_takes_more_than_2_KiB) {
    static constexpr ringlet::Limits narrow{
        .frames = {{128, 64}, {256, 64}, {512, 64}, {1024, 16}, {2048, 8}}};
    ringlet::testing::Simulation simulation;
    const int status = simulation.run<narrow>([]() -> Task<void> {
        static Storage<dns::Limits{}> own;
        Options options;
        options.hosts = nullptr;
        options.attempts = 1;
        static std::optional<Resolver> resolver;
        resolver.emplace(own, options);
        co_await resolver->load();
        const auto found = co_await attempt(resolver->resolve("host.example"));
        EXPECT_EQ(support::error_of(found), std::errc::connection_refused);
        const auto connected = co_await attempt(connect(*resolver, "localhost", 80));
        EXPECT_EQ(support::error_of(connected), std::errc::connection_refused);
        resolver.reset();
    });
    EXPECT_EQ(status, 0) << simulation.log();
}
