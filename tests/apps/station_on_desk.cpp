// station-on-desk: the station with simulated devices and a simulated server, in virtual time: ten
// minutes in a moment. Its log, what the server took, and what happened meanwhile:
//
//   station-on-desk [SEED]
#include <apps/station_desk.hpp>

#include <ringlet/time/sleep.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace std::chrono_literals;
using ringlet::Task;
using station::Desk;
using station::Mood;

double seconds(ringlet::Nanoseconds span) {
    return static_cast<double>(span.count()) / 1e9;
}

void print_batch(std::string_view batch, ringlet::Nanoseconds since_start) {
    std::printf("%7.3f s  server has %.*s", seconds(since_start), static_cast<int>(batch.size()),
                batch.data());
}

void say(Desk& desk, const char* words) {
    std::printf("%7.3f s  * %s\n", seconds(desk.since_start()), words);
}

Task<void> happen(Desk& desk) {
    co_await ringlet::sleep(45s);
    say(desk, "the server goes away");
    desk.server = Mood::breaks;
    co_await ringlet::sleep(60s);
    say(desk, "the thermometer is unplugged");
    desk.thermometer.deaf = true;
    co_await ringlet::sleep(60s);
    say(desk, "the server is back");
    desk.server = Mood::well;
    co_await ringlet::sleep(60s);
    say(desk, "the thermometer is plugged in again; the CAN bus goes down");
    desk.thermometer.deaf = false;
    desk.can.set_up(false);
    co_await ringlet::sleep(60s);
    say(desk, "the CAN bus is up again; the disk is full");
    desk.can.set_up(true);
    desk.world().set_disk_bytes(0);
    co_await ringlet::sleep(60s);
    say(desk, "the disk has room again");
    desk.world().set_disk_bytes(4u << 20);
}

}  // namespace

int main(int count, char** arguments) {
    const std::uint64_t seed = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1;
    ringlet::testing::Simulation simulation({.seed = seed, .files = 16, .file_bytes = 1u << 20});
    Desk desk(simulation, {.config = "\"window\": \"30s\"",
                           .speaks_for = 590s,
                           .runs_for = 600s,
                           .on_batch = print_batch});
    desk.meanwhile(happen);
    const int status = desk.run();
    const std::string_view log = simulation.log();
    std::printf("\nThe station's log:\n%.*s", static_cast<int>(log.size()), log.data());
    return status == 143 ? 0 : 1;
}
