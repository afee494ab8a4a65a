#include <sources.hpp>

#include <serial_line.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/can/socket.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/gpio/lines.hpp>
#include <ringlet/i2c/lm75.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/ticker.hpp>
#include <ringlet/uart/uart.hpp>

#include <cstdio>

namespace station {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;
using ringlet::timeout;

namespace {

// A device that says nothing for so long is left waiting for a moment, to vote.
constexpr ringlet::Nanoseconds quiet = 5s;
// What a measurement takes at most: it waits for its bus.
constexpr ringlet::Nanoseconds transfer_max = 2s;

constexpr std::size_t serial_line_bytes_max = 80;

bool was_quiet(ringlet::Error error) {
    return error == std::errc::timed_out && error.domain() == ringlet::Domain::runtime;
}

std::uint64_t errors_of(const ringlet::uart::Counters& counters) {
    return std::uint64_t{counters.parity} + counters.framing + counters.overruns +
           counters.buffer_overruns;
}

// A signed number of 16 bits, as CANopen has it: the low byte first.
std::optional<Reading> read_frame(const ringlet::can::Frame& frame) {
    if (frame.remote || frame.size < 2) return std::nullopt;
    char name[channel_bytes_max + 1];
    std::snprintf(name, sizeof name, frame.extended ? "can-%08x" : "can-%03x", frame.id);
    const auto low = static_cast<std::uint16_t>(frame.data[0]);
    const auto high = static_cast<std::uint16_t>(frame.data[1]);
    return Reading(name, static_cast<std::int16_t>(high << 8 | low));
}

}  // namespace

void Sources::spawn(ringlet::TaskGroup& group, ringlet::health::Supervisor& supervisor) {
    const auto one = [&](bool is_there, Part part, Read read) {
        if (!is_there) return;
        group.spawn(&Sources::read_for_ever, std::ref(*this), std::ref(supervisor), part, read)
            .named(name(part));
    };
    one(devices_.sensors != nullptr, Part::sensor, &Sources::read_sensor);
    one(devices_.button.has_value(), Part::button, &Sources::read_button);
    one(devices_.serial != nullptr, Part::serial, &Sources::read_serial);
    one(devices_.can != nullptr, Part::can, &Sources::read_can);
}

Task<void> Sources::read_for_ever(ringlet::health::Supervisor& supervisor, Part part, Read read) {
    Voter vote(supervisor, 2 * quiet + transfer_max);
    for (;;) {
        const auto ended = co_await attempt((this->*read)(vote));
        condition_.note_ill(part, ended ? ringlet::Error(std::errc::io_error) : ended.error());
        vote.alive();
        co_await ringlet::sleep(before_next_try);
    }
}

void Sources::show_alive(Voter& vote, Part part) {
    vote.alive();
    condition_.note_well(part);
}

Task<void> Sources::read_sensor(Voter& vote) {
    auto bus = co_await ringlet::i2c::Bus::open(devices_.sensors);
    ringlet::i2c::Lm75 thermometer(bus, static_cast<std::uint8_t>(settings_.sensor_address),
                                   ringlet::i2c::tmp102_bits);
    // Also one that measures seldom votes often.
    const auto slices = (settings_.sensor_every + quiet - 1ns) / quiet;
    ringlet::Ticker slice(settings_.sensor_every / slices);
    for (;;) {
        const int millicelsius = co_await thermometer.read_millicelsius();
        const Reading reading("temperature", millicelsius / 1e3);
        co_await readings_.put(reading);
        show_alive(vote, Part::sensor);
        for (auto left = slices; left > 0; --left) {
            co_await slice.tick();
            vote.alive();
        }
    }
}

Task<void> Sources::read_button(Voter& vote) {
    auto button = co_await ringlet::gpio::Lines::open_input(
        *devices_.button,
        {.edges = ringlet::gpio::Edges::rising,
         .debounce = std::chrono::duration_cast<std::chrono::microseconds>(settings_.debounce),
         .consumer = "station"});
    const Reading press("button", 1);
    std::uint64_t lost = 0;
    for (;;) {
        const auto event = co_await attempt(timeout(quiet, button.next()));
        if (!event && !was_quiet(event.error())) co_await ringlet::fail(event.error());
        if (event) co_await readings_.put(press);
        losses_.edges += button.lost() - lost;
        lost = button.lost();
        show_alive(vote, Part::button);
    }
}

Task<void> Sources::read_serial(Voter& vote) {
    // A byte that came broken is a zero, which no good line has: dropped, it could leave one with
    // another number in it.
    auto line = co_await ringlet::uart::Uart::open(
        devices_.serial,
        {.baud = settings_.baud, .bad_bytes = ringlet::uart::BadBytes::zero});
    ringlet::LineReader lines(
        line, line_storage_,
        {.line_bytes_max = serial_line_bytes_max, .last_without_end = false});
    const std::uint64_t errors_before = losses_.line_errors;
    for (;;) {
        const auto next = co_await attempt(timeout(quiet, lines.next()));
        const auto counted = line.counters();
        if (counted) losses_.line_errors = errors_before + errors_of(*counted);
        const bool too_long = !next && next.error() == ringlet::line_too_long;
        if (!next && !too_long && !was_quiet(next.error())) co_await ringlet::fail(next.error());
        if (next && !*next) co_await ringlet::fail(std::errc::no_such_device);  // was hung up
        // The first may be a line's tail, which has a name, too.
        const auto checksum = lines.line_number() == 1 ? Checksum::required : Checksum::optional;
        const auto reading = next ? parse_serial_line(**next, checksum)
                                  : std::expected<Reading, const char*>(std::unexpect, "too long");
        if (reading) co_await readings_.put(*reading);
        else if (next || too_long) ++losses_.bad_lines;
        show_alive(vote, Part::serial);
    }
}

Task<void> Sources::read_can(Voter& vote) {
    auto bus = co_await ringlet::can::Socket::open(devices_.can);
    std::uint64_t lost = 0;
    for (;;) {
        const auto got = co_await attempt(timeout(quiet, bus.receive()));
        vote.alive();
        losses_.can_frames += bus.lost() - lost;
        lost = bus.lost();
        if (!got && !was_quiet(got.error())) co_await ringlet::fail(got.error());
        if (got && got->is_error) {
            if (got->report.is_bus_off()) condition_.note_ill(Part::can, std::errc::network_down);
            continue;
        }
        const auto reading = got ? read_frame(got->frame) : std::nullopt;
        if (reading) co_await readings_.put(*reading);
        else if (got) ++losses_.bad_frames;
        // The socket stays: it hears the bus again when whoever set up the interface restarts it.
        if (got || bus.state() != ringlet::can::BusState::off) show_alive(vote, Part::can);
    }
}

}  // namespace station
