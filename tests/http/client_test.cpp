// Requests and responses, as they should go.
#include <http/fake_server.hpp>

#include <ringlet/flow/timeout.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;
using http::Response;

namespace {

// Answers every request with what was asked.
Task<void> echo(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer(peer.what());
    }
}

// Gives what was heard back as the body.
Task<void> mirror(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer(peer.request());
    }
}

}  // namespace

RINGLET_CASE(HttpClient, gets_a_page) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/a?b=c");
        auto response = co_await client.get(url);
        EXPECT_EQ(response.status(), 200u);
        EXPECT_TRUE(response.is_success());
        EXPECT_EQ(response.content_length().value_or(0), 10u);
        EXPECT_EQ(response.header("content-LENGTH").value_or(""), "10");
        EXPECT_FALSE(response.header("x").has_value());
        EXPECT_EQ(response.url(), std::string_view(url));
        EXPECT_FALSE(response.has_ended());
        std::array<std::byte, 10> room;  // exactly enough
        const auto text = co_await read_text(response, room);
        EXPECT_EQ(text, "GET /a?b=c");
        EXPECT_TRUE(response.has_ended());
    };
    co_await with_server(echo, body);
    co_await expect_open_descriptors(0);
}

RINGLET_CASE(HttpClient, sends_what_a_server_expects) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("");
        auto response = co_await client.get(url);
        std::array<std::byte, 512> room;
        const auto heard = co_await read_text(response, room);
        char expected[256];
        std::snprintf(expected, sizeof expected,
                      "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: tester\r\n"
                      "Accept-Encoding: identity\r\n\r\n",
                      server.port());
        EXPECT_EQ(heard, expected);
    };
    co_await with_server(mirror, body, {.user_agent = "tester"});
}

RINGLET_CASE(HttpClient, sends_headers_and_lets_them_stand_for_its_own) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/x");
        const http::Header headers[] = {
            {"hOST", "device"}, {"User-agent", "me"}, {"accept-encoding", "gzip"}, {"X", ""}};
        auto response = co_await client.send({.url = url, .headers = headers});
        std::array<std::byte, 512> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_EQ(heard, "GET /x HTTP/1.1\r\nhOST: device\r\nUser-agent: me\r\n"
                         "accept-encoding: gzip\r\nX: \r\n\r\n");
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE(HttpClient, posts_json) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/in");
        auto response = co_await client.post_json(url, "{\"a\": 1}");
        std::array<std::byte, 512> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_TRUE(heard.starts_with("POST /in HTTP/1.1\r\n")) << heard;
        EXPECT_TRUE(heard.contains("\r\nContent-Type: application/json\r\n"
                                   "Content-Length: 8\r\n\r\n{\"a\": 1}"))
            << heard;
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE_UNCUT(HttpClient, has_a_method_for_each_purpose) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/x");
        std::array<std::byte, 512> room;
        {
            auto response = co_await client.put(url, "new", "text/plain");
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.starts_with("PUT /x ") && heard.ends_with("\r\n\r\nnew")) << heard;
        }
        {
            auto response = co_await client.delete_(url);
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.starts_with("DELETE /x ") && !heard.contains("Length")) << heard;
        }
        {
            auto response = co_await client.post(url, {}, {});
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.contains("\r\nContent-Length: 0\r\n\r\n")) << heard;
        }
        for (const http::Method method : {http::Method::patch, http::Method::options}) {
            auto response = co_await client.send({.method = method, .url = url});
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.starts_with(http::name(method))) << heard;
        }
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE(HttpClient, asks_for_a_head_alone) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        EXPECT_TRUE(!asked || peer.what() == "HEAD /");
        co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        co_await echo(peer);
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        {
            auto response = co_await client.head(url);
            EXPECT_EQ(response.content_length().value_or(0), 1000u);
            std::array<std::byte, 1> room;
            const auto count = co_await response.read(room);
            EXPECT_EQ(count, 0u);
        }
        // The connection is as good as new.
        auto response = co_await client.get(url);
        EXPECT_EQ(client.counters().reused, 1u);
        EXPECT_EQ(client.counters().opened, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpClient, sends_a_long_body_whole) {
    static std::array<std::byte, 2000> bytes;
    bytes.fill(std::byte{'x'});
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/up");
        auto response = co_await client.post(url, std::span<const std::byte>(bytes), "a/b");
        std::array<std::byte, 2200> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_TRUE(heard.ends_with("xxxx"));
        EXPECT_EQ(heard.size() - heard.find("\r\n\r\n") - 4, bytes.size());
    };
    co_await with_server(mirror, body);
}

namespace {

// Gives its text in pieces.
class Pieces {
public:
    explicit Pieces(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
    Task<std::size_t> read(std::span<std::byte> into) {
        const std::size_t count = std::min({into.size(), piece_, text_.size()});
        std::memcpy(into.data(), text_.data(), count);
        text_.remove_prefix(count);
        co_return count;
    }

private:
    std::string_view text_;
    std::size_t piece_;
};

}  // namespace

RINGLET_CASE(HttpClient, streams_a_body_in_chunks) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/up");
        Pieces source("hello, world", 5);
        auto response = co_await client.post(url, http::Body::stream(source), "text/plain");
        std::array<std::byte, 512> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_TRUE(heard.ends_with("Transfer-Encoding: chunked\r\n\r\n"
                                    "00000005\r\nhello\r\n"
                                    "00000005\r\n, wor\r\n"
                                    "00000002\r\nld\r\n0\r\n\r\n"))
            << heard;
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE(HttpClient, streams_a_body_of_known_length) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/up");
        std::array<std::byte, 512> room;
        {
            Pieces source("hello, world", 5);  // longer than what is asked for
            auto response = co_await client.post(url, http::Body::stream(source, 9), "text/plain");
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.ends_with("Content-Length: 9\r\n\r\nhello, wo")) << heard;
        }
        Pieces source("hello", 5);
        const auto response =
            co_await attempt(client.post(url, http::Body::stream(source, 9), "text/plain"));
        expect_failure(error_of(response), http::Reason::body_length, http::Step::send);
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE(HttpClient, fails_as_the_source_of_a_body_does) {
    struct Broken {
        Task<std::size_t> read(std::span<std::byte>) {
            co_await fail(Error(std::errc::io_error, Domain::kernel));
            co_return 0;
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/up");
        Broken source;
        const auto response =
            co_await attempt(client.post(url, http::Body::stream(source), "text/plain"));
        EXPECT_EQ(error_of(response), Error(std::errc::io_error, Domain::kernel));
    };
    co_await with_server(mirror, body);
}

RINGLET_CASE(HttpClient, reads_a_body_piece_by_piece) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        co_await sleep(10ms);
        co_await peer.say("6\r\n world\r\n0\r\nA: b\r\n\r\n");
        co_await peer.wait_for_end();
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.get(url);
        EXPECT_FALSE(response.content_length().has_value());
        std::array<std::byte, 4> room;
        char all[32] = {};
        std::size_t size = 0;
        for (;;) {
            const std::size_t count = co_await response.read(room);
            if (count == 0) break;
            std::memcpy(all + size, room.data(), count);
            size += count;
        }
        EXPECT_STREQ(all, "hello world");
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpClient, goes_on_reading_after_a_time_limit_of_the_callers) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say_slowly("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 1000, 1ms);
        co_await peer.say_slowly("abcd", 1, 20ms);
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.get(url);
        char all[8] = {};
        std::size_t size = 0;
        while (!response.has_ended()) {
            std::array<std::byte, 4> room;
            const auto count = co_await attempt(timeout(7ms, response.read(room)));
            if (!count) {
                EXPECT_EQ(count.error(), Error(std::errc::timed_out, Domain::runtime));
                if (count.error() != std::errc::timed_out) co_return;
                continue;
            }
            std::memcpy(all + size, room.data(), *count);
            size += *count;
        }
        EXPECT_STREQ(all, "abcd");
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpClient, reads_to_the_end_of_an_old_servers_connection) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (asked) co_await peer.say("HTTP/1.0 200 OK\r\n\r\nall of it");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        {
            auto response = co_await client.get(url);
            std::array<std::byte, 64> room;
            const auto all = co_await read_text(response, room);
            EXPECT_EQ(all, "all of it");
        }
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpClient, passes_over_interim_responses) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 100 Continue\r\n\r\n");
        co_await sleep(1ms);
        co_await peer.say(
            "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        co_await echo(peer);
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        {
            auto response = co_await client.get(url);
            EXPECT_EQ(response.status(), 204u);
            EXPECT_TRUE(response.has_ended());
            EXPECT_FALSE(response.header("a").has_value());
        }
        auto response = co_await client.get(url);
        EXPECT_EQ(response.status(), 200u);
        EXPECT_EQ(client.counters().opened, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpClient, tells_statuses_from_failures) {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            co_await peer.answer("no such thing", 404);
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        {
            auto response = co_await client.get(url);
            EXPECT_EQ(response.status(), 404u);
            EXPECT_FALSE(response.is_success());
        }
        const auto failed = co_await attempt(client.send({.url = url, .require_success = true}));
        const Error error = error_of(failed);
        EXPECT_EQ(http::kind_of(error), http::Kind::status);
        EXPECT_EQ(http::status_of(error), 404u);
        EXPECT_STREQ(text(error), "the server answered 404: not found");
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpClient, holds_several_responses_side_by_side) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto first_url = server.url("/1");
        const auto second_url = server.url("/2");
        auto first = co_await client.get(first_url);
        auto second = co_await client.get(second_url);
        std::array<std::byte, 16> room;
        const auto two = co_await read_text(second, room);
        EXPECT_EQ(two, "GET /2");
        const auto one = co_await read_text(first, room);
        EXPECT_EQ(one, "GET /1");
        EXPECT_EQ(first.url(), std::string_view(first_url));
        EXPECT_EQ(client.open_connections(), 2u);
        first.release();
        EXPECT_EQ(client.idle_connections(), 1u);
        first = std::move(second);
        EXPECT_EQ(first.url(), std::string_view(second_url));
    };
    co_await with_server(echo, body);
}

RINGLET_CASE_UNCUT(HttpClient, reaches_servers_by_version_6_and_as_localhost) {
    auto listener = co_await TcpListener::listen(loopback_address_v6(0));
    const auto address = co_await listener.local_address();
    auto serve = [](TcpListener& on) -> Task<void> {
        Peer peer(co_await on.accept(), 1);
        co_await mirror(peer);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        Client client(small_storage);
        (void)group.spawn(std::ref(serve), std::ref(listener));
        char url[64];
        std::snprintf(url, sizeof url, "http://[::1]:%u/", port_of(address));
        auto response = co_await client.get(url);
        std::array<std::byte, 512> room;
        const auto heard = co_await read_text(response, room);
        char host[64];
        std::snprintf(host, sizeof host, "\r\nHost: [::1]:%u\r\n", port_of(address));
        EXPECT_TRUE(heard.contains(host)) << heard;
    });
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/", "LOCALHOST");
        const auto refused = co_await attempt(client.get(url));
        EXPECT_FALSE(refused.has_value());  // names are matched as they are written
        const auto lower = server.url("/", "localhost");
        const auto response = co_await client.get(lower);
        EXPECT_EQ(response.status(), 200u);
    };
    co_await with_server(echo, body);
}

RINGLET_CASE_UNCUT(HttpClient, has_a_storage_for_one_client_after_another) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto response = co_await client.get(url);
        EXPECT_EQ(client.counters().opened, 1u);
    };
    for (int i = 0; i < 3; ++i)
        co_await with_server(echo, body);
    co_await expect_open_descriptors(0);
}

TEST(HttpClient, works_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const ringlet::testing::SimulationOptions options{
            .seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true};
        run_simulated(HttpClient_gets_a_page, options);
        run_simulated(HttpClient_reads_a_body_piece_by_piece, options);
        run_simulated(HttpClient_streams_a_body_in_chunks, options);
        run_simulated(HttpClient_sends_a_long_body_whole, options);
    }
}

TEST(HttpClientDeathTest, outlives_its_responses) {
    const auto outlive = [] {
        const auto body = []() -> Task<void> {
            auto listener = co_await TcpListener::listen(loopback_address(0));
            const auto address = co_await listener.local_address();
            std::optional<Client> client(std::in_place, small_storage);
            char url[64];
            std::snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_of(address));
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                auto serve = [](TcpListener& on) -> Task<void> {
                    Peer peer(co_await on.accept(), 1);
                    co_await echo(peer);
                };
                (void)group.spawn(std::ref(serve), std::ref(listener));
                const auto response = co_await client->get(url);
                client.reset();
            });
        };
        ringlet::testing::Simulation simulation;
        simulation.run<case_limits>(body);
    };
    EXPECT_DEATH(outlive(), "leased");
}
