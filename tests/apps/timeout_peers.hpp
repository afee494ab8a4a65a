// What is probed in a simulated world: peers that do what a script says, and how a run ends.
#pragma once

#include <monitor.hpp>

#include <ringlet/flow/task_group.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/io/unix.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace timeout_app {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Nanoseconds;
using ringlet::Task;
using ringlet::TaskGroup;
using ringlet::TcpListener;
using ringlet::TcpSocket;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;

inline constexpr ringlet::Limits test_limits{
    .tasks = 8 * endpoints_max,
    .operations = 512,
    .descriptors = 512,
    .frames = {{128, 1024}, {256, 1024}, {512, 1024}, {1024, 512}, {2048, 256}, {8192, 16}}};

// What a peer does with a connection.
struct Script {
    std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    std::string_view body = "body";
    Nanoseconds head_delay{0};
    Nanoseconds body_delay{0};
    bool stays_silent = false;  // does not even read
};

inline constexpr Nanoseconds for_ever = 1000h;
inline constexpr Script answers{};
inline constexpr Script fails{
    .head = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", .body = ""};

// A listener whose n-th connection gets the n-th script; further ones get the last.
class Peer {
public:
    static constexpr std::size_t connections_max = 512;

    Peer(std::uint16_t port, std::vector<Script> scripts)
        : port_(port), scripts_(std::move(scripts)) {}

    Task<void> serve() {
        auto listener = co_await TcpListener::listen(ringlet::loopback_address(port_));
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (;;) {
                auto socket = co_await attempt(listener.accept());
                if (!socket) continue;
                accepted_[count_] = ringlet::scheduler().now();
                const std::size_t which = std::min(count_, scripts_.size() - 1);
                ++count_;
                group.spawn(serve_one, std::move(*socket), std::ref(scripts_[which]));
            }
        });
    }

    // When the connections came, in milliseconds since the world's beginning.
    std::vector<double> accepted_ms() const {
        std::vector<double> times;
        for (std::size_t i = 0; i < count_; ++i) {
            times.push_back(static_cast<double>(accepted_[i] - 1'000'000'000) / 1e6);
        }
        return times;
    }
    std::size_t count() const { return count_; }
    void clear() { count_ = 0; }

private:
    static Task<void> serve_one(TcpSocket socket, const Script& script) {
        if (script.stays_silent) co_await ringlet::sleep(for_ever);
        std::array<std::byte, 1024> request;
        const auto got = co_await attempt(socket.receive(request));
        if (!got || *got == 0) co_return;
        co_await ringlet::sleep(script.head_delay);
        const auto head = co_await attempt(socket.send_all(ringlet::bytes_of(script.head)));
        if (!head) co_return;
        co_await ringlet::sleep(script.body_delay);
        const auto body = co_await attempt(socket.send_all(ringlet::bytes_of(script.body)));
        static_cast<void>(body);  // the probe may have gone
    }

    std::uint16_t port_;
    std::vector<Script> scripts_;
    std::size_t count_ = 0;
    std::array<ringlet::Instant, connections_max> accepted_{};
};

// Too big for a stack. The tallies outlive the run.
inline std::optional<Monitor> subject;
inline Tally tallies[endpoints_max];

inline Task<int> run_monitor(const Settings& settings, std::span<const Endpoint> endpoints) {
    struct Reset {
        ~Reset() {
            std::size_t index = 0;
            for (const Watched& each : subject->watched()) tallies[index++] = each.tally;
            subject.reset();
        }
    } reset;
    subject.emplace(settings, endpoints);
    co_return co_await subject->run();
}

// The monitor beside its peers.
struct Scene {
    Settings settings;
    std::vector<Endpoint> endpoints;
    std::vector<Peer*> peers = {};

    Scene(const Settings& what, const std::vector<std::string_view>& names,
          std::vector<Peer*> others)
        : settings(what), peers(std::move(others)) {
        for (const std::string_view each : names) {
            ringlet::FixedText<256> why;
            const auto endpoint = parse_endpoint(each, why);
            if (!endpoint) ADD_FAILURE() << each << ": " << why.view();
            if (endpoint) endpoints.push_back(*endpoint);
        }
    }

    Task<int> run() {
        int status = -1;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (Peer* const each : peers) group.spawn(&Peer::serve, std::ref(*each));
            co_await ringlet::sleep(0s);  // they listen
            status = co_await run_monitor(settings, endpoints);
            group.cancel_tasks();
        });
        co_return status;
    }
};

inline SimulationOptions options_for(std::uint64_t seed) {
    return {.seed = seed,
            .latency_max = seed == 0 ? 0us : 300us,
            .short_transfers = seed != 0,
            .descriptors = 512,
            .pipes = 1,
            .sockets = 512,
            .socket_bytes = 4096,
            .files = 12,
            .file_bytes = 8192,
            .output_bytes = 512 * 1024};
}

// Runs the scene, which must not deadlock, and leaves nothing open. Gives the exit status.
inline int run_scene(Simulation& simulation, Scene& scene) {
    const int status = simulation.run<test_limits>([&] { return scene.run(); });
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_EQ(simulation.report().oversized_frames, 0u);
    return status;
}

inline std::size_t occurrences(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
    return count;
}

inline Settings quick_settings() {
    Settings settings;
    settings.step = 500ms;
    settings.deadline = 5s;
    settings.retries = 0;
    settings.count = 1;
    settings.jsonl = true;
    return settings;
}

}  // namespace timeout_app
