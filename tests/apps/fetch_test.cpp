// The whole of fetch in a simulated world, beside a server whose pages are as good or as bad as
// their paths say: the same rows and files whatever the bounds and the seed; and what is left when
// it is cancelled, stopped, or fails anywhere.
#include <fetch.hpp>

#include <apps/left_behind.hpp>
#include <http/fake_server.hpp>

#include <ringlet/io/file_system.hpp>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace fetch {
namespace {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Nanoseconds;
using ringlet::Task;
using ringlet::TaskGroup;
using ringlet::support::FakeServer;
using ringlet::support::occurrences;
using ringlet::support::Peer;
using ringlet::support::temporaries;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
namespace http = ringlet::http;

constexpr ringlet::Limits limits{
    .tasks = 2 * concurrency_max + 40,
    .operations = 200,
    .descriptors = 360,
    .frames = {{128, 512}, {256, 768}, {512, 512}, {1024, 256}, {2048, 160}, {4096, 96}}};

constexpr char list_path[] = "/data/urls";
constexpr char folder_path[] = "/data/pages";

// ---- the server

constexpr std::size_t page_bytes_max = 3000;
constexpr auto pattern = [] {
    std::array<char, page_bytes_max> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i * i % 23);
    return all;
}();

// What stands at ".../7": of another size and contents than its neighbours.
std::string_view page(unsigned number) {
    const std::size_t begin = number % 100;
    return {pattern.data() + begin, page_bytes_max - 100 - number * 97 % 2000};
}

struct Visits {
    std::array<unsigned, 128> asked{};  // for each number
    unsigned open = 0;
    unsigned open_max = 0;
};
Visits visits;
unsigned server_port;

struct Visit {
    Visit() { visits.open_max = std::max(visits.open_max, ++visits.open); }
    ~Visit() { --visits.open; }
};

Task<void> break_off(Peer& peer, std::string_view body) {
    std::array<char, 64> head;
    const int size = std::snprintf(head.data(), head.size(),
                                   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body.size());
    co_await peer.say({head.data(), static_cast<std::size_t>(size)});
    co_await peer.say(body.substr(0, body.size() / 2));
    co_await peer.socket().close();
}

Task<void> say_chunked(Peer& peer, std::string_view body) {
    co_await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!body.empty()) {
        const auto piece = body.substr(0, 700);
        std::array<char, 16> size;
        const int count = std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
        co_await peer.say({size.data(), static_cast<std::size_t>(count)});
        co_await peer.say(piece);
        co_await peer.say("\r\n");
        body.remove_prefix(piece.size());
    }
    co_await peer.say("0\r\n\r\n");
}

unsigned number_of(std::string_view path) {
    unsigned number = 0;
    const auto digits = path.substr(path.rfind('/') + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

// False: nothing more can be said on this connection.
Task<bool> answer(Peer& peer) {
    const std::string_view path = peer.path();
    const unsigned number = number_of(path);
    const auto body = page(number);
    const bool first_time = visits.asked[number % visits.asked.size()]++ == 0;
    const auto is = [&](std::string_view kind) { return path.starts_with(kind); };
    if (is("/broken") || (is("/flaky") && first_time)) {
        co_await break_off(peer, body);
        co_return false;
    }
    if (is("/stuck")) {
        co_await peer.wait_for_end();
        co_return false;
    } else if (is("/stops")) {
        co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        co_await peer.wait_for_end();
        co_return false;
    } else if (is("/elsewhere")) {
        std::array<char, 64> location;
        std::snprintf(location.data(), location.size(),
                      "Location: http://localhost:%u/slow/%u\r\n", server_port, number);
        co_await peer.answer("", 302, location.data());
    } else if (is("/named")) {
        std::array<char, 80> location;
        std::snprintf(location.data(), location.size(),
                      "Location: http://server.example:%u/page/%u\r\n", server_port, number);
        co_await peer.answer("", 302, location.data());
    } else if (is("/missing")) {
        co_await peer.answer("nothing here", 404);
    } else if (is("/busy") && first_time) {
        co_await peer.answer("", 503, "Retry-After: 7\r\n");
    } else if (is("/moved")) {
        std::array<char, 64> location;
        std::snprintf(location.data(), location.size(), "Location: /page/%u\r\n", number);
        co_await peer.answer("", 302, location.data());
    } else if (is("/chunked")) {
        co_await say_chunked(peer, body);
    } else {
        if (is("/slow")) co_await ringlet::sleep(800ms);
        co_await peer.answer(body);
    }
    co_return true;
}

Task<void> serve(Peer& peer) {
    const Visit visit;
    for (;;) {
        const bool heard = co_await peer.hear();
        if (!heard) co_return;
        const bool goes_on = co_await answer(peer);
        if (!goes_on) co_return;
    }
}

// ---- what is asked, and what shall come of it

struct Asked {
    const char* kind;
    unsigned number;
};
constexpr Asked all_kinds[] = {
    {"page", 1},   {"page", 2},   {"chunked", 3}, {"moved", 4}, {"missing", 5}, {"flaky", 6},
    {"broken", 7}, {"stuck", 8},  {"page", 9},    {"slow", 10}, {"busy", 11},   {"refused", 12},
    {"page", 13},  {"https", 14}, {"page", 15},   {"page", 16}, {"chunked", 17}};

struct Expected {
    bool good;
    unsigned attempts;
    std::string_view step = {};
};

// With one retry.
Expected expected_of(const Asked& asked) {
    const std::string_view kind = asked.kind;
    if (kind == "missing") return {false, 1, "status"};
    if (kind == "broken") return {false, 2, "body"};
    if (kind == "stuck") return {false, 2, "head"};
    if (kind == "refused") return {false, 2, "connect"};
    if (kind == "https") return {false, 1, "url"};
    if (kind == "flaky" || kind == "busy") return {true, 2};
    return {true, 1};
}

struct Plan {
    std::span<const Asked> asked = all_kinds;
    Settings settings;
    bool by_list = false;    // not as operands
    std::uint16_t port = 0;  // of the server, once it runs
};

Settings settings_for_test() {
    Settings settings;
    settings.jsonl = true;
    settings.timeout = 2s;
    settings.retries = 1;
    settings.output = folder_path;
    return settings;
}

using UrlText = std::array<char, 64>;

UrlText url_of(const Asked& asked, unsigned port) {
    UrlText text{};
    const std::string_view kind = asked.kind;
    std::snprintf(text.data(), text.size(), "%s://127.0.0.1:%u/%s/%u",
                  kind == "https" ? "https" : "http", kind == "refused" ? 1 : port, asked.kind,
                  asked.number);
    return text;
}

std::string name_of(std::size_t place, const Asked& asked) {
    char name[64];
    std::snprintf(name, sizeof name, "%06zu-%u", place, asked.number);
    return name;
}

// Too big for a stack. What it counted outlives it.
std::optional<Fetch> subject;
Counts counts;
http::PoolCounters connections;

Task<int> run_fetch(const Settings& settings) {
    struct Reset {
        ~Reset() {
            counts = subject->counts();
            connections = subject->connections();
            subject.reset();
        }
    } reset;
    subject.emplace(settings);
    co_return co_await subject->run();
}

Task<void> write_list(std::span<const UrlText> urls) {
    static ringlet::FixedText<16_KiB> text;
    text.clear();
    text.append("# what is asked\n\n");
    for (const UrlText& each : urls) text.format("  %s\t\n", each.data());
    co_await ringlet::write_atomic(list_path, ringlet::bytes_of(text.view()));
}

Task<int> run_beside_server(Plan& plan) {
    visits = {};
    counts = {};
    auto server = co_await FakeServer::open();
    plan.port = static_cast<std::uint16_t>(server.port());
    server_port = server.port();
    static std::array<UrlText, 128> texts;
    static std::array<char*, 128> urls;
    for (std::size_t i = 0; i < plan.asked.size(); ++i) {
        texts[i] = url_of(plan.asked[i], plan.port);
        urls[i] = texts[i].data();
    }
    Settings settings = plan.settings;
    if (plan.by_list) {
        co_await write_list(std::span(texts).first(plan.asked.size()));
        settings.urls_from = list_path;
    } else {
        settings.urls = std::span(urls).first(plan.asked.size());
    }
    int status = -1;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn([&](TaskGroup& servers) { return server.serve(servers, serve); },
                          std::ref(group));
        status = co_await run_fetch(settings);
        group.cancel_tasks();
    });
    co_return status;
}

SimulationOptions options_for(std::uint64_t seed) {
    return {.seed = seed,
            .latency_max = seed == 0 ? 0us : 300us,
            .short_transfers = seed != 0,
            .descriptors = 256,
            .sockets = 128,
            .files = 64,
            .file_bytes = 8_KiB,
            .output_bytes = 64_KiB};
}

// ---- looking at what is left

// What stands behind "key": in a row, without quotes; empty if it is not there.
std::string_view value_of(std::string_view row, std::string_view key) {
    std::string quoted = "\"";
    quoted += key;
    quoted += "\":";
    const auto at = row.find(quoted);
    if (at == row.npos) return {};
    row.remove_prefix(at + quoted.size());
    if (!row.starts_with('"')) return row.substr(0, row.find_first_of(",}"));
    return row.substr(1, row.find('"', 1) - 1);
}

double ms_of(std::string_view row) {
    const auto value = value_of(row, "ms");
    EXPECT_FALSE(value.empty()) << row;
    return value.empty() ? -1 : std::stod(std::string(value));
}

// The row of a URL; empty if there is none.
std::string_view row_of(std::string_view rows, const Asked& asked, unsigned port) {
    const UrlText url = url_of(asked, port);
    std::string begin = "{\"url\":\"";
    begin += url.data();
    begin += "\",";
    const auto at = rows.find(begin);
    if (at == rows.npos) return {};
    return rows.substr(at, rows.find('\n', at) + 1 - at);
}

std::string path_of(std::string_view name) {
    std::string path = folder_path;
    path += '/';
    path += name;
    return path;
}

// Files under their final names are whole, whatever happened; no temporary is left.
unsigned expect_only_whole_files(Simulation& simulation, const Plan& plan) {
    auto& world = simulation.world();
    EXPECT_EQ(temporaries(simulation.world()), 0u);
    unsigned files = 0;
    for (std::size_t i = 0; i < plan.asked.size(); ++i) {
        const auto path = path_of(name_of(i + 1, plan.asked[i]));
        if (!world.exists(path.c_str())) continue;
        ++files;
        EXPECT_EQ(world.file(path.c_str()), page(plan.asked[i].number)) << path;
        EXPECT_TRUE(expected_of(plan.asked[i]).good) << path;
    }
    return files;
}

void expect_row(Simulation& simulation, const Plan& plan, std::size_t place) {
    const Asked& asked = plan.asked[place - 1];
    const Expected expected = expected_of(asked);
    const auto row = row_of(simulation.world().written(1), asked, plan.port);
    EXPECT_EQ(value_of(row, "error").empty(), expected.good) << row;
    EXPECT_EQ(value_of(row, "step"), expected.step) << row;
    EXPECT_EQ(value_of(row, "attempts"), std::to_string(expected.attempts)) << row;
    const bool has_file = expected.good && !plan.settings.output.empty();
    EXPECT_EQ(value_of(row, "file"), has_file ? name_of(place, asked) : std::string()) << row;
    if (expected.good) {
        EXPECT_EQ(value_of(row, "bytes"), std::to_string(page(asked.number).size())) << row;
        EXPECT_EQ(value_of(row, "status"), "200") << row;
    }
}

TEST(Fetch, gives_the_same_rows_and_files_whatever_the_bounds_and_the_seed) {
    unsigned runs = 0;
    for (const bool by_list : {false, true}) {
        for (const std::uint32_t concurrency : {1u, 3u, 64u}) {
            for (const std::uint32_t per_host : {1u, 2u, 16u}) {
                for (const std::uint64_t seed : {0, 1, 2, 3, 4, 5, 6}) {
                    Plan plan{.settings = settings_for_test(), .by_list = by_list};
                    plan.settings.concurrency = concurrency;
                    plan.settings.per_host = per_host;
                    if (seed % 3 == 2) plan.settings.output = {};
                    Simulation simulation(options_for(seed));
                    auto& world = simulation.world();
                    world.make_folder("/data");
                    const int status = simulation.run<limits>(run_beside_server, plan);
                    const auto words = world.written(2);
                    ASSERT_EQ(status, 1) << words;
                    ASSERT_FALSE(simulation.deadlocked()) << words;
                    ASSERT_EQ(occurrences(world.written(1), "\n"), plan.asked.size());
                    for (std::size_t i = 1; i <= plan.asked.size(); ++i) {
                        expect_row(simulation, plan, i);
                    }
                    ASSERT_FALSE(HasFailure()) << "concurrency " << concurrency << ", per host "
                                               << per_host << ", seed " << seed << words;
                    const unsigned files = expect_only_whole_files(simulation, plan);
                    ASSERT_EQ(files, plan.settings.output.empty() ? 0 : counts.ok);
                    ASSERT_EQ(counts.ok + counts.failed, plan.asked.size());
                    ASSERT_LE(connections.per_host_max, per_host);
                    ASSERT_LE(visits.open_max, per_host + 1);  // and one that is closing
                    ASSERT_EQ(world.open_descriptors(), 3u);
                    ASSERT_EQ(simulation.report().oversized_frames, 0u);
                    ++runs;
                }
            }
        }
    }
    std::printf("%u runs of %zu URLs gave the same rows and files\n", runs, std::size(all_kinds));
}

// The pause after a Retry-After is at least as long as that.
TEST(Fetch, comes_back_when_the_server_has_said) {
    constexpr Asked asked[] = {{"busy", 1}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    Simulation simulation;
    simulation.world().make_folder("/data");
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 0);
    const auto row = row_of(simulation.world().written(1), asked[0], plan.port);
    EXPECT_GE(ms_of(row), 7000) << row;
    EXPECT_LT(ms_of(row), 7100) << row;
}

// Each page takes 0.8 s of the 2 s that an attempt has: waiting for nine others is not counted.
TEST(Fetch, counts_an_attempt_s_time_from_having_a_connection) {
    constexpr Asked asked[] = {{"slow", 1}, {"slow", 2}, {"slow", 3}, {"slow", 4}, {"slow", 5},
                               {"slow", 6}, {"slow", 7}, {"slow", 8}, {"slow", 9}, {"slow", 10}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    plan.settings.concurrency = 64;
    plan.settings.per_host = 1;
    Simulation simulation;
    simulation.world().make_folder("/data");
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 0);
    EXPECT_EQ(counts.ok, 10u);
    EXPECT_EQ(counts.retries, 0u);
    EXPECT_EQ(connections.opened, 1u);
    EXPECT_EQ(connections.reused, 9u);
    std::size_t at = 0;
    for (const Asked& each : asked) {
        const auto rows = simulation.world().written(1);
        const auto row = row_of(rows, each, plan.port);
        EXPECT_LT(ms_of(row), 900) << row;
        EXPECT_GE(row.data() - rows.data(), static_cast<std::ptrdiff_t>(at));  // in their order
        at = static_cast<std::size_t>(row.data() - rows.data());
    }
}

// The same where all are sent on to one host: there is a line, too.
TEST(Fetch, does_not_count_the_wait_for_the_host_that_it_is_redirected_to) {
    constexpr Asked asked[] = {{"elsewhere", 1}, {"elsewhere", 2}, {"elsewhere", 3},
                               {"elsewhere", 4}, {"elsewhere", 5}, {"elsewhere", 6}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    plan.settings.concurrency = 64;
    plan.settings.per_host = 1;
    Simulation simulation;
    simulation.world().make_folder("/data");
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 0) << simulation.world().written(1);
    EXPECT_EQ(counts.ok, 6u);
    EXPECT_EQ(counts.retries, 0u);
    EXPECT_EQ(connections.per_host_max, 1u);
}

// The first URL needs no resolver, but where it leads to does.
TEST(Fetch, follows_a_redirect_from_an_address_to_a_name) {
    constexpr Asked asked[] = {{"named", 1}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    Simulation simulation;
    auto& world = simulation.world();
    world.make_folder("/data");
    world.make_folder("/etc");
    world.write_file("/etc/hosts", "127.0.0.1 server.example\n");
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 0) << world.written(1);
    const auto row = row_of(world.written(1), asked[0], plan.port);
    EXPECT_EQ(value_of(row, "bytes"), std::to_string(page(1).size())) << row;
}

TEST(Fetch, needs_no_resolver_s_files_for_addresses) {
    constexpr Asked asked[] = {{"page", 1}, {"named", 2}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    plan.settings.output = {};
    plan.settings.retries = 0;
    Simulation simulation;
    auto& world = simulation.world();
    world.make_folder("/data");
    world.fail_nth(IORING_OP_OPENAT, 1, EACCES);
    world.fail_nth(IORING_OP_OPENAT, 2, EACCES);
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 1);
    EXPECT_EQ(value_of(row_of(world.written(1), asked[0], plan.port), "status"), "200");
    const auto named = row_of(world.written(1), asked[1], plan.port);
    EXPECT_EQ(value_of(named, "step"), "resolve") << named;
}

// However long that is: no step of the request has a shorter limit.
TEST(Fetch, waits_for_a_silent_server_as_long_as_it_is_told) {
    constexpr Asked asked[] = {{"stuck", 1}, {"stops", 2}};
    for (const Nanoseconds span : {Nanoseconds(5s), Nanoseconds(5min), Nanoseconds(24h)}) {
        Plan plan{.asked = asked, .settings = settings_for_test()};
        plan.settings.timeout = span;
        plan.settings.retries = 0;
        Simulation simulation;
        simulation.world().make_folder("/data");
        EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 1);
        const auto rows = simulation.world().written(1);
        for (const Asked& each : asked) {
            const auto row = row_of(rows, each, plan.port);
            EXPECT_EQ(value_of(row, "step"), each.number == 1 ? "head" : "body") << row;
            EXPECT_EQ(ms_of(row), std::chrono::duration<double>(span).count() * 1000) << row;
        }
    }
}

// Who pauses after a failure leaves the only connection to others.
TEST(Fetch, holds_no_connection_between_attempts) {
    constexpr Asked asked[] = {{"busy", 1}, {"page", 2}, {"page", 3}};
    Plan plan{.asked = asked, .settings = settings_for_test()};
    plan.settings.per_host = 1;
    Simulation simulation;
    simulation.world().make_folder("/data");
    EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), 0);
    const auto rows = simulation.world().written(1);
    EXPECT_GT(row_of(rows, asked[0], plan.port).data(), row_of(rows, asked[2], plan.port).data());
    EXPECT_GT(row_of(rows, asked[2], plan.port).data(), row_of(rows, asked[1], plan.port).data());
    EXPECT_EQ(connections.per_host_max, 1u);
}

TEST(Fetch, refuses_bodies_that_are_too_long_at_any_framing) {
    constexpr Asked asked[] = {{"page", 1}, {"chunked", 2}};
    for (const bool is_enough : {false, true}) {
        for (const std::uint64_t seed : {0, 1, 2, 3}) {
            Plan plan{.asked = asked, .settings = settings_for_test()};
            const std::size_t longest = std::max(page(1).size(), page(2).size());
            const std::size_t shortest = std::min(page(1).size(), page(2).size());
            plan.settings.max_body = is_enough ? longest : shortest - 1;
            Simulation simulation(options_for(seed));
            simulation.world().make_folder("/data");
            EXPECT_EQ(simulation.run<limits>(run_beside_server, plan), is_enough ? 0 : 1);
            const auto rows = simulation.world().written(1);
            EXPECT_EQ(occurrences(rows, "body: the response's body is longer than the limit"),
                      is_enough ? 0u : 2u);
            EXPECT_EQ(expect_only_whole_files(simulation, plan), is_enough ? 2u : 0u);
            EXPECT_EQ(counts.retries, 0u);
        }
    }
}

// ---- cut short

// Rows and files tell the same, and the summary tells what is missing.
void expect_consistent(Simulation& simulation, const Plan& plan) {
    auto& world = simulation.world();
    const auto rows = world.written(1);
    const unsigned files = expect_only_whole_files(simulation, plan);
    EXPECT_EQ(simulation.report().oversized_frames, 0u);
    EXPECT_EQ(occurrences(rows, "\n"), counts.ok + counts.failed) << rows;
    EXPECT_TRUE(rows.empty() || rows.ends_with('\n'));
    for (std::size_t i = 0; i < plan.asked.size(); ++i) {
        const auto row = row_of(rows, plan.asked[i], plan.port);
        const auto name = value_of(row, "file");
        EXPECT_TRUE(name.empty() || world.exists(path_of(name).c_str())) << row;
    }
    EXPECT_EQ(occurrences(world.written(2), "\"summary\""), 1u) << world.written(2);
    // A file may have come to its place, and its row not.
    EXPECT_GE(files, plan.settings.output.empty() ? 0 : counts.ok);
}

void expect_said_what_is_undone(Simulation& simulation) {
    char undone[128];
    std::snprintf(undone, sizeof undone,
                  "stopped; of the %llu URLs that were read, %llu are left undone",
                  static_cast<unsigned long long>(counts.urls),
                  static_cast<unsigned long long>(counts.urls - counts.ok - counts.failed));
    const auto words = simulation.world().written(2);
    EXPECT_EQ(occurrences(words, undone), 1u) << words;
}

TEST(Fetch, stopped_by_a_signal_at_any_time_has_written_what_had_ended) {
    unsigned stopped = 0;
    unsigned in_the_middle = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Plan plan{.settings = settings_for_test(), .by_list = seed % 2 == 0};
        plan.settings.concurrency = static_cast<std::uint32_t>(1 + seed % 8);
        Simulation simulation(options_for(seed));
        auto& world = simulation.world();
        world.make_folder("/data");
        const auto span = seed % 4 == 0 ? seed * 30ms : seed * 150us;
        world.call_at(
            ringlet::later(world.now(), span),
            [](void* it) { static_cast<Simulation*>(it)->world().raise(SIGTERM); }, &simulation);
        const int status = simulation.run<limits>(run_beside_server, plan);
        ASSERT_EQ(world.open_descriptors(), 3u);
        if (counts.urls == 0) continue;  // it had not begun
        expect_consistent(simulation, plan);
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
        if (status == 1) continue;  // it was done by then
        ASSERT_EQ(status, 143);
        expect_said_what_is_undone(simulation);
        ++stopped;
        in_the_middle += counts.ok > 0 ? 1 : 0;
    }
    EXPECT_GT(in_the_middle, 40u);
    std::printf("stopped %u times, %u of them with some pages had\n", stopped, in_the_middle);
}

// Where the cancelled runs leave their world for the check.
struct Scene {
    Plan plan;
    bool began = false;

    Task<void> operator()() {
        counts = {};
        co_await ringlet::make_folder("/data");
        began = true;
        const int status = co_await run_beside_server(plan);
        EXPECT_EQ(status, 1);
    }
};

void explore(const Settings& settings, std::span<const Asked> asked, std::uint64_t seed) {
    Scene scene{{.asked = asked, .settings = settings, .by_list = seed % 2 == 1}};
    unsigned some_had = 0;
    const auto check = [&](Simulation& simulation) {
        // A run may be cancelled before its first step, or before there is anything to fetch.
        if (!std::exchange(scene.began, false) || counts.urls == 0) return;
        expect_consistent(simulation, scene.plan);
        if (counts.undone() > 0) expect_said_what_is_undone(simulation);
        some_had += counts.ok > 0 ? 1 : 0;
    };
    const auto found =
        ringlet::support::run_cancelled<limits>(std::ref(scene), options_for(seed), check);
    std::printf("%s, seed %llu: cancelled at %u suspension points, %u times; %u times some pages "
                "were had\n",
                settings.output.empty() ? "no folder" : "a folder",
                static_cast<unsigned long long>(seed), found.points, found.cancelled, some_had);
    if (!found.whole) return;
    EXPECT_GT(found.points, 50u);
    EXPECT_GT(found.cancelled, found.points / 2);
    EXPECT_GT(some_had, found.points / 4);
}

// The server's operations fail, too.
void explore_faults(const Settings& settings, std::span<const Asked> asked, std::uint64_t seed) {
    Scene scene{{.asked = asked, .settings = settings, .by_list = seed % 2 == 1}};
    unsigned whole = 0;
    const auto check = [&](Simulation& simulation) {
        EXPECT_EQ(simulation.report().oversized_frames, 0u);
        if (!std::exchange(scene.began, false)) return;
        const auto& world = simulation.world();
        EXPECT_LE(temporaries(simulation.world()), 1u);  // one whose removal failed
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto path = path_of(name_of(i + 1, asked[i]));
            if (!world.exists(path.c_str())) continue;
            EXPECT_EQ(world.file(path.c_str()), page(asked[i].number)) << path;
            ++whole;
        }
    };
    const auto found =
        ringlet::support::run_faulted<limits>(std::ref(scene), options_for(seed), check);
    std::printf("seed %llu: %u faults; %u whole files were had\n",
                static_cast<unsigned long long>(seed), found.hit, whole);
    if (!found.whole) return;
    EXPECT_GT(found.points, 50u);
    EXPECT_GT(whole, found.points);
}

constexpr Asked few_kinds[] = {{"page", 1},    {"chunked", 2}, {"moved", 3},
                               {"missing", 4}, {"flaky", 5},   {"page", 6}};

TEST(Fetch, cancelled_anywhere_leaves_whole_files_and_the_rows_of_what_had_ended) {
    for (const std::uint64_t seed : {0, 1, 2, 3}) {
        Settings settings = settings_for_test();
        settings.concurrency = 3;
        settings.per_host = 2;
        explore(settings, few_kinds, seed);
    }
}

TEST(Fetch, cancelled_anywhere_without_a_folder_leaves_the_rows_of_what_had_ended) {
    for (const std::uint64_t seed : {0, 1, 2, 3}) {
        Settings settings = settings_for_test();
        settings.output = {};
        settings.concurrency = 2;
        settings.per_host = 1;
        explore(settings, few_kinds, seed);
    }
}

TEST(Fetch, with_a_fault_at_each_operation_leaves_only_whole_files) {
    for (const std::uint64_t seed : {0, 1, 2, 3}) {
        Settings settings = settings_for_test();
        settings.concurrency = 3;
        settings.per_host = 2;
        explore_faults(settings, few_kinds, seed);
    }
}

// Every operation of the run fails once, in turn.
TEST(Fetch, with_any_operation_failing_leaves_only_whole_files_and_a_row_for_each_url) {
    const struct {
        int opcode;
        int number;
    } faults[] = {
        {IORING_OP_STATX, EIO},       {IORING_OP_OPENAT, EMFILE},       {IORING_OP_READ, EIO},
        {IORING_OP_WRITE, ENOSPC},    {IORING_OP_FSYNC, EIO},           {IORING_OP_RENAMEAT, EIO},
        {IORING_OP_UNLINKAT, EIO},    {IORING_OP_MKDIRAT, EROFS},       {IORING_OP_CLOSE, EIO},
        {IORING_OP_SOCKET, EMFILE},   {IORING_OP_CONNECT, ENETUNREACH}, {IORING_OP_SEND, EPIPE},
        {IORING_OP_RECV, ECONNRESET}, {IORING_OP_POLL_ADD, ENOMEM}};
    unsigned runs = 0;
    unsigned hurt = 0;
    for (const auto& fault : faults) {
        for (unsigned nth = 1; nth <= 15; ++nth) {
            Plan plan{.settings = settings_for_test(), .by_list = nth % 2 == 0};
            plan.settings.concurrency = 4;
            Simulation simulation(options_for(nth % 3));
            auto& world = simulation.world();
            world.make_folder("/data");
            world.fail_nth(fault.opcode, nth, fault.number);
            const int status = simulation.run<limits>(run_beside_server, plan);
            EXPECT_EQ(status, 1);  // some kinds fail in any case
            EXPECT_FALSE(simulation.deadlocked());
            // A temporary whose removal failed stays, and is told.
            const unsigned stays = fault.opcode == IORING_OP_UNLINKAT ? 1 : 0;
            EXPECT_LE(temporaries(simulation.world()), stays);
            // A close that failed has closed, but the simulation takes it as not executed.
            const unsigned unclosed = fault.opcode == IORING_OP_CLOSE ? 1 : 0;
            EXPECT_LE(world.open_descriptors(), 3u + unclosed);
            for (std::size_t i = 0; i < plan.asked.size(); ++i) {
                const auto path = path_of(name_of(i + 1, plan.asked[i]));
                if (!world.exists(path.c_str())) continue;
                EXPECT_EQ(world.file(path.c_str()), page(plan.asked[i].number));
            }
            const auto rows = world.written(1);
            if (occurrences(world.written(2), "fetch: standard output") == 0) {
                EXPECT_EQ(occurrences(rows, "\n"), counts.ok + counts.failed);
                EXPECT_EQ(counts.undone(), 0u);
            }
            hurt += counts.ok < 12 ? 1 : 0;
            ++runs;
            EXPECT_FALSE(HasFailure()) << "opcode " << fault.opcode << ", " << nth << '\n'
                                       << world.written(2);
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(hurt, 20u);
    std::printf("%u runs with one failure each; %u had fewer pages for it\n", runs, hurt);
}

TEST(Fetch, is_sized_for_a_small_board) {
    std::printf("a Fetch takes %zu bytes, of which a run touches what its settings ask for\n",
                sizeof(Fetch));
    EXPECT_LT(sizeof(Fetch), 4_MiB);
}

}  // namespace
}  // namespace fetch
