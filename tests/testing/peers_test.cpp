// Peers: when they start and end, what their failures do, servers and serial devices; and how
// users' mistakes are told.
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/terminal.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/testing/exploration.hpp>
#include <ringlet/testing/serial_device.hpp>
#include <ringlet/testing/tcp_server.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>

using namespace ringlet;
using namespace std::chrono_literals;
using ringlet::testing::SerialDevice;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::TcpServer;
using ringlet::testing::World;
using ringlet::testing::world;

namespace {

SocketAddress server_address() {
    return loopback_address(8080);
}

// Sends back all that it receives.
Task<void> echo(TcpSocket& client) {
    std::array<std::byte, 64> buffer;
    for (;;) {
        const auto count = co_await client.receive(buffer);
        if (count == 0) co_return;
        co_await client.send_all(std::span(buffer).first(count));
    }
}

// Asks the server for an echo, and gives whether it came.
Task<bool> is_answered() {
    auto socket = co_await TcpSocket::connect(server_address());
    co_await socket.send_all(bytes_of("ping"));
    std::array<std::byte, 4> answer;
    co_await read_exactly(socket, answer);
    co_return std::memcmp(answer.data(), "ping", 4) == 0;
}

Task<void> wait_for_ever() {
    Event never_set;
    co_await never_set.wait();
}

Task<void> do_nothing() {
    co_return;
}

Task<void> fail_after(Nanoseconds span) {
    co_await sleep(span);
    co_await fail(std::errc::protocol_error);
}

bool contains(std::string_view text, std::string_view words) {
    return text.find(words) != text.npos;
}

// ---- their life ----

TEST(Peers, listen_before_main_begins_and_wait_for_ever_without_harm) {
    Simulation simulation;
    simulation.add_peer(TcpServer(server_address(), echo));
    const auto app = []() -> Task<int> {
        const bool good = co_await is_answered();
        co_return good ? 7 : 1;
    };
    EXPECT_EQ(simulation.run(app), 7);
    EXPECT_FALSE(simulation.deadlocked());
    EXPECT_EQ(simulation.log(), "");
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

TEST(Peers, have_run_until_they_stalled_when_main_begins) {
    Simulation simulation;
    int steps = 0;
    const auto peer = [&]() -> Task<void> {
        for (int i = 0; i < 10; ++i) {
            co_await sleep(0s);
            ++steps;
        }
        co_await sleep(1s);
        ++steps;
    };
    simulation.add_peer(peer);
    const auto app = [&]() -> Task<void> {
        EXPECT_EQ(steps, 10);
        co_await sleep(1h);
        EXPECT_EQ(steps, 11);  // it has ended, and main has not noticed
    };
    EXPECT_EQ(simulation.run(app), 0);
}

TEST(Peers, are_unwound_when_main_has_ended_however_it_did) {
    for (const bool fails : {false, true}) {
        Simulation simulation;
        bool unwound = false;
        const auto peer = [&]() -> Task<void> {
            struct Note {
                ~Note() { flag = true; }
                bool& flag;
            } note{unwound};
            co_await wait_for_ever();
        };
        const auto app = [&]() -> Task<void> {
            co_await sleep(1s);
            EXPECT_FALSE(unwound);
            if (fails) co_await fail(std::errc::no_link);
        };
        simulation.add_peer(peer);
        EXPECT_EQ(simulation.run(app), fails ? 1 : 0);
        EXPECT_TRUE(unwound);
    }
}

// Says goodbye before it closes.
class PoliteClient {
public:
    static Task<PoliteClient> open() {
        auto socket = co_await TcpSocket::connect(server_address());
        co_return PoliteClient(std::move(socket));
    }
    Task<void> close() {
        co_await socket_.send_all(bytes_of("bye"));
        co_await sleep(1s);  // still the server is there
    }

private:
    explicit PoliteClient(TcpSocket socket) : socket_(std::move(socket)) {}
    TcpSocket socket_;
};

TEST(Peers, live_on_while_a_signal_ends_main) {
    Simulation simulation;
    std::array<char, 3> farewell{};
    const auto hear = [&](TcpSocket& client) -> Task<void> {
        co_await read_exactly(client, std::as_writable_bytes(std::span(farewell)));
    };
    simulation.add_peer(TcpServer(server_address(), std::ref(hear)));
    const auto app = []() -> Task<void> {
        const auto wait = [](PoliteClient&) -> Task<void> { co_await wait_for_ever(); };
        world().call_at(
            later(world().now(), 1h), [](void*) { world().raise(SIGTERM); }, nullptr);
        co_await with(PoliteClient::open(), wait);
    };
    EXPECT_EQ(simulation.run(app), 128 + SIGTERM);
    EXPECT_EQ(std::string_view(farewell.data(), 3), "bye");
    EXPECT_FALSE(simulation.deadlocked());
}

TEST(Peers, that_fail_are_named_and_fail_the_run) {
    Simulation simulation;
    simulation.add_peer(fail_after, 3s).named("modem");
    simulation.add_peer(wait_for_ever);
    EXPECT_EQ(simulation.run(wait_for_ever), 1);
    EXPECT_EQ(simulation.log(), "error: the peer 'modem' failed: Protocol error\n");
    EXPECT_EQ(simulation.run(do_nothing), 0);  // main was quicker
}

TEST(Peers, that_fail_while_they_are_cancelled_fail_nothing) {
    Simulation simulation;
    const auto peer = []() -> Task<void> { co_await shield(fail_after(1s)); };
    simulation.add_peer(peer);
    EXPECT_EQ(simulation.run(do_nothing), 0);
    EXPECT_EQ(simulation.log(), "");
}

TEST(Peers, begin_anew_in_each_run) {
    Simulation simulation;
    unsigned calls = 0;
    const auto count = [](unsigned& sum, const std::unique_ptr<unsigned>& by) -> Task<void> {
        sum += *by;
        co_await wait_for_ever();
    };
    simulation.add_peer(count, std::ref(calls), std::make_unique<unsigned>(10));
    EXPECT_EQ(simulation.run(do_nothing), 0);
    EXPECT_EQ(simulation.run(do_nothing), 0);
    EXPECT_EQ(calls, 20u);
}

TEST(Peers, stand_beside_main_in_the_report_of_a_deadlock) {
    Simulation simulation;
    simulation.add_peer(TcpServer(server_address(), echo)).named("server");
    simulation.expect_deadlock();
    simulation.run(wait_for_ever);
    EXPECT_TRUE(simulation.deadlocked());
    const std::string_view report = simulation.deadlock_report();
    EXPECT_TRUE(contains(report, "simulation: main and its peers")) << report;
    EXPECT_TRUE(contains(report, "\n  main: event.wait at peers_test.cpp:")) << report;
    EXPECT_TRUE(contains(report, "\n    server: task group at ")) << report;
    EXPECT_TRUE(contains(report, ": accept at tcp_server.hpp:")) << report;
    EXPECT_FALSE(contains(report, "run until stalled")) << report;
}

TEST(Peers, find_the_world_by_themselves) {
    Simulation simulation;
    const auto peer = []() -> Task<void> {
        co_await sleep(1h);
        world().write_file("/news", "it is one o'clock");
        world().jump_realtime(1h);
    };
    const auto app = []() -> Task<void> {
        const Instant wall = scheduler().now(Clock::realtime);
        co_await sleep(2h);
        EXPECT_EQ(world().file("/news"), "it is one o'clock");
        EXPECT_EQ(Nanoseconds(scheduler().now(Clock::realtime) - wall), 3h);
    };
    simulation.add_peer(peer);
    EXPECT_EQ(simulation.run(app), 0);
}

TEST(Peers, do_not_keep_the_same_seed_from_giving_the_same_run) {
    const auto trace = [](std::uint64_t seed) {
        Simulation simulation({.seed = seed, .latency_max = 1ms, .short_transfers = true});
        simulation.add_peer(TcpServer(server_address(), echo));
        const auto app = []() -> Task<void> {
            const bool good = co_await is_answered();
            EXPECT_TRUE(good);
        };
        EXPECT_EQ(simulation.run(app), 0) << simulation.log();
        return simulation.trace();
    };
    EXPECT_EQ(trace(1), trace(1));
    EXPECT_NE(trace(1), trace(2));
}

// The cut goes to the scenario; the server sees a client that is gone, and the next one is served.
struct AskTwice {
    static void prepare(Simulation& simulation) {
        simulation.add_peer(TcpServer(server_address(), echo)).named("server");
        const auto other = []() -> Task<void> {
            co_await sleep(1s);
            const bool good = co_await is_answered();
            EXPECT_TRUE(good);
            world().write_file("/served", "");
        };
        simulation.add_peer(other).named("other client");
    }
    Task<void> operator()() const {
        const bool good = co_await is_answered();
        EXPECT_TRUE(good);
    }
};

TEST(Peers, live_on_when_an_exploration_cancels_the_scenario) {
    const auto found = ringlet::testing::explore_cancellation(AskTwice());
    EXPECT_GE(found.points, 4u);
    EXPECT_GT(found.cancelled, 0u);
    EXPECT_TRUE(found.is_clean());
}

// ---- mistakes ----

TEST(PeersDeathTest, are_not_added_during_a_run) {
    Simulation simulation;
    const auto app = [&]() -> Task<void> {
        simulation.add_peer(do_nothing);
        co_return;
    };
    EXPECT_DEATH(simulation.run(app), "a peer is added before run\\(\\), not during it");
}

TEST(PeersDeathTest, are_as_many_as_the_options_say) {
    Simulation simulation(SimulationOptions{.peers = 2});
    simulation.add_peer(do_nothing);
    simulation.add_peer(do_nothing);
    EXPECT_DEATH(simulation.add_peer(do_nothing),
                 "there are more peers than SimulationOptions::peers");
    EXPECT_EQ(simulation.run(do_nothing), 0);
}

TEST(Peers, need_room_in_the_limits_of_the_run) {
    static constexpr Limits narrow{.tasks = 1};
    Simulation simulation;
    simulation.add_peer(wait_for_ever).named("first");
    simulation.add_peer(wait_for_ever).named("second");
    EXPECT_EQ(simulation.run<narrow>(wait_for_ever), 1);
    EXPECT_TRUE(contains(simulation.log(),
                         "there is no room for the peer 'second' in the run's Limits"))
        << simulation.log();
}

// ---- servers ----

TEST(TcpServer, serves_many_at_once_and_outlives_the_errors_of_each) {
    Simulation simulation;
    unsigned served = 0;
    const auto serve = [&](TcpSocket& client) -> Task<void> {
        ++served;
        co_await echo(client);
        co_await fail(std::errc::protocol_error);
    };
    simulation.add_peer(TcpServer(server_address(), serve));
    const auto app = []() -> Task<void> {
        auto idle = co_await TcpSocket::connect(server_address());
        for (int i = 0; i < 3; ++i) {
            const bool good = co_await is_answered();
            EXPECT_TRUE(good);
        }
    };
    EXPECT_EQ(simulation.run(app), 0) << simulation.log();
    EXPECT_EQ(served, 4u);
    EXPECT_EQ(simulation.log(), "");
}

TEST(TcpServer, tries_again_after_an_accept_that_failed) {
    Simulation simulation;
    simulation.add_peer(TcpServer(server_address(), echo));
    simulation.world().fail_next(IORING_OP_ACCEPT, ECONNABORTED);
    const auto app = []() -> Task<void> {
        const Instant start = scheduler().now();
        const bool good = co_await is_answered();
        EXPECT_TRUE(good);
        EXPECT_EQ(Nanoseconds(scheduler().now() - start), 1ms);
    };
    EXPECT_EQ(simulation.run(app), 0) << simulation.log();
}

TEST(TcpServer, that_cannot_listen_fails_the_run) {
    Simulation simulation;
    simulation.add_peer(TcpServer(server_address(), echo)).named("first");
    simulation.add_peer(TcpServer(server_address(), echo)).named("second");
    EXPECT_EQ(simulation.run(wait_for_ever), 1);
    EXPECT_TRUE(contains(simulation.log(), "the peer 'second' failed: Address already in use"))
        << simulation.log();
}

// ---- serial devices ----

constexpr const char* port = "/dev/ttyS0";

void make_port(World& where) {
    where.make_folder("/dev");
    where.make_terminal(port);
}

// Answers each line "get N" with N lines, a second after each other.
Task<void> meter() {
    auto device = co_await SerialDevice::open(port);
    std::array<char, 64> storage;
    LineReader commands(device, storage);
    for (;;) {
        const auto command = co_await commands.next();
        if (!command) break;
        EXPECT_TRUE(command->starts_with("get "));
        const int count = command->back() - '0';
        for (int i = 0; i < count; ++i) {
            co_await sleep(1s);
            co_await device.write_all(bytes_of("21.5\r\n"));
        }
    }
}

TEST(SerialDevice, talks_with_the_program_in_its_own_time) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Simulation simulation({.seed = seed, .short_transfers = seed != 0});
        make_port(simulation.world());
        simulation.add_peer(meter).named("meter");
        const auto app = []() -> Task<void> {
            auto line = co_await Terminal::open(port);
            std::array<char, 64> storage;
            LineReader readings(line, storage);
            const Instant start = scheduler().now();
            co_await line.write_all(bytes_of("get 3\n"));
            for (int i = 1; i <= 3; ++i) {
                const auto reading = co_await readings.next();
                EXPECT_EQ(reading, "21.5");
                EXPECT_EQ(Nanoseconds(scheduler().now() - start), i * 1s);
            }
            const auto more = co_await attempt(timeout(1h, readings.next()));
            EXPECT_EQ(more.error(), std::errc::timed_out);
        };
        EXPECT_EQ(simulation.run(app), 0) << simulation.log();
        EXPECT_EQ(simulation.world().open_descriptors(), 3u);
        EXPECT_EQ(simulation.world().terminal(port)->written(), "get 3\n");
    }
}

TEST(SerialDevice, hangs_up_and_both_ends_see_it) {
    Simulation simulation;
    make_port(simulation.world());
    const auto device = []() -> Task<void> {
        auto end = co_await SerialDevice::open(port);
        co_await sleep(1s);
        EXPECT_TRUE(end.is_raw());
        end.hang_up();
        std::array<std::byte, 8> buffer;
        const auto count = co_await end.read(buffer);
        EXPECT_EQ(count, 0u);
        const auto sent = co_await attempt(end.write_all(bytes_of("x")));
        EXPECT_EQ(sent.error(), std::errc::io_error);
    };
    const auto app = []() -> Task<void> {
        auto line = co_await Terminal::open(port);
        std::array<std::byte, 8> buffer;
        const auto count = co_await line.read(buffer);
        EXPECT_EQ(count, 0u);
    };
    simulation.add_peer(device);
    EXPECT_EQ(simulation.run(app), 0) << simulation.log();
}

TEST(SerialDevice, waits_while_the_line_is_full) {
    Simulation simulation(SimulationOptions{.terminal_bytes = 16});
    make_port(simulation.world());
    bool all_sent = false;
    const auto device = [&]() -> Task<void> {
        auto end = co_await SerialDevice::open(port);
        co_await end.write_all(bytes_of("0123456789abcdef0123456789abcdef"));
        all_sent = true;
    };
    const auto app = [&]() -> Task<void> {
        auto line = co_await Terminal::open(port);
        co_await sleep(1h);
        EXPECT_FALSE(all_sent);
        std::array<std::byte, 32> buffer;
        co_await read_exactly(line, buffer);
        EXPECT_EQ(std::memcmp(&buffer[16], "0123456789abcdef", 16), 0);
        EXPECT_TRUE(all_sent);
    };
    simulation.add_peer(device);
    EXPECT_EQ(simulation.run(app), 0) << simulation.log();
}

TEST(SerialDevice, needs_a_terminal_at_its_path) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    simulation.world().write_file(port, "");
    simulation.add_peer(meter).named("meter");
    EXPECT_EQ(simulation.run(wait_for_ever), 1);
    EXPECT_TRUE(contains(simulation.log(), "the peer 'meter' failed: No such file or directory"))
        << simulation.log();
}

}  // namespace
