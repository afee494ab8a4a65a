// Redirects: where they lead, with which method, and what goes along.
#include <http/fake_server.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;
using http::Method;
using http::Reason;

namespace {

// What the next with_server() does: requests to /from are answered with this.
struct Plan {
    unsigned status = 302;
    std::string_view headers = "Location: /to\r\n";
    std::string_view body = "moved";
};
Plan plan;

// Everything else is answered with what was heard.
Task<void> redirector(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        if (peer.path() == "/from") {
            co_await peer.answer(plan.body, plan.status, plan.headers);
        } else {
            co_await peer.answer(peer.request());
        }
    }
}

// Asks for /from and expects the request that begins with `expected` to have been answered.
Task<void> expect_at(http::Request request, std::string_view expected, unsigned connections = 1) {
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        http::Request sent = request;
        sent.url = url;
        auto response = co_await client.send(sent);
        EXPECT_EQ(response.status(), 200u);
        std::array<std::byte, 600> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_TRUE(heard.starts_with(expected)) << heard;
        EXPECT_EQ(client.counters().opened, connections);
    };
    co_await with_server(redirector, body);
}

Task<Error> failure_of(http::Request request) {
    Error error;
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        http::Request sent = request;
        sent.url = url;
        const auto response = co_await attempt(client.send(sent));
        error = error_of(response);
    };
    co_await with_server(redirector, body);
    co_return error;
}

constexpr http::Request post{.method = Method::post, .body = {}, .content_type = "text/plain"};

}  // namespace

RINGLET_CASE(HttpRedirect, is_followed_on_the_same_connection) {
    plan = {};
    co_await expect_at({}, "GET /to HTTP/1.1\r\n");
    co_await expect_open_descriptors(0);
}

RINGLET_CASE_UNCUT(HttpRedirect, changes_the_method_as_the_standard_says) {
    struct Change {
        unsigned status;
        Method before;
        std::string_view after;
    };
    for (const Change change :
         {Change{301, Method::get, "GET"}, Change{302, Method::get, "GET"},
          Change{303, Method::get, "GET"}, Change{307, Method::get, "GET"},
          Change{308, Method::get, "GET"}, Change{301, Method::post, "GET"},
          Change{302, Method::post, "GET"}, Change{303, Method::post, "GET"},
          Change{307, Method::post, "POST"}, Change{308, Method::post, "POST"},
          Change{301, Method::put, "PUT"}, Change{302, Method::delete_, "DELETE"},
          Change{303, Method::put, "GET"}, Change{307, Method::put, "PUT"}}) {
        plan = {.status = change.status};
        char expected[64];
        std::snprintf(expected, sizeof expected, "%.*s /to HTTP/1.1\r\n",
                      static_cast<int>(change.after.size()), change.after.data());
        co_await expect_at({.method = change.before}, expected);
    }
}

RINGLET_CASE_UNCUT(HttpRedirect, of_a_head_request_asks_for_a_head_again) {
    for (const unsigned status : {302u, 303u, 308u}) {
        plan = {.status = status, .body = ""};
        auto script = [](Peer& peer) -> Task<void> {
            for (;;) {
                const bool asked = co_await peer.hear();
                if (!asked) co_return;
                EXPECT_TRUE(peer.request().starts_with("HEAD "));
                if (peer.path() == "/from")
                    co_await peer.answer("", plan.status, plan.headers);
                else
                    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
            }
        };
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            const auto url = server.url("/from");
            auto response = co_await client.head(url);
            EXPECT_EQ(response.content_length().value_or(0), 7u);
        };
        co_await with_server(script, body);
    }
}

RINGLET_CASE_UNCUT(HttpRedirect, takes_the_body_along_or_leaves_it) {
    const http::Header headers[] = {{"X-Mine", "yes"}};
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        for (const unsigned status : {303u, 307u}) {
            plan = {.status = status};
            auto response = co_await client.send({.method = Method::post,
                                                  .url = url,
                                                  .headers = headers,
                                                  .body = "hello",
                                                  .content_type = "text/plain"});
            std::array<std::byte, 600> room;
            const auto heard = co_await read_text(response, room);
            const bool is_kept = status == 307;
            EXPECT_EQ(heard.ends_with("\r\n\r\nhello"), is_kept) << heard;
            EXPECT_EQ(heard.contains("Content-Type: text/plain\r\n"), is_kept) << heard;
            EXPECT_EQ(heard.contains("Content-Length"), is_kept) << heard;
            EXPECT_TRUE(heard.contains("X-Mine: yes\r\n")) << heard;
        }
    };
    co_await with_server(redirector, body);
}

RINGLET_CASE_UNCUT(HttpRedirect, cannot_stream_a_body_twice) {
    plan = {.status = 307};
    struct None {
        Task<std::size_t> read(std::span<std::byte>) { co_return 0; }
    };
    None source;
    http::Request request = post;
    request.body = http::Body::stream(source);
    const Error error = co_await failure_of(request);
    expect_failure(error, Reason::resend, http::Step::head);
    plan = {.status = 303};
    co_await expect_at(request, "GET /to ");
}

RINGLET_CASE_UNCUT(HttpRedirect, resolves_what_is_relative) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        auto relative = [&](std::string_view path, std::string_view location) -> Task<void> {
            const auto url = server.url(path);
            auto response = co_await client.get(url);
            const auto expected = server.url(location);
            EXPECT_EQ(response.url(), std::string_view(expected));
        };
        plan = {.headers = "Location: ../c?d#e\r\n"};
        co_await relative("/from", "/c?d");
        plan = {.headers = "location:   here/./there \t\r\n"};
        co_await relative("/from", "/here/there");
    };
    co_await with_server(redirector, body);
}

RINGLET_CASE_UNCUT(HttpRedirect, without_a_location_is_a_response) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        for (const Plan each :
             {Plan{302, "", "x"}, Plan{300, "Location: /to\r\n", "x"},
              Plan{304, "Location: /to\r\n", ""}, Plan{399, "Location: /\r\n", "x"},
              Plan{201, "Location: /to\r\n", "x"}}) {
            plan = each;
            auto response = co_await client.get(url);
            EXPECT_EQ(response.status(), each.status);
        }
    };
    co_await with_server(redirector, body);
}

RINGLET_CASE_UNCUT(HttpRedirect, is_a_response_where_it_is_not_to_be_followed) {
    plan = {};
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        auto response = co_await client.send({.url = url, .follow_redirects = false});
        EXPECT_EQ(response.status(), 302u);
        EXPECT_EQ(response.header("Location").value_or("?"), "/to");
        EXPECT_EQ(response.url(), std::string_view(url));
    };
    co_await with_server(redirector, body);
}

RINGLET_CASE(HttpRedirect, in_a_circle_ends_at_the_limit) {
    static unsigned heard;
    heard = 0;
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            ++heard;
            co_await peer.answer("", 302, "Location: /from\r\n");
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        const auto response = co_await attempt(client.get(url));
        expect_failure(error_of(response), Reason::redirects, http::Step::head);
        EXPECT_EQ(heard, small_limits.redirects + 1);
        EXPECT_EQ(client.counters().opened, 1u);
    };
    co_await with_server(script, body);
}

RINGLET_CASE_UNCUT(HttpRedirect, to_where_nobody_can_go_says_so) {
    plan = {.headers = "Location: https://127.0.0.1/\r\n"};
    const Error https = co_await failure_of({});
    expect_failure(https, Reason::https, http::Step::none);
    plan = {.headers = "Location: http://a b/\r\n"};
    const Error bad = co_await failure_of({});
    expect_failure(bad, Reason::url, http::Step::none);
    static char location[256];
    std::snprintf(location, sizeof location, "Location: /%0200d\r\n", 0);
    plan = {.headers = location};
    const Error too_long = co_await failure_of({});
    expect_failure(too_long, Reason::url_bytes, http::Step::none);
}

RINGLET_CASE_UNCUT(HttpRedirect, passes_over_a_short_body_and_gives_up_on_a_long_one) {
    plan = {.body = "short"};
    co_await expect_at({}, "GET /to ", 1);
    static std::array<char, 2000> body;
    body.fill('x');
    plan = {.body = {body.data(), body.size()}};
    co_await expect_at({}, "GET /to ", 2);
    plan = {.headers = "Connection: close\r\nLocation: /to\r\n"};
    co_await expect_at({}, "GET /to ", 2);
}

namespace {

char other_location[256];

// Sends everybody to the other server.
Task<void> send_on(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer("", 307, other_location);
    }
}

Task<void> mirror(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer(peer.request());
    }
}

// Two servers: requests to the first go on to the second.
template <class Body>
Task<void> with_two_servers(Body& body) {
    auto second = co_await FakeServer::open();
    std::snprintf(other_location, sizeof other_location, "Location: http://127.0.0.1:%u/there\r\n",
                  second.port());
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto serve = [&](TaskGroup& servers) { return second.serve(servers, mirror); };
        (void)group.spawn(std::ref(serve), std::ref(group));
        co_await with_server(send_on, body);
        group.cancel_tasks();
    });
}

}  // namespace

RINGLET_CASE(HttpRedirect, to_another_host_takes_no_secrets_along) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const http::Header headers[] = {{"authorization", "secret"},
                                        {"Cookie", "secret"},
                                        {"Proxy-Authorization", "secret"},
                                        {"Host", "secret"},
                                        {"X-Mine", "yes"}};
        auto response = co_await client.send({.method = Method::post,
                                              .url = url,
                                              .headers = headers,
                                              .body = "hello",
                                              .content_type = "text/plain"});
        std::array<std::byte, 600> room;
        const auto heard = co_await read_text(response, room);
        EXPECT_TRUE(heard.starts_with("POST /there HTTP/1.1\r\nHost: 127.0.0.1:")) << heard;
        EXPECT_FALSE(heard.contains("secret")) << heard;
        EXPECT_TRUE(heard.contains("X-Mine: yes\r\n")) << heard;
        EXPECT_TRUE(heard.ends_with("\r\n\r\nhello")) << heard;
        EXPECT_EQ(client.open_connections(), 1u);
    };
    co_await with_two_servers(body);
    co_await expect_open_descriptors(0);
}

// The body of the redirect is worth nothing there, so nobody waits for it.
TEST(HttpRedirect, to_another_host_waits_for_no_body) {
    run_simulated([]() -> Task<void> {
        static char location[64];
        auto script = [](Peer& peer) -> Task<void> {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            if (peer.path() != "/from") co_return co_await peer.answer(peer.request());
            co_await peer.say("HTTP/1.1 302 x\r\nContent-Length: 10\r\n");
            co_await peer.say(location);
            co_await peer.stall();
        };
        auto body = [](FakeServer& server, Client& client) -> Task<void> {
            std::snprintf(location, sizeof location, "Location: http://127.0.0.1:%u/to\r\n\r\n",
                          server.port());
            const auto url = server.url("/from", "localhost");
            const Instant start = scheduler().now();
            auto response = co_await client.get(url);
            std::array<std::byte, 600> room;
            const auto heard = co_await read_text(response, room);
            EXPECT_TRUE(heard.starts_with("GET /to ")) << heard;
            EXPECT_EQ(scheduler().now(), start);
        };
        co_await with_server(script, body, {.timeouts = http::Timeouts::in_all(20s)});
    });
}

// What is left over of a body that cannot be read is never read once more.
RINGLET_CASE_UNCUT(HttpRedirect, with_a_body_that_cannot_be_read_costs_the_connection) {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            if (peer.path() == "/from") {
                co_await peer.say("HTTP/1.1 302 x\r\nLocation: /to\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\nnone\r\n0\r\n\r\n");
            } else {
                co_await peer.answer(peer.request());
            }
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/from");
        auto response = co_await client.get(url);
        EXPECT_EQ(response.status(), 200u);
        EXPECT_EQ(client.counters().opened, 2u);
    };
    co_await with_server(script, body);
}

// The redirected hold their places while they wait for the other host; nobody waits for ever.
RINGLET_CASE_UNCUT(HttpRedirect, of_many_to_one_host_is_no_deadlock) {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto get = [&]() -> Task<void> {
            auto response = co_await client.get(url);
            EXPECT_EQ(response.status(), 200u);
            std::array<std::byte, 600> room;
            co_await response.read_all(room);
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 20; ++i)
                (void)group.spawn(std::ref(get));
            co_return;
        });
        EXPECT_LE(client.counters().connections_max, small_limits.connections);
        EXPECT_LE(client.counters().per_host_max, small_limits.connections_per_host);
        EXPECT_EQ(client.waiting(), 0u);
    };
    co_await with_two_servers(body);
    co_await expect_open_descriptors(0);
}
