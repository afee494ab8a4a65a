// What servers and networks do wrong, and what the client says about it.
#include <conformance/pool_hog.hpp>
#include <http/fake_server.hpp>

#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/udp.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/task/yield.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;
using http::Kind;
using http::Reason;
using http::Response;

namespace {

// A case of one page: what the server says to every request before it closes, and how the client
// fares.
struct Page {
    std::string_view said;
    Reason reason;
    http::Step step;
};

// Gets the URL and reads the body.
Task<void> get_all(Client& client, std::string_view url) {
    auto response = co_await client.get(url);
    std::array<std::byte, 64> room;
    co_await response.read_all(room);
}

Task<void> expect_page_fails(const Page& page) {
    auto script = [&](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (asked) co_await peer.say(page.said);
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto done = co_await attempt(get_all(client, url));
        expect_failure(error_of(done), page.reason, page.step);
        // Only a response that was whole, and too long, leaves a connection that can be used.
        EXPECT_LE(client.open_connections(), page.reason == Reason::body_bytes ? 1u : 0u);
    };
    co_await with_server(script, body);
}

constexpr Page pages[] = {
    {"", Reason::closed_early, http::Step::head},
    {"HTTP/1.1 200 OK\r\nContent-", Reason::closed_early, http::Step::head},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Reason::closed_early, http::Step::body},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Reason::closed_early,
     http::Step::body},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Reason::closed_early,
     http::Step::body},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n", Reason::malformed,
     http::Step::body},
    {"\x16\x03\x01\x02 this is TLS", Reason::malformed, http::Step::head},
    {"SSH-2.0-server\r\n", Reason::malformed, http::Step::head},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     Reason::malformed, http::Step::head},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", Reason::encoding, http::Step::head},
    {"HTTP/1.1 101 Changing\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Reason::upgrade,
     http::Step::head},
    {"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", Reason::body_bytes, http::Step::body},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "41\r\n01234567890123456789012345678901234567890123456789012345678901234\r\n0\r\n\r\n",
     Reason::body_bytes, http::Step::body},
    {"HTTP/1.1 200 OK\r\n\r\n01234567890123456789012345678901234567890123456789012345678901234",
     Reason::body_bytes, http::Step::body},
};

}  // namespace

RINGLET_CASE_UNCUT(HttpFaults, are_told_by_reason_and_step) {
    for (const Page& page : pages) {
        {
            const Unsealed open;
            SCOPED_TRACE(page.said);
        }
        co_await expect_page_fails(page);
    }
    co_await expect_open_descriptors(0);
}

RINGLET_CASE(HttpFaults, of_a_body_that_ends_too_early_leave_nothing_behind) {
    co_await expect_page_fails(pages[2]);
    co_await expect_open_descriptors(0);
}

RINGLET_CASE_UNCUT(HttpFaults, bodies_as_long_as_the_limit_are_none) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool first = co_await peer.hear();
        EXPECT_TRUE(first);
        co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n01234567");
        const bool second = co_await peer.hear();
        EXPECT_TRUE(second);
        co_await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "8\r\n01234567\r\n0\r\n\r\n");
        const bool third = co_await peer.hear();
        EXPECT_TRUE(third);
        co_await peer.say("HTTP/1.1 200 OK\r\n\r\n01234567");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        for (int i = 0; i < 3; ++i) {
            auto response = co_await client.send({.url = url, .body_bytes_max = 8});
            std::array<std::byte, 100> room;
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "01234567");
        }
        EXPECT_EQ(client.counters().opened, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpFaults, a_body_over_its_requests_limit_is_one_also_when_streamed) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (asked) co_await peer.say("HTTP/1.1 200 OK\r\n\r\n012345678");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.send({.url = url, .body_bytes_max = 8});
        std::array<std::byte, 3> room;
        std::size_t read = 0;
        for (;;) {
            const auto count = co_await attempt(response.read(room));
            if (!count) {
                expect_failure(count.error(), Reason::body_bytes, http::Step::body);
                break;
            }
            read += *count;
        }
        EXPECT_EQ(read, 6u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpFaults, a_body_longer_than_it_said_costs_the_connection) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more");
        co_await peer.wait_for_end();
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        {
            auto response = co_await client.get(url);
            std::array<std::byte, 64> room;
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "ok");
        }
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_ORDERED(HttpFaults, what_comes_unasked_is_never_taken_for_an_answer) {
    static Event late_words_are_said;
    late_words_are_said.clear();
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer("right");
        if (peer.number() > 1) co_return;
        co_await sleep(1ms);
        co_await peer.say("HTTP/1.1 408 Too Late\r\nContent-Length: 5\r\n\r\nwrong");
        late_words_are_said.set();
        co_await peer.wait_for_end();
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        for (int i = 0; i < 2; ++i) {
            auto response = co_await client.get(url);
            std::array<std::byte, 64> room;
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "right");
            response.release();
            co_await timeout(1min, late_words_are_said.wait());
        }
        EXPECT_EQ(client.counters().opened, 2u);
        EXPECT_EQ(client.counters().replaced, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpFaults, a_reset_keeps_the_kernels_code) {
    auto script = [](Peer& peer) -> Task<void> {
        return peer.reset_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.get(url);
        std::array<std::byte, 100> room;
        const auto text = co_await attempt(response.read_all(room));
        const Error error = error_of(text);
        expect_failure(error, Reason::broken, http::Step::body);
        EXPECT_EQ(error, std::errc::connection_reset);
        EXPECT_EQ(http::kind_of(error), Kind::transport);
    };
    co_await with_server(script, body);
}

RINGLET_CASE(HttpFaults, a_refused_connection_keeps_the_kernels_code) {
    Client client(small_storage);
    // A port that was free a moment ago.
    char url[64];
    {
        const auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        std::snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_of(address));
    }
    co_await sleep(1ms);
    const auto response = co_await attempt(client.get(url));
    const Error error = error_of(response);
    expect_failure(error, Reason::broken, http::Step::connect);
    EXPECT_EQ(error, std::errc::connection_refused);
    EXPECT_STREQ(text(error), "Connection refused");
    EXPECT_EQ(client.open_connections(), 0u);
}

RINGLET_CASE_UNCUT(HttpFaults, no_descriptor_left_is_the_runtimes_error) {
    auto script = [](Peer& peer) -> Task<void> { return peer.wait_for_end(); };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        unsigned taken = 0;
        while (scheduler().reserve_descriptor())
            ++taken;
        const auto response = co_await attempt(client.get(url));
        const Error error = error_of(response);
        EXPECT_EQ(error, RuntimeDetail::descriptors) << text(error);
        EXPECT_EQ(http::kind_of(error), Kind::runtime);
        for (; taken > 0; --taken)
            scheduler().release_descriptor();
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpFaults, names_without_a_resolver_are_told) {
    Client client(small_storage);
    const auto response = co_await attempt(client.get("http://device.example/"));
    expect_failure(error_of(response), Reason::no_resolver, http::Step::resolve);
    EXPECT_EQ(response.error(), std::errc::destination_address_required);
    EXPECT_EQ(http::kind_of(response.error()), Kind::name);
    const auto number = co_await attempt(client.get("http://192.0.2.256/"));
    expect_failure(error_of(number), Reason::url, http::Step::resolve);
    EXPECT_EQ(client.open_connections(), 0u);
}

RINGLET_CASE_UNCUT(HttpFaults, requests_that_cannot_be_sent_never_reach_a_server) {
    Client client(small_storage);
    const auto expect_refused = [&](http::Request request, Reason reason) -> Task<void> {
        const auto response = co_await attempt(client.send(request));
        expect_failure(error_of(response), reason, http::Step::none);
        EXPECT_EQ(http::kind_of(response.error()),
                  reason == Reason::url_bytes ? Kind::limit : Kind::request);
    };
    co_await expect_refused({.url = "https://127.0.0.1/"}, Reason::https);
    co_await expect_refused({.url = "127.0.0.1"}, Reason::url);
    co_await expect_refused({.url = "http://u:p@127.0.0.1/"}, Reason::credentials);
    static char long_url[202];
    std::snprintf(long_url, sizeof long_url, "http://127.0.0.1/%0184d", 0);
    EXPECT_EQ(std::strlen(long_url), small_limits.url_bytes + 1);
    co_await expect_refused({.url = long_url}, Reason::url_bytes);
    for (const http::Header bad :
         {http::Header{"A", "b\r\nC: d"}, http::Header{"A\r\nB", "c"}, http::Header{"A", "b\nC: d"},
          http::Header{"A B", "c"}, http::Header{"A:", "b"}, http::Header{"", "b"},
          http::Header{"A", std::string_view("\0", 1)}, http::Header{"A", "\x7f"},
          http::Header{"Content-Length", "5"}, http::Header{"transfer-encoding", "chunked"},
          http::Header{"Connection", "close"}, http::Header{"TE", "x"},
          http::Header{"Upgrade", "h2c"}, http::Header{"Expect", "100-continue"},
          http::Header{"Trailer", "x"}, http::Header{"Keep-Alive", "x"}}) {
        const std::span<const http::Header> headers(&bad, 1);
        co_await expect_refused({.url = "http://127.0.0.1:1/", .headers = headers}, Reason::header);
    }
    co_await expect_refused({.method = http::Method::post,
                             .url = "http://127.0.0.1:1/",
                             .body = "x",
                             .content_type = "a/b\r\nC: d"},
                            Reason::header);
    EXPECT_EQ(client.counters().opened, 0u);
    EXPECT_EQ(client.counters().connections_max, 0u);
}

RINGLET_CASE_UNCUT(HttpFaults, a_head_longer_than_the_buffer_is_not_sent) {
    auto script = [](Peer& peer) -> Task<void> { return peer.wait_for_end(); };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        static std::array<char, small_limits.buffer_bytes> value;
        value.fill('x');
        const http::Header headers[] = {{"A", {value.data(), value.size()}}};
        const auto response = co_await attempt(client.send({.url = url, .headers = headers}));
        expect_failure(error_of(response), Reason::request_bytes, http::Step::none);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpFaults, headers_that_never_end_are_bounded) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 200 OK\r\n");
        for (;;)
            co_await peer.say("More: and more\r\n");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto response = co_await attempt(client.get(url));
        expect_failure(error_of(response), Reason::header_bytes, http::Step::head);
    };
    co_await with_server(script, body);
}

namespace {

struct Endless {
    Task<std::size_t> read(std::span<std::byte> into) {
        co_await sleep(1ms);
        co_return into.size();
    }
};

// On a real network the answer may be lost with the reset; then the reset is told.
Task<void> answer_early(bool may_be_lost) {
    auto script = [](Peer& peer) -> Task<void> {
        co_await poll(peer.socket().descriptor(), POLLIN);
        co_await peer.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
        co_await peer.socket().close();
    };
    auto body = [may_be_lost](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        Endless source;
        {
            const auto response =
                co_await attempt(client.post(url, http::Body::stream(source), "a/b"));
            if (response) {
                EXPECT_EQ(response->status(), 413u);
            } else {
                EXPECT_TRUE(may_be_lost) << text(response.error());
                EXPECT_EQ(http::kind_of(response.error()), Kind::transport);
            }
        }
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(script, body);
}

}  // namespace

RINGLET_CASE(HttpFaults, an_answer_that_comes_before_all_was_sent_may_be_heard) {
    co_await answer_early(true);
}

TEST(HttpFaults, an_answer_that_comes_before_all_was_sent_is_heard) {
    run_simulated([] { return answer_early(false); });
}

// The server reads no more, and leaves the connection open: sending stops there for good.
TEST(HttpFaults, an_early_answer_is_heard_when_the_server_takes_no_more) {
    run_simulated([]() -> Task<void> {
        auto script = [](Peer& peer) -> Task<void> {
            co_await poll(peer.socket().descriptor(), POLLIN);
            co_await peer.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
            co_await peer.stall();
        };
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            const auto url = server.url();
            Endless source;
            {
                const auto response =
                    co_await attempt(client.post(url, http::Body::stream(source), "a/b"));
                EXPECT_TRUE(response.has_value());
                if (response) {
                    EXPECT_EQ(response->status(), 413u);
                }
            }
            EXPECT_EQ(client.open_connections(), 0u);
        };
        co_await with_server(script, body, {.timeouts = {.send = 3s}});
    });
}

// ---- connections that died while they were idle

RINGLET_CASE(HttpFaults, a_connection_that_was_closed_meanwhile_is_replaced) {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (asked) co_await peer.answer("once");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        for (int i = 0; i < 3; ++i) {
            auto response = co_await client.post(url, "x", "a/b");  // never sent twice
            std::array<std::byte, 16> room;
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "once");
            response.release();
            co_await sleep(5ms);  // the server's end arrives
        }
        EXPECT_EQ(client.counters().opened, 3u);
        EXPECT_EQ(client.counters().replaced, 2u);
        EXPECT_EQ(client.counters().reused, 0u);
    };
    co_await with_server(script, body);
    co_await expect_open_descriptors(0);
}

// A look at an idle connection stands in line, too, and must not take that for silence.
TEST(HttpFaults, a_connection_that_was_closed_is_replaced_also_when_all_operations_are_taken) {
    static constexpr ringlet::Limits few_operations = [] {
        ringlet::Limits limits = case_limits;
        limits.operations = 8;
        return limits;
    }();
    run_simulated<few_operations>([]() -> Task<void> {
        auto script = [](Peer& peer) -> Task<void> {
            const bool asked = co_await peer.hear();
            if (asked) co_await peer.answer("once");
        };
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            const auto url = server.url();
            const auto silent = co_await UdpSocket::bind(loopback_address(0));
            auto wait = [&]() -> Task<void> {
                const auto nothing =
                    co_await attempt(timeout(10ms, poll(silent.descriptor(), POLLIN)));
                EXPECT_FALSE(nothing.has_value());
            };
            auto post = [&]() -> Task<void> {
                auto response = co_await client.post(url, "x", "a/b");  // never sent twice
                std::array<std::byte, 16> room;
                const auto text = co_await read_text(response, room);
                EXPECT_EQ(text, "once");
            };
            co_await post();
            co_await sleep(5ms);  // the server's end arrives
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                for (int i = 0; i < 8; ++i) (void)group.spawn(std::ref(wait));
                co_await yield();
                co_await post();
            });
            EXPECT_EQ(client.counters().replaced, 1u);
        };
        co_await with_server(script, body);
    });
}

namespace {

unsigned requests_heard;

// Answers the first request of the first connection, hears the second and goes away.
Task<void> die_at_the_second(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        ++requests_heard;
        if (peer.number() == 1 && peer.requests() == 2) co_return;
        co_await peer.answer("yes");
    }
}

Task<void> get_once(Client& client, std::string_view url) {
    auto response = co_await client.get(url);
    std::array<std::byte, 16> room;
    co_await response.read_all(room);
}

}  // namespace

RINGLET_CASE(HttpFaults, a_connection_that_dies_under_a_request_is_replaced_and_asked_again) {
    requests_heard = 0;
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await get_once(client, url);
        auto response = co_await client.put(url, "x", "a/b");
        EXPECT_EQ(response.status(), 200u);
        EXPECT_EQ(requests_heard, 3u);
        EXPECT_EQ(client.counters().opened, 2u);
        EXPECT_EQ(client.counters().replaced, 1u);
    };
    co_await with_server(die_at_the_second, body);
}

RINGLET_CASE(HttpFaults, what_must_not_be_done_twice_is_not_asked_again) {
    requests_heard = 0;
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await get_once(client, url);
        const auto response = co_await attempt(client.post(url, "x", "a/b"));
        expect_failure(error_of(response), Reason::closed_early, http::Step::head);
        EXPECT_EQ(requests_heard, 2u);
    };
    co_await with_server(die_at_the_second, body);
}

// A body that comes from another server, which breaks off: the error looks like one of this
// connection, but no answer is waited for.
TEST(HttpFaults, a_source_that_fails_like_a_connection_ends_the_request_at_once) {
    run_simulated([]() -> Task<void> {
        struct Broken {
            Task<std::size_t> read(std::span<std::byte>) {
                co_await fail(http::make_error(Reason::closed_early, http::Step::body));
                co_return 0;
            }
        };
        auto script = [](Peer& peer) -> Task<void> { co_await peer.wait_for_end(); };
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            Broken source;
            const auto url = server.url();
            const Instant start = scheduler().now();
            const auto response =
                co_await attempt(client.put(url, http::Body::stream(source), "a/b"));
            expect_failure(error_of(response), Reason::closed_early, http::Step::body);
            EXPECT_EQ(scheduler().now(), start);
        };
        co_await with_server(script, body);
    });
}

RINGLET_CASE_UNCUT(HttpFaults, what_can_be_streamed_once_is_not_asked_again) {
    requests_heard = 0;
    struct One {
        Task<std::size_t> read(std::span<std::byte>) { co_return std::exchange(left, 0); }
        std::size_t left = 1;
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await get_once(client, url);
        One source;
        const auto response =
            co_await attempt(client.put(url, http::Body::stream(source, 1), "a/b"));
        expect_failure(error_of(response), Reason::closed_early, http::Step::head);
        EXPECT_EQ(requests_heard, 2u);
    };
    co_await with_server(die_at_the_second, body);
}

RINGLET_CASE_UNCUT(HttpFaults, a_new_connection_that_dies_is_not_asked_again) {
    requests_heard = 0;
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        requests_heard += asked ? 1 : 0;
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto response = co_await attempt(client.get(url));
        expect_failure(error_of(response), Reason::closed_early, http::Step::head);
        EXPECT_EQ(requests_heard, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpFaults, a_response_that_began_is_not_asked_for_again) {
    requests_heard = 0;
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            ++requests_heard;
            if (peer.requests() == 2) co_return co_await peer.say("H");
            co_await peer.answer("yes");
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await get_once(client, url);
        const auto response = co_await attempt(client.get(url));
        expect_failure(error_of(response), Reason::closed_early, http::Step::head);
        EXPECT_EQ(requests_heard, 2u);
    };
    co_await with_server(script, body);
}

// ---- in simulation: every split, and what only a plan of faults can do

namespace {

constexpr std::string_view chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
                                     "5\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\nT: u\r\n\r\n";
std::size_t split_at;

Task<void> get_split() {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            co_await peer.say(chunked.substr(0, split_at));
            co_await sleep(1ms);
            co_await peer.say(chunked.substr(split_at));
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        for (int i = 0; i < 2; ++i) {
            auto response = co_await client.get(url);
            std::array<std::byte, 12> room;
            EXPECT_EQ(response.header("a").value_or("?"), "b");
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "hello, world");
        }
        EXPECT_EQ(client.counters().reused, 1u);
    };
    co_await with_server(script, body);
}

}  // namespace

TEST(HttpFaults, a_response_is_the_same_wherever_it_is_split) {
    for (split_at = 1; split_at < chunked.size(); ++split_at) {
        SCOPED_TRACE(split_at);
        run_simulated(get_split);
    }
}

namespace {

// Each operation in turn fails in the kernel's hands; the request ends with an error of the
// kernel's code, or does without, and nothing is left over.
Task<void> get_with_a_fault() {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            co_await peer.answer("hello");
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto done = co_await attempt(get_once(client, url));
        if (!done) {
            EXPECT_EQ(http::kind_of(done.error()), Kind::transport) << text(done.error());
        }
        const auto again = co_await attempt(get_once(client, url));
        EXPECT_TRUE(done.has_value() || again.has_value());
    };
    const auto done = co_await attempt(with_server(script, body));
    static_cast<void>(done);  // the fault may have been the server's
}

}  // namespace

TEST(HttpFaults, of_any_one_operation_leave_nothing_behind) {
    for (const int opcode :
         {IORING_OP_CONNECT, IORING_OP_SEND, IORING_OP_RECV, IORING_OP_POLL_ADD}) {
        for (unsigned nth = 1; nth <= 6; ++nth) {
            SCOPED_TRACE(opcode * 100 + static_cast<int>(nth));
            ringlet::testing::Simulation simulation;
            simulation.world().fail_nth(opcode, nth, ECONNRESET);
            EXPECT_EQ(simulation.run<case_limits>(get_with_a_fault), 0);
            EXPECT_FALSE(simulation.deadlocked());
            EXPECT_EQ(simulation.world().open_descriptors(), 3u);
        }
    }
}

namespace {

unsigned spare_frames;

// Nobody accepts: a request with all its frames waits for the head until its time is up.
Task<void> get_with_few_frames() {
    const auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    Client client(small_storage, {.timeouts = {.head = 10ms}});
    char url[64];
    std::snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_of(address));
    std::optional<PoolHog> hog(spare_frames);
    auto get = attempt(client.get(url));
    const auto response = co_await std::move(get);
    hog.reset();
    const Error error = error_of(response);
    if (error != RuntimeDetail::frames) {
        EXPECT_EQ(error, std::errc::timed_out) << text(error);
        EXPECT_GT(spare_frames, 0u);
    }
    EXPECT_EQ(client.open_connections(), 0u);
    co_await expect_open_descriptors(1);  // the listener
}

}  // namespace

TEST(HttpFaults, a_full_frame_pool_is_told_and_leaves_nothing_behind) {
    for (spare_frames = 0; spare_frames <= 6; ++spare_frames) {
        SCOPED_TRACE(spare_frames);
        run_simulated(get_with_few_frames);
    }
}
