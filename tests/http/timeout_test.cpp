// Time limits: each step has its own, and all steps together have one. Virtual time, to the
// nanosecond.
#include <http/fake_server.hpp>

#include <ringlet/flow/timeout.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/task/yield.hpp>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;
using http::Reason;

namespace {

// One second more for each step than for the one before.
constexpr http::Timeouts timeouts{
    .line = 1s, .connect = 2s, .send = 3s, .head = 4s, .body = 5s, .total = 60s};

// Runs `work`, which must fail with the step's time limit after exactly that long.
template <class Work>
Task<void> expect_time_out(Work& work, Reason reason, http::Step step, Nanoseconds span) {
    const Instant begin = scheduler().now();
    const auto done = co_await attempt(work());
    expect_failure(error_of(done), reason, step);
    EXPECT_EQ(done.error(), std::errc::timed_out);
    EXPECT_EQ(http::kind_of(done.error()), http::Kind::timeout);
    EXPECT_EQ(scheduler().now() - begin, span.count());
}

Task<void> get_all(Client& client, std::string_view url) {
    auto response = co_await client.get(url);
    std::array<std::byte, 64> room;
    co_await response.read_all(room);
}

Task<void> stall(Peer& peer) {
    return peer.stall();
}

// A server that says this, and then nothing for ever.
Task<void> expect_stall(std::string_view said, Reason reason, http::Step step, Nanoseconds span,
                        http::Timeouts limits = timeouts) {
    auto script = [&](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say(said);
        co_await peer.stall();
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto work = [&] { return get_all(client, url); };
        co_await expect_time_out(work, reason, step, span);
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(script, body, {.timeouts = limits});
    co_await expect_open_descriptors(0);
}

Task<void> stall_before_the_head() {
    co_await expect_stall("", Reason::step_time, http::Step::head, 4s);
}

Task<void> stall_in_the_head() {
    co_await expect_stall("HTTP/1.1 200 OK\r\nContent", Reason::step_time, http::Step::head, 4s);
}

Task<void> stall_in_the_body() {
    co_await expect_stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Reason::step_time,
                          http::Step::body, 5s);
}

Task<void> stall_in_a_chunk() {
    co_await expect_stall("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                          Reason::step_time, http::Step::body, 5s);
}

Task<void> total_ends_the_head() {
    co_await expect_stall("", Reason::total_time, http::Step::head, 3500ms,
                          {.head = 4s, .total = 3500ms});
}

Task<void> total_ends_the_body() {
    co_await expect_stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Reason::total_time,
                          http::Step::body, 3500ms, {.body = 4s, .total = 3500ms});
}

// A head that dribbles does not get a new limit for each byte; a body does.
Task<void> dribble(std::string_view head, std::string_view tail, Reason reason, http::Step step,
                   Nanoseconds span) {
    auto script = [&](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say(head);
        co_await peer.say_slowly(tail, 1, 900ms);
        co_await peer.stall();
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto work = [&] { return get_all(client, url); };
        co_await expect_time_out(work, reason, step, span);
    };
    co_await with_server(script, body, {.timeouts = {.head = 2s, .body = 1s, .total = 6s}});
}

Task<void> dribbling_head() {
    co_await dribble("", "HTTP/1.1 200 OK\r\n", Reason::step_time, http::Step::head, 2s);
}

Task<void> dribbling_body() {
    co_await dribble("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", "01234567890123",
                     Reason::total_time, http::Step::body, 6s);
}

Task<void> short_dribble() {
    // Three bytes at 0, 0.9 and 1.8 s; the limit begins anew with each.
    co_await dribble("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", "abc", Reason::step_time,
                     http::Step::body, 2800ms);
}

// Nobody takes what is sent: the socket's buffers fill up.
Task<void> stall_while_sending() {
    static std::array<std::byte, 300000> big;
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto work = [&]() -> Task<void> {
            const auto response = co_await client.post(url, std::span<const std::byte>(big), "a/b");
        };
        co_await expect_time_out(work, Reason::step_time, http::Step::send, 3s);
        EXPECT_EQ(client.open_connections(), 0u);
    };
    co_await with_server(stall, body, {.timeouts = timeouts});
    co_await expect_open_descriptors(0);
}

// Nobody accepts: the listener's line is full.
Task<void> stall_while_connecting() {
    Client client(small_storage, {.timeouts = timeouts});
    const auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = 1});
    const auto address = co_await listener.local_address();
    const auto first = co_await TcpSocket::connect(address);
    const auto second = co_await attempt(timeout(1ms, TcpSocket::connect(address)));
    char url[64];
    std::snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_of(address));
    auto work = [&] { return get_all(client, url); };
    co_await expect_time_out(work, Reason::step_time, http::Step::connect, 2s);
    EXPECT_EQ(client.open_connections(), 0u);
}

Task<void> stall_in_line() {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 3; ++i)
                (void)group.spawn(get_all, std::ref(client), url);
            co_await sleep(100ms);
            auto work = [&] { return get_all(client, url); };
            co_await expect_time_out(work, Reason::step_time, http::Step::line, 1s);
            EXPECT_EQ(client.open_connections(), 3u);
            EXPECT_EQ(client.waiting(), 0u);
            group.cancel_tasks();
        });
    };
    co_await with_server(stall, body, {.timeouts = timeouts});
}

// A Response that nobody reads keeps its connection, and the next in line does not wait for ever.
Task<void> default_limit_of_the_line() {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.answer("held");
        co_await peer.stall();
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const auto held = co_await client.get(url);
        auto work = [&] { return get_all(client, url); };
        co_await expect_time_out(work, Reason::step_time, http::Step::line, 5min);
    };
    co_await with_server(script, body, {.connections_per_host = 1});
}

Task<void> total_covers_redirects() {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            co_await sleep(1s);
            co_await peer.answer("", 302, "Location: /on\r\n");
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto work = [&] { return get_all(client, url); };
        co_await expect_time_out(work, Reason::total_time, http::Step::head, 2500ms);
    };
    co_await with_server(script, body, {.timeouts = {.head = 2s, .total = 2500ms}});
}

// Each answer takes 0.8 of a second; waiting for three others is not counted.
Task<void> total_begins_with_the_connection() {
    auto script = [](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            co_await sleep(800ms);
            co_await peer.answer("late");
        }
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        const Instant begin = scheduler().now();
        std::array<Nanoseconds, 4> in_line{};
        auto get = [&](Nanoseconds& waited) -> Task<void> {
            auto response = co_await client.send({.url = url, .time_in_line = &waited});
            std::array<std::byte, 64> room;
            co_await response.read_all(room);
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (Nanoseconds& each : in_line) {
                (void)group.spawn(std::ref(get), std::ref(each));
                co_await yield();
            }
        });
        EXPECT_EQ(scheduler().now() - begin, Nanoseconds(3200ms).count());
        for (std::size_t i = 0; i < in_line.size(); ++i) EXPECT_EQ(in_line[i], i * 800ms);
    };
    co_await with_server(script, body,
                         {.connections_per_host = 1, .timeouts = {.total = 900ms}});
}

// "localhost" sends on to "127.0.0.1": another host by name, where one stands in line for 4.7 s.
// Of the second that the request has, 0.3 s are gone before that; then the server says nothing.
Task<void> total_stands_still_in_another_hosts_line() {
    char location[64];
    auto script = [&](Peer& peer) -> Task<void> {
        for (;;) {
            const bool asked = co_await peer.hear();
            if (!asked) co_return;
            if (peer.path() == "/from") {
                co_await sleep(300ms);
                co_await peer.answer("", 302, location);
            } else if (peer.path() == "/slow") {
                co_await sleep(5s);
                co_await peer.answer("late");
            } else {
                co_await peer.stall();
            }
        }
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        std::snprintf(location, sizeof location, "Location: http://127.0.0.1:%u/to\r\n",
                      server.port());
        const auto from = server.url("/from", "localhost");
        const auto slow = server.url("/slow");
        auto keep_busy = [&]() -> Task<void> {
            auto response = co_await client.send({.url = slow, .timeouts = http::Timeouts{}});
            std::array<std::byte, 64> room;
            co_await response.read_all(room);
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(std::ref(keep_busy));
            co_await yield();
            Nanoseconds in_line{0};
            auto work = [&]() -> Task<void> {
                const auto response =
                    co_await client.send({.url = from, .time_in_line = &in_line});
            };
            co_await expect_time_out(work, Reason::total_time, http::Step::head, 5700ms);
            EXPECT_EQ(in_line, 4700ms);
        });
    };
    co_await with_server(script, body, {.connections_per_host = 1, .timeouts = {.total = 1s}});
}

// The line's own limit holds in that line, too.
Task<void> stall_in_another_hosts_line() {
    char location[64];
    auto script = [&](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        if (peer.path() != "/from") co_await peer.stall();
        co_await peer.answer("", 302, location);
        co_await peer.wait_for_end();
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        std::snprintf(location, sizeof location, "Location: http://127.0.0.1:%u/to\r\n",
                      server.port());
        const auto from = server.url("/from", "localhost");
        const auto slow = server.url("/slow");
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(get_all, std::ref(client), slow);
            co_await yield();
            auto work = [&] { return get_all(client, from); };
            co_await expect_time_out(work, Reason::step_time, http::Step::line, 1s);
            group.cancel_tasks();
        });
    };
    co_await with_server(script, body, {.connections_per_host = 1, .timeouts = timeouts});
}

Task<void> slow_source() {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        struct Slow {
            Task<std::size_t> read(std::span<std::byte>) {
                co_await sleep(1h);
                co_return 0;
            }
        };
        Slow source;
        auto work = [&]() -> Task<void> {
            const auto response = co_await client.post(url, http::Body::stream(source), "a/b");
        };
        co_await expect_time_out(work, Reason::total_time, http::Step::send, 60s);
    };
    co_await with_server(stall, body, {.timeouts = timeouts});
}

// A request's own limits count instead of the client's.
Task<void> own_limits() {
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto work = [&]() -> Task<void> {
            const auto response = co_await client.send(
                {.url = url, .timeouts = http::Timeouts{.head = Nanoseconds(7)}});
        };
        co_await expect_time_out(work, Reason::step_time, http::Step::head, 7ns);
    };
    co_await with_server(stall, body, {.timeouts = timeouts});
}

Task<void> without_limits() {
    auto script = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await sleep(std::chrono::hours(900));
        co_await peer.answer("at last");
    };
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        co_await get_all(client, url);
    };
    constexpr Nanoseconds no = Nanoseconds::max();
    co_await with_server(
        script, body,
        {.timeouts = {.line = no, .connect = no, .send = no, .head = no, .body = no, .total = no}});
}

void expect_exact(Case body) {
    run_simulated(body);
    run_cancelled(body);
}

}  // namespace

TEST(HttpTimeout, ends_a_wait_in_line) {
    expect_exact(stall_in_line);
}
TEST(HttpTimeout, ends_a_wait_in_line_after_five_minutes_unless_told_otherwise) {
    expect_exact(default_limit_of_the_line);
}
TEST(HttpTimeout, ends_connecting) {
    expect_exact(stall_while_connecting);
}
TEST(HttpTimeout, ends_sending) {
    expect_exact(stall_while_sending);
}
TEST(HttpTimeout, ends_waiting_for_the_head) {
    expect_exact(stall_before_the_head);
}
TEST(HttpTimeout, ends_a_head_that_stops) {
    expect_exact(stall_in_the_head);
}
TEST(HttpTimeout, ends_a_head_that_dribbles) {
    expect_exact(dribbling_head);
}
TEST(HttpTimeout, ends_a_body_that_stops) {
    expect_exact(stall_in_the_body);
}
TEST(HttpTimeout, ends_a_chunk_that_stops) {
    expect_exact(stall_in_a_chunk);
}
TEST(HttpTimeout, of_the_body_begins_anew_with_each_piece) {
    run_simulated(short_dribble);
}
TEST(HttpTimeout, of_all_steps_ends_the_head) {
    expect_exact(total_ends_the_head);
}
TEST(HttpTimeout, of_all_steps_ends_the_body) {
    expect_exact(total_ends_the_body);
}
TEST(HttpTimeout, of_all_steps_ends_a_body_that_dribbles) {
    run_simulated(dribbling_body);
}
TEST(HttpTimeout, of_all_steps_covers_redirects) {
    expect_exact(total_covers_redirects);
}
TEST(HttpTimeout, of_all_steps_begins_with_the_connection) {
    expect_exact(total_begins_with_the_connection);
}
TEST(HttpTimeout, of_all_steps_stands_still_in_the_line_of_another_host) {
    expect_exact(total_stands_still_in_another_hosts_line);
}
TEST(HttpTimeout, of_the_line_ends_the_wait_for_another_host) {
    expect_exact(stall_in_another_hosts_line);
}
TEST(HttpTimeout, of_all_steps_ends_a_source_that_is_slow) {
    expect_exact(slow_source);
}
TEST(HttpTimeout, is_the_requests_own_where_it_names_some) {
    expect_exact(own_limits);
}
TEST(HttpTimeout, may_be_none) {
    run_simulated(without_limits);
}

RINGLET_CASE_UNCUT(HttpTimeout, leaves_a_body_that_can_be_read_on) {
    Event was_late;
    auto script = [&](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        co_await was_late.wait();
        co_await peer.say("cde");
        co_await peer.wait_for_end();
    };
    auto body = [&](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.get(url);
        std::array<std::byte, 8> room;
        std::size_t size = 0;
        unsigned late = 0;
        while (!response.has_ended()) {
            const auto count = co_await attempt(response.read(std::span(room).subspan(size)));
            if (count) {
                size += *count;
                continue;
            }
            expect_failure(count.error(), Reason::step_time, http::Step::body);
            ++late;
            was_late.set();
        }
        EXPECT_GT(late, 0u);
        EXPECT_EQ(text_of(std::span(room).first(size)), "abcde");
    };
    co_await with_server(script, body, {.timeouts = {.body = 5ms}});
}

// In virtual time no time would pass: all is ready at once.
TEST(HttpTimeout, of_all_steps_ends_a_body_that_never_stops_coming_kernel) {
    auto flood = [](Peer& peer) -> Task<void> {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        co_await peer.say("HTTP/1.1 200 OK\r\n\r\n");
        static constexpr std::array<char, 4096> piece{};
        for (;;) {
            const auto said = co_await attempt(peer.say({piece.data(), piece.size()}));
            if (!said) co_return;
        }
    };
    static auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url();
        auto response = co_await client.get(url);
        std::array<std::byte, 16> room;
        for (;;) {
            const auto count = co_await attempt(response.read(room));
            if (count) continue;
            expect_failure(count.error(), Reason::total_time, http::Step::body);
            co_return;
        }
    };
    static auto script = flood;
    RINGLET_RUN_ON_KERNEL(case_runtime, []() -> Task<void> {
        co_await with_server(script, body, {.timeouts = {.total = 100ms}});
    });
}
