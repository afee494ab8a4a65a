// The devices, the server, and the station between them.
#include <apps/station_desk.hpp>

#include <command.hpp>
#include <window.hpp>

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/can/socket.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/serial_device.hpp>
#include <ringlet/testing/tcp_server.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <charconv>
#include <csignal>

namespace station {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Nanoseconds;
using ringlet::Task;
using ringlet::testing::Simulation;

namespace {

constexpr ringlet::Limits limits{
    .tasks = 64,
    .operations = 64,
    .descriptors = 64,
    .frames = {{128, 128}, {256, 128}, {512, 128}, {1024, 64}, {2048, 32}, {8192, 8}},
    .workers = 1};

constexpr std::uint16_t port = 8080;
constexpr unsigned button_line = 0;
constexpr const char* line_path = "/dev/ttyS0";

constexpr std::string_view board_file = R"({
    "name": "desk",
    "pins": {"button": {"chip": "lab", "line": 0, "active": "low", "bias": "pull_up"},
             "led": {"chip": "lab", "line": 1}},
    "buses": {"sensors": {"kind": "i2c", "device": "/dev/i2c-1"},
              "serial": {"kind": "uart", "device": "/dev/ttyS0"},
              "can": {"kind": "can", "interface": "can0"},
              "watchdog": {"kind": "watchdog", "device": "/dev/watchdog0"}}
})";
constexpr std::string_view config_file = R"({
    "name": "desk", "url": "http://127.0.0.1:8080/batches", "board": "/etc/board.json",
    "sensor": "sensors", "button": "button", "serial": "serial", "can": "can", "led": "led",
    "watchdog": "watchdog", "store": "/var/store")";
constexpr const char* config_path = "/etc/station.json";

ringlet::testing::World& with_folders(ringlet::testing::World& world) {
    world.make_folder("/dev");
    world.make_folder("/etc");
    world.make_folder("/var");
    return world;
}

std::string_view answer_of(Mood mood) {
    switch (mood) {
        case Mood::is_busy:
            return "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nLater";
        case Mood::refuses:
            return "HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 0\r\n\r\n";
        default: return "HTTP/1.1 204 No Content\r\n\r\n";
    }
}

}  // namespace

Desk::Desk(Simulation& simulation, const DeskOptions& options)
    : sensors(with_folders(simulation.world()), "/dev/i2c-1"),
      pins(simulation.world(), "/dev/gpiochip0", {.label = "lab"}),
      line(simulation.world().make_terminal(line_path)),
      // Slow: what nobody acknowledges is sent again and again.
      bus(simulation.world(), {.bitrate = 20'000}),
      can(bus.add("can0")),
      other(bus.add("can1")),
      watchdog(simulation.world(), "/dev/watchdog0"),
      simulation_(simulation),
      options_(options),
      random_(simulation.world().options().seed + 1),
      request_(2 * batch_bytes_max) {
    taken_.reserve(4096 * 1024);
    batches_.reserve(16 * 1024);
    sensors.attach(0x48, thermometer);
    thermometer.set_millicelsius(20'000);
    pins.drive(button_line, true);
    write_files();
    simulation.add_peer(&Desk::speak_on_line, this).named("serial device");
    simulation.add_peer(&Desk::speak_on_can, this).named("CAN device");
    simulation.add_peer(&Desk::press_button, this).named("finger");
    simulation.add_peer(&Desk::warm_up, this).named("sun");
    simulation.add_peer(&Desk::stop_later, this).named("operator");
    const auto serve = [this](Socket& client) { return this->serve(client); };
    simulation.add_peer(ringlet::testing::TcpServer(ringlet::loopback_address(port), serve))
        .named("server");
}

void Desk::write_files() {
    world().write_file("/etc/board.json", board_file);
    std::string config(config_file);
    if (!options_.config.empty()) config += ", ";
    world().write_file(config_path, config + options_.config + "}");
}

int Desk::run() {
    static char name[] = "station";
    static char option[] = "--config=/etc/station.json";
    static char* arguments[] = {name, option, nullptr};
    started_ = world().now();
    return simulation_.run<limits>(run_command, 2, arguments);
}

Nanoseconds Desk::since_start() const {
    return Nanoseconds(simulation_.world().now() - started_);
}

Nanoseconds Desk::pause(unsigned least_ms, unsigned most_ms) {
    return std::chrono::milliseconds(random_.between(least_ms, most_ms));
}

// ---- devices ----

Task<void> Desk::speak_on_line() {
    auto device = co_await ringlet::testing::SerialDevice::open(line_path);
    while (speaks()) {
        co_await ringlet::sleep(pause(50, 400));
        ringlet::FixedText<64> text;
        text.append("humidity=");
        text.append_fixed(static_cast<double>(random_.between(200, 809)) / 10, 1);
        unsigned sum = 0;
        for (const char byte : text.view()) sum ^= static_cast<unsigned char>(byte);
        text.format("*%02X\r\n", sum);
        const auto sent = co_await attempt(device.write_all(ringlet::bytes_of(text.view())));
        lines_sent += sent ? 1 : 0;
    }
}

Task<void> Desk::speak_on_can() {
    auto socket = co_await ringlet::can::Socket::open("can1");
    while (speaks()) {
        co_await ringlet::sleep(pause(20, 200));
        const std::array bytes{static_cast<std::byte>(random_.between(0, 255)), std::byte{0}};
        const auto frame = ringlet::can::make_frame(0x123, bytes);
        const auto sent = co_await attempt(socket.send(frame));
        frames_sent += sent ? 1 : 0;
    }
}

Task<void> Desk::press_button() {
    while (speaks()) {
        co_await ringlet::sleep(pause(200, 3000));
        pins.drive(button_line, false);
        co_await ringlet::sleep(50ms);
        pins.drive(button_line, true);
        ++presses;
    }
}

Task<void> Desk::warm_up() {
    for (int millicelsius = 20'000;; millicelsius += 125) {
        thermometer.set_millicelsius(millicelsius);
        co_await ringlet::sleep(10s);
    }
}

Task<void> Desk::stop_later() {
    co_await ringlet::sleep(options_.runs_for);
    world().raise(SIGTERM);
}

// ---- the server ----

// The body of the next request; empty at the end.
Task<std::string_view> Desk::hear(Socket& client) {
    constexpr std::string_view blank_line = "\r\n\r\n";
    constexpr std::string_view length_header = "Content-Length: ";
    std::size_t size = 0;
    for (;;) {
        const std::string_view heard(request_.data(), size);
        const std::size_t head = heard.find(blank_line);
        const std::size_t length_at = heard.find(length_header);
        if (head != heard.npos && length_at < head) {
            std::size_t length = 0;
            const char* const digits = heard.data() + length_at + length_header.size();
            std::from_chars(digits, heard.data() + head, length);
            const std::string_view body = heard.substr(head + blank_line.size());
            if (body.size() >= length) co_return body;
        }
        const auto room = std::as_writable_bytes(std::span(request_).subspan(size));
        const std::size_t count = co_await client.receive(room);
        if (count == 0) co_return std::string_view();
        size += count;
    }
}

void Desk::take(std::string_view batch) {
    RINGLET_ASSERT(taken_.size() + batch.size() <= taken_.capacity());
    const std::size_t at = taken_.size();
    taken_.insert(taken_.end(), batch.begin(), batch.end());
    RINGLET_ASSERT(batches_.size() < batches_.capacity());
    batches_.emplace_back(taken_.data() + at, batch.size());
    if (options_.on_batch != nullptr) options_.on_batch(batch, since_start());
}

Task<void> Desk::serve(Socket& client) {
    for (;;) {
        if (server == Mood::is_silent) co_return co_await ringlet::sleep(24h);
        const std::string_view batch = co_await hear(client);
        const Mood mood = server;
        if (batch.empty() || mood == Mood::breaks) co_return;
        if (mood == Mood::well || mood == Mood::forgets) take(batch);
        if (mood == Mood::forgets) co_return;
        if (mood == Mood::is_silent) co_return co_await ringlet::sleep(24h);
        co_await client.send_all(ringlet::bytes_of(answer_of(mood)));
    }
}

}  // namespace station
