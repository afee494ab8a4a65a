// The whole station on a simulated desk: what its devices say comes to the server, whatever happens
// in between.
#include <apps/station_desk.hpp>

#include <command.hpp>
#include <settings.hpp>
#include <window.hpp>

#include <support/cases.hpp>

#include <ringlet/app/json.hpp>
#include <ringlet/can/socket.hpp>
#include <ringlet/testing/terminal_line.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace station {
namespace {

using namespace std::chrono_literals;
using ringlet::Nanoseconds;
using ringlet::Task;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;

ringlet::JsonArena<64_KiB> json;

// What the server knows in the end.
struct Known {
    std::map<std::uint64_t, std::string> batches;  // by sequence
    std::map<std::string, std::uint64_t> counts;   // readings, by channel
    std::map<std::string, std::uint64_t> lost;     // as the last batch tells
    unsigned again = 0;                            // batches that came once more

    explicit Known(const Desk& desk) {
        for (const std::string_view text : desk.batches()) take(text);
    }

    void take(std::string_view text) {
        const auto document = json.parse(text);
        ASSERT_TRUE(document) << json.message() << "\n" << text;
        const auto root = document->root();
        const auto sequence = static_cast<std::uint64_t>(*root.integer("sequence"));
        const auto [place, is_new] = batches.emplace(sequence, text);
        if (!is_new) {
            ++again;
            EXPECT_EQ(place->second, text) << "another batch with the same number";
            return;
        }
        const auto channels = root.member("channels");
        for (const auto channel : *channels) {
            counts[std::string(channel.key())] +=
                static_cast<std::uint64_t>(*channel.integer("count"));
        }
        const auto its_lost = root.member("lost");
        for (const auto one : *its_lost) {
            lost[std::string(one.key())] = static_cast<std::uint64_t>(*one.as_integer());
        }
    }

    std::uint64_t count(const char* channel) const {
        const auto found = counts.find(channel);
        return found == counts.end() ? 0 : found->second;
    }
    bool has_all_from_1() const {
        return !batches.empty() && batches.begin()->first == 1 &&
               batches.rbegin()->first == batches.size();
    }
    std::uint64_t lost_in_all() const {
        std::uint64_t sum = 0;
        for (const auto& one : lost) sum += one.second;
        return sum;
    }
};

SimulationOptions world_for(std::uint64_t seed) {
    SimulationOptions options = ringlet::testing::seeded(seed);
    options.files = 16;
    options.file_bytes = 512_KiB;
    return options;
}

// Once more, on a board whose devices are silent and before a server that is well: for what was
// still in the store.
void run_until_all_is_sent(Desk& desk) {
    desk.server = Mood::well;
    desk.options().speaks_for = 0s;
    desk.options().runs_for = 10s;
    int status = desk.run();
    // As a service manager would: faults may be left over for the start.
    for (int tries = 1; status == 1 && tries < 20; ++tries) status = desk.run();
    EXPECT_EQ(status, 143) << desk.simulation().log();
}

void expect_clean_end(Desk& desk) {
    EXPECT_FALSE(desk.watchdog.is_running());
    EXPECT_FALSE(desk.watchdog.has_barked());
    EXPECT_FALSE(desk.pins.level(Desk::led_line));
    EXPECT_EQ(desk.world().open_descriptors(), 3u);
    EXPECT_EQ(desk.simulation().report().oversized_frames, 0u);
}

TEST(Station, posts_what_its_devices_say) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "2s")", .speaks_for = 60s, .runs_for = 65s});
    EXPECT_EQ(desk.run(), 143) << simulation.log();
    expect_clean_end(desk);
    run_until_all_is_sent(desk);
    const Known known(desk);
    EXPECT_TRUE(known.has_all_from_1());
    EXPECT_EQ(known.count("humidity"), desk.lines_sent);
    EXPECT_EQ(known.count("can-123"), desk.frames_sent);
    EXPECT_EQ(known.count("button"), desk.presses);
    EXPECT_NEAR(static_cast<double>(known.count("temperature")), 65 + 10, 2);
    EXPECT_EQ(known.counts.size(), 4u);
    EXPECT_EQ(known.lost_in_all(), 0u);
    EXPECT_GT(desk.lines_sent, 100u);
    EXPECT_EQ(simulation.log().find("warning"), std::string_view::npos) << simulation.log();
}

// ---- whatever happens ----

// One of what may happen to a station, drawn.
void make_mischief(Desk& desk) {
    auto& random = desk.random();
    auto& world = desk.world();
    switch (random.between(0, 8)) {
        case 0: desk.server = static_cast<Mood>(random.between(0, 5)); break;
        case 1: desk.thermometer.deaf = random.between(0, 1) == 0; break;
        case 2: desk.sensors.fail_next(EIO, static_cast<unsigned>(random.between(1, 3))); break;
        case 3: desk.sensors.slow_down(random.between(0, 1) == 0 ? 0ms : 300ms); break;
        case 4: world.set_disk_bytes(random.between(0, 1) == 0 ? 0 : 4_MiB); break;
        case 5: world.fail_next(IORING_OP_FSYNC, EIO); break;
        case 6: world.hang_disk(std::chrono::milliseconds(random.between(1, 3000))); break;
        case 7: desk.sensors.get_stuck(random.between(0, 1) == 0); break;
        default: desk.can.set_up(random.between(0, 1) == 0); break;
    }
}

// The batches that the server did not want.
std::set<std::uint64_t> refused_in(std::string_view log) {
    constexpr std::string_view words = "server: refuses batch ";
    std::set<std::uint64_t> numbers;
    for (auto at = log.find(words); at != log.npos; at = log.find(words, at + 1)) {
        numbers.insert(std::strtoull(log.data() + at + words.size(), nullptr, 10));
    }
    return numbers;
}

constexpr Nanoseconds mischief_for = 20s;

Task<void> mischief(Desk& desk) {
    while (desk.since_start() < mischief_for) {
        co_await ringlet::sleep(std::chrono::milliseconds(desk.random().between(50, 1500)));
        if (desk.options().speaks_for > 0s) make_mischief(desk);
    }
    desk.server = Mood::well;
    desk.thermometer.deaf = false;
    desk.sensors.slow_down(0ms);
    desk.sensors.get_stuck(false);
    desk.world().set_disk_bytes(4_MiB);
    desk.can.set_up(true);
}

// The station is stopped in the midst of it, or when all is well again.
void run_through_mischief(std::uint64_t seed) {
    Simulation simulation(world_for(seed));
    Desk desk(simulation, {.config = R"("window": "1s", "post-timeout": "2s", "retry-max": "2s")",
                           .speaks_for = 16s,
                           .runs_for = 26s});
    desk.meanwhile(mischief);
    ASSERT_EQ(desk.run(), 143) << simulation.log();
    expect_clean_end(desk);
    run_until_all_is_sent(desk);
    expect_clean_end(desk);
    const Known known(desk);
    // Each is there, or the server had refused it.
    const auto refused = refused_in(simulation.log());
    for (std::uint64_t sequence = 1; sequence <= known.batches.rbegin()->first; ++sequence) {
        ASSERT_TRUE(known.batches.contains(sequence) || refused.contains(sequence)) << sequence;
    }
    if (!refused.empty()) return;
    ASSERT_EQ(known.count("humidity"), desk.lines_sent) << simulation.log();
    ASSERT_EQ(known.count("button"), desk.presses) << simulation.log();
    ASSERT_LE(known.count("can-123"), desk.frames_sent) << simulation.log();
}

TEST(Station, loses_nothing_whatever_happens) {
    ringlet::testing::for_each_seed(100, run_through_mischief, 1);
}

// ---- one by one ----

Task<void> server_away_for_a_minute(Desk& desk) {
    desk.server = Mood::breaks;
    co_await ringlet::sleep(60s);
    desk.server = Mood::well;
}

TEST(Station, keeps_the_newest_batches_that_the_store_has_room_for_and_tells_of_the_others) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "2s", "store-batches": 5, "retry-max": "1s")",
                           .speaks_for = 90s,
                           .runs_for = 100s});
    desk.meanwhile(server_away_for_a_minute);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    const std::uint64_t last = known.batches.rbegin()->first;
    EXPECT_EQ(last, 49u);
    const std::uint64_t lost = last - known.batches.size();
    EXPECT_GT(lost, 20u);
    // One may have been on its way when it lost its place, and come nevertheless.
    EXPECT_NEAR(static_cast<double>(known.lost.at("batches")), static_cast<double>(lost), 1);
    for (std::uint64_t sequence = 31; sequence <= last; ++sequence) {
        EXPECT_TRUE(known.batches.contains(sequence)) << sequence;
    }
}

Task<void> refuse_one(Desk& desk) {
    co_await ringlet::sleep(5s);
    desk.server = Mood::refuses;
    co_await ringlet::sleep(2s);
    desk.server = Mood::well;
}

TEST(Station, gives_up_a_batch_that_the_server_never_wants) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "2s")", .speaks_for = 18s, .runs_for = 19s});
    desk.meanwhile(refuse_one);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    EXPECT_EQ(known.batches.size(), 8u);
    EXPECT_FALSE(known.batches.contains(3));
    EXPECT_EQ(known.lost.at("refused"), 1u);
    EXPECT_TRUE(refused_in(simulation.log()).contains(3));
}

Task<void> forget_for_a_while(Desk& desk) {
    desk.server = Mood::forgets;
    co_await ringlet::sleep(5s);
    desk.server = Mood::well;
}

TEST(Station, sends_a_batch_again_whose_answer_was_lost) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "2s", "retry-max": "1s")",
                           .speaks_for = 18s,
                           .runs_for = 19s});
    desk.meanwhile(forget_for_a_while);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    EXPECT_TRUE(known.has_all_from_1());
    EXPECT_GT(known.again, 0u);
}

Task<void> hang_the_disk(Desk& desk) {
    co_await ringlet::sleep(20s);
    desk.world().hang_disk(60s);
}

TEST(Station, lets_the_watchdog_bark_when_a_task_is_stuck_and_names_it) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "2s", "watchdog-timeout": "10s")"});
    desk.meanwhile(hang_the_disk);
    EXPECT_EQ(desk.run(), 143);
    EXPECT_TRUE(desk.watchdog.has_barked());
    const auto after = Nanoseconds(desk.watchdog.barked_at() - 1'000'000'000);
    EXPECT_GT(after, 20s + 10s + 5s);
    EXPECT_LT(after, 20s + 2s + 10s + 10s + 1s);
    EXPECT_NE(simulation.log().find("health: store has not voted"), std::string_view::npos)
        << simulation.log();
    EXPECT_NE(simulation.log().find("health: store votes again"), std::string_view::npos);
    run_until_all_is_sent(desk);
    EXPECT_TRUE(Known(desk).has_all_from_1());
}

TEST(Station, votes_in_time_also_if_it_measures_seldom) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("sensor-every": "33s", "watchdog-timeout": "10s")",
                           .runs_for = 100s});
    EXPECT_EQ(desk.run(), 143);
    run_until_all_is_sent(desk);
    EXPECT_EQ(Known(desk).count("temperature"), 4u) << simulation.log();
    EXPECT_EQ(simulation.log().find("has not voted"), std::string_view::npos) << simulation.log();
    EXPECT_FALSE(desk.watchdog.has_barked());
}

// Turns of the LED in the first twenty seconds, and in those after.
unsigned turns_when_well;
unsigned turns_when_ill;

Task<void> watch_led(Desk& desk) {
    turns_when_well = turns_when_ill = 0;
    bool was_on = false;
    for (;;) {
        co_await ringlet::sleep(10ms);
        const bool ill = desk.since_start() > 20s;
        if (ill) desk.thermometer.deaf = true;
        const bool is_on = desk.pins.level(Desk::led_line);
        if (is_on != was_on) ++(ill ? turns_when_ill : turns_when_well);
        was_on = is_on;
    }
}

TEST(Station, shows_by_its_led_how_it_is) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.speaks_for = 40s, .runs_for = 40s});
    desk.meanwhile(watch_led);
    EXPECT_EQ(desk.run(), 143);
    EXPECT_NEAR(turns_when_well, 20, 3);
    EXPECT_NEAR(turns_when_ill, 200, 30);
}

const std::string too_long = std::string(300, 'x') + "\r\n";

Task<void> replace_the_serial_device(Desk& desk) {
    co_await ringlet::sleep(10s);
    desk.line.feed("humidity=1.0");  // the end of the line never comes
    desk.line.hang_up();
    co_await ringlet::sleep(5s);
    desk.line.plug_in();
    co_await ringlet::sleep(5s);
    desk.line.feed("pressure=1013.2*27\r\npressure=1013*00\r\npressure\r\n=5\r\npressure=nan\r\n");
    desk.line.feed(too_long);
}

TEST(Station, reads_on_when_a_serial_device_is_plugged_in_again) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.speaks_for = 0s, .runs_for = 41s});
    desk.meanwhile(replace_the_serial_device);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    EXPECT_EQ(known.count("pressure"), 1u);
    EXPECT_FALSE(known.counts.contains("humidity"));
    EXPECT_EQ(known.lost.at("bad_lines"), 5u);
    EXPECT_NE(simulation.log().find("serial: No such device; trying again"),
              std::string_view::npos);
    EXPECT_NE(simulation.log().find("serial: well again"), std::string_view::npos);
}

std::size_t count_in(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
    return count;
}

Task<void> fail_reads_of_the_store(Desk& desk) {
    auto other = co_await ringlet::can::Socket::open("can1");
    const std::array value{std::byte{1}, std::byte{0}};
    for (int i = 0;; ++i) {
        if (i == 10) {
            for (int reads = 0; reads < 5; ++reads) desk.world().fail_next(IORING_OP_READ, EIO);
        }
        co_await other.send(ringlet::can::make_frame(0x123, value));
        co_await ringlet::sleep(300ms);
    }
}

TEST(Station, has_an_ill_store_for_as_long_as_that_cannot_be_read_though_it_is_written) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.speaks_for = 0s, .runs_for = 12s});
    // With no other device that is read.
    desk.world().write_file("/etc/station.json", R"({
        "url": "http://127.0.0.1:8080/batches", "board": "/etc/board.json", "can": "can",
        "store": "/var/store", "window": "1s"})");
    desk.meanwhile(fail_reads_of_the_store);
    EXPECT_EQ(desk.run(), 143);
    const std::string_view log = simulation.log();
    EXPECT_EQ(count_in(log, "store: Input/output error; trying again"), 1u) << log;
    EXPECT_EQ(count_in(log, "store: well again"), 1u) << log;
    std::size_t ill = 0;
    for (const auto batch : desk.batches()) ill += count_in(batch, "ill: store");
    EXPECT_GE(ill, 4u);
    EXPECT_TRUE(Known(desk).has_all_from_1());
}

constexpr const char* window_is_lost = "error: store: the open window is lost";

Task<void> fill_the_disk(Desk& desk) {
    co_await ringlet::sleep(5s);
    desk.world().set_disk_bytes(0);
}

TEST(Station, says_that_the_open_window_is_lost_if_it_cannot_be_kept_at_the_end) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "1h")", .speaks_for = 9s, .runs_for = 10s});
    desk.meanwhile(fill_the_disk);
    EXPECT_EQ(desk.run(), 143);
    EXPECT_NE(simulation.log().find(window_is_lost), std::string_view::npos) << simulation.log();
    expect_clean_end(desk);
    EXPECT_TRUE(desk.batches().empty());
}

Task<void> fill_the_disk_until_after_the_stop(Desk& desk) {
    co_await fill_the_disk(desk);
    co_await ringlet::sleep(desk.options().runs_for - desk.since_start() + 500ms);
    desk.world().set_disk_bytes(4_MiB);
}

TEST(Station, tries_once_more_to_keep_the_open_window_at_the_end) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.config = R"("window": "1h")", .speaks_for = 9s, .runs_for = 10s});
    desk.meanwhile(fill_the_disk_until_after_the_stop);
    EXPECT_EQ(desk.run(), 143);
    EXPECT_EQ(simulation.log().find(window_is_lost), std::string_view::npos) << simulation.log();
    run_until_all_is_sent(desk);
    EXPECT_EQ(Known(desk).count("humidity"), desk.lines_sent);
}

Task<void> break_bytes_on_the_line(Desk& desk) {
    using ringlet::testing::Flaw;
    co_await ringlet::sleep(2s);
    desk.line.feed("humidity=44.0*3A\r\nhumidity=4");
    desk.line.feed_flawed('5', Flaw::parity);
    desk.line.feed(".2\r\nhumidity=45");
    desk.line.feed_flawed('.', Flaw::framing);
    desk.line.feed("2\r\nhumidity=46.0\r\n");
}

TEST(Station, takes_no_value_from_a_line_with_a_byte_that_came_broken) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.speaks_for = 0s, .runs_for = 11s});
    desk.meanwhile(break_bytes_on_the_line);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    EXPECT_EQ(known.count("humidity"), 2u);
    EXPECT_NE(known.batches.at(1).find(R"("min":44,"max":46,)"), std::string::npos);
    EXPECT_EQ(known.lost.at("bad_lines"), 2u);
    EXPECT_EQ(known.lost.at("line_errors"), 2u);
}

Task<void> speak_before_it_listens(Desk& desk) {
    for (int turn = 0; turn < 2; ++turn) {
        co_await ringlet::sleep(5s);
        // Tails of lines, the second with a checksum; then whole ones.
        desk.line.feed(turn == 0 ? "umidity=45.2\r\n" : "idity=45.2*39\r\n");
        desk.line.feed("humidity=45.2\r\n");
        co_await ringlet::sleep(1s);
        desk.line.hang_up();
        co_await ringlet::sleep(1s);
        desk.line.plug_in();
    }
    co_await ringlet::sleep(5s);
    desk.line.feed("humidity=45.2*39\r\n");
}

TEST(Station, takes_the_first_line_after_opening_only_with_its_checksum) {
    Simulation simulation(world_for(0));
    Desk desk(simulation, {.speaks_for = 0s, .runs_for = 31s});
    desk.meanwhile(speak_before_it_listens);
    EXPECT_EQ(desk.run(), 143);
    const Known known(desk);
    EXPECT_EQ(known.count("humidity"), 3u);
    EXPECT_EQ(known.counts.size(), 2u) << "temperature besides";
    EXPECT_EQ(known.lost.at("bad_lines"), 2u);
}

// ---- the command line ----

// What the station says to a configuration that is wrong, and its status.
std::string told_of(const std::string& config, std::vector<const char*> arguments = {},
                    bool has_watchdog = true) {
    Simulation simulation(world_for(0));
    Desk desk(simulation);
    if (!has_watchdog) desk.watchdog.unplug();
    desk.world().write_file("/etc/station.json", config);
    std::vector<char*> argv{const_cast<char*>("station")};
    for (const char* each : arguments) argv.push_back(const_cast<char*>(each));
    argv.push_back(nullptr);
    constexpr ringlet::Limits limits{};
    const int status = simulation.run<limits>(run_command, static_cast<int>(argv.size()) - 1,
                                              argv.data());
    return std::to_string(status) + " " + std::string(simulation.log());
}

TEST(StationCommand, refuses_what_it_cannot_do_in_one_line) {
    const auto with = [](const char* members) {
        return told_of(std::string("{\"board\": \"/etc/board.json\"") + members + "}",
                       {"--config=/etc/station.json"});
    };
    EXPECT_EQ(with(""), "2 station: where to post? Give --url\n");
    EXPECT_EQ(with(R"(, "url": "http://h/")"),
              "2 station: nothing to read: give --sensor, --button, --serial or --can\n");
    EXPECT_TRUE(with(R"(, "url": "https://h/", "can": "can")")
                    .starts_with("2 station: --url: 'https://h/': "));
    EXPECT_EQ(with(R"(, "url": "http://h/", "can": "kan")"),
              "2 station: /etc/board.json: no bus 'kan'; there are: sensors, serial, can, "
              "watchdog\n");
    EXPECT_TRUE(with(R"(, "url": "http://h/", "can": "serial")")
                    .starts_with("2 station: /etc/board.json: "));
    EXPECT_EQ(with(R"(, "url": "http://h/", "can": "can", "led": "lamp")"),
              "2 station: /etc/board.json: no pin 'lamp'; there are: button, led\n");
    EXPECT_TRUE(with(R"(, "sensor-address": 200)")
                    .starts_with("2 station: /etc/station.json: /sensor-address: "));
    EXPECT_TRUE(with(R"(, "colour": 1)").starts_with("2 station: /etc/station.json: "));
    EXPECT_EQ(with(R"(, "url": "http://h/", "can": "can", "name": "")"),
              "2 station: --name: a name has 1 to 64 bytes\n");
    EXPECT_EQ(told_of("", {"--url=http://h/", "--can=can", "--board=/etc/none.json"}),
              "2 station: /etc/none.json: No such file or directory\n");
}

TEST(StationCommand, ends_if_it_has_no_store_or_no_watchdog) {
    std::vector<const char*> arguments{"--url=http://127.0.0.1/", "--can=can",
                                       "--board=/etc/board.json", "--store=/none/store"};
    EXPECT_EQ(told_of("", arguments),
              "1 error: /none/store cannot be the store of 1024 batches\n"
              "error: station: No such file or directory\n");
    arguments.back() = "--store=/var/store";
    arguments.push_back("--watchdog=watchdog");
    EXPECT_EQ(told_of("", arguments, false),
              "1 info: /var/store: 0 batches wait to be sent\n"
              "error: /dev/watchdog0 cannot be the watchdog\n"
              "error: station: No such file or directory\n");
}

}  // namespace
}  // namespace station
