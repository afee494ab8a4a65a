// P20, fetch: a session that asks many things of a server.
#include <http/fake_server.hpp>

#include <ringlet/sync/semaphore.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;

namespace {

constexpr unsigned urls = 100;
constexpr unsigned concurrency = 10;
constexpr http::Limits session_limits{.connections = concurrency,
                                      .connections_per_host = concurrency,
                                      .url_bytes = 128,
                                      .header_bytes = 512,
                                      .buffer_bytes = 512};
http::Storage<session_limits> session_storage;

// A small site.
Task<void> site(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        const std::string_view path = peer.path();
        if (path == "/echo") {
            co_await peer.answer(peer.body(), 201, "Content-Type: application/json\r\n");
        } else if (path == "/chunks") {
            co_await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\none\r\n4\r\n two\r\n0\r\n\r\n");
        } else if (path == "/moved") {
            co_await peer.answer("", 301, "Location: chunks\r\n");
        } else if (path == "/missing") {
            co_await peer.answer("none", 404);
        } else if (path == "/broken") {
            co_return co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        } else {
            co_await sleep(1ms);
            co_await peer.answer(path);
        }
    }
}

template <class Body>
Task<void> with_site(Body& body) {
    co_await with_server(site, body, {}, session_storage);
    co_await expect_open_descriptors(0);
}

}  // namespace

RINGLET_CASE_UNCUT(P20Http, a_hundred_urls_at_a_concurrency_of_ten) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        Semaphore turns(concurrency);
        unsigned inside = 0;
        unsigned inside_max = 0;
        unsigned right = 0;
        auto fetch = [&](unsigned number) -> Task<void> {
            const auto permit = co_await turns.acquire();
            inside_max = std::max(inside_max, ++inside);
            char path[16];
            std::snprintf(path, sizeof path, "/%u", number);
            const auto url = server.url(path);
            auto response = co_await client.send({.url = url, .require_success = true});
            std::array<std::byte, 16> room;
            const auto text = co_await read_text(response, room);
            right += text == path ? 1 : 0;
            --inside;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (unsigned i = 0; i < urls; ++i)
                (void)group.spawn(std::ref(fetch), i);
            co_return;
        });
        EXPECT_EQ(right, urls);
        EXPECT_EQ(inside_max, concurrency);
        EXPECT_LE(client.counters().opened, concurrency);
        EXPECT_EQ(client.counters().reused + client.counters().opened, urls);
        EXPECT_EQ(client.counters().connections_max, concurrency);
    };
    co_await with_site(body);
}

RINGLET_CASE_UNCUT(P20Http, the_pool_alone_bounds_a_hundred_requests) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        unsigned right = 0;
        auto fetch = [&]() -> Task<void> {
            const auto url = server.url("/x");
            auto response = co_await client.get(url);
            std::array<std::byte, 16> room;
            const auto text = co_await read_text(response, room);
            right += text == "/x" ? 1 : 0;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (unsigned i = 0; i < urls; ++i)
                (void)group.spawn(std::ref(fetch));
            co_return;
        });
        EXPECT_EQ(right, urls);
        EXPECT_EQ(client.counters().waiting_max, urls - concurrency);
        EXPECT_LE(server.accepted(), concurrency);
    };
    co_await with_site(body);
}

RINGLET_CASE_UNCUT(P20Http, one_session_does_all_that_is_asked_over_one_connection) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        std::array<std::byte, 64> room;
        {
            const auto url = server.url("/echo");
            auto response = co_await client.post_json(url, "{\"a\":1}");
            EXPECT_EQ(response.status(), 201u);
            EXPECT_EQ(response.header("content-type").value_or("?"), "application/json");
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "{\"a\":1}");
        }
        {
            const auto url = server.url("/moved");
            auto response = co_await client.get(url);
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "one two");
            EXPECT_TRUE(response.url().ends_with("/chunks"));
        }
        {
            const auto url = server.url("/missing");
            auto response = co_await client.get(url);
            EXPECT_EQ(response.status(), 404u);
        }
        EXPECT_EQ(client.counters().opened, 1u);
    };
    co_await with_site(body);
}

// What a caller decides by: the status, a dead connection, and a bound are three things.
RINGLET_CASE(P20Http, failures_are_told_apart) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        auto get = [&](std::string_view path, bool success) -> Task<void> {
            const auto url = server.url(path);
            auto response = co_await client.send({.url = url, .require_success = success});
            std::array<std::byte, 6> room;
            co_await response.read_all(room);
        };
        const auto missing = co_await attempt(get("/missing", true));
        EXPECT_EQ(http::kind_of(error_of(missing)), http::Kind::status);
        EXPECT_EQ(http::status_of(missing.error()), 404u);
        const auto long_one = co_await attempt(get("/chunks", true));
        EXPECT_EQ(http::kind_of(error_of(long_one)), http::Kind::limit);
        const auto broken = co_await attempt(get("/broken", true));
        EXPECT_EQ(http::kind_of(error_of(broken)), http::Kind::limit);  // told before it breaks
        const auto found = co_await attempt(get("/found", true));
        EXPECT_TRUE(found.has_value());
    };
    co_await with_site(body);
}
