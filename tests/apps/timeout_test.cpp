// Probes in a simulated world: their schedules to the nanosecond, their limits, their breaker; and
// what is left when they are cancelled, stopped, or fail anywhere.
#include <apps/timeout_peers.hpp>
#include <support/cases.hpp>

#include <ringlet/io/udp.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <random>
#include <utility>

namespace timeout_app {
namespace {

using Times = std::vector<double>;

std::uint64_t failed_at(const Tally& tally, Step step) {
    return tally.failed_at(step);
}

TEST(Timeout, spreads_the_endpoints_over_an_interval_and_keeps_the_rhythm) {
    Settings settings = quick_settings();
    settings.count = 3;
    Peer a(9001, {answers}), b(9002, {answers}), c(9003, {answers}), d(9004, {answers});
    Scene scene(settings,
                {"tcp://127.0.0.1:9001", "http://127.0.0.1:9002/", "tcp://127.0.0.1:9003",
                 "http://127.0.0.1:9004/x?y"},
                {&a, &b, &c, &d});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 0);
    EXPECT_EQ(a.accepted_ms(), (Times{0, 1000, 2000}));
    EXPECT_EQ(b.accepted_ms(), (Times{250, 1250, 2250}));
    EXPECT_EQ(c.accepted_ms(), (Times{500, 1500, 2500}));
    EXPECT_EQ(d.accepted_ms(), (Times{750, 1750, 2750}));
    EXPECT_NE(simulation.log().find(
                  R"({"summary":{"endpoints":4,"probes":12,"ok":12,"failed":0,"seconds":2.75}})"),
              std::string_view::npos)
        << simulation.log();
}

TEST(Timeout, skips_the_ticks_that_a_long_probe_has_missed) {
    Settings settings = quick_settings();
    settings.step = 3s;
    settings.count = 4;
    Peer peer(9001, {{.head_delay = 2500ms}, {.head_delay = 2500ms}, answers});
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 0);
    // The tick at 1 s is skipped, that of 2 s comes late; the next is in phase again.
    EXPECT_EQ(peer.accepted_ms(), (Times{0, 2500, 5000, 6000}));
}

TEST(Timeout, limits_each_step_and_says_which_it_was) {
    const struct {
        const char* endpoint;
        Script script;
        Step step;
        double took_ms;
    } cases[] = {
        {"http://127.0.0.1:9001/", {.stays_silent = true}, Step::head, 500},
        {"http://127.0.0.1:9001/", {.head_delay = 499ms}, Step::breaker, 499},  // in time
        {"http://127.0.0.1:9001/", {.head_delay = for_ever}, Step::head, 500},
        {"http://127.0.0.1:9001/",
         {.head = "HTTP/1.1 20", .body_delay = for_ever}, Step::head, 500},
        {"http://127.0.0.1:9001/", {.head_delay = 200ms, .body_delay = for_ever}, Step::body, 700},
        {"http://127.0.0.1:9001/", {.head_delay = 200ms, .body_delay = 499ms}, Step::breaker, 699},
        {"http://127.0.0.1:9001/", {.head = "nonsense", .head_delay = 10ms}, Step::head, 10},
        {"http://127.0.0.1:9001/", {.body = "bo", .body_delay = 10ms}, Step::body, 10},
        {"http://127.0.0.1:9001/",
         {.head = "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n", .body_delay = for_ever},
         Step::status, 0},
        {"http://127.0.0.1:9001/",
         {.head = "HTTP/1.1 302 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", .body = ""},
         Step::breaker, 0},
        {"http://127.0.0.1:9002/", answers, Step::connect, 0},
        {"tcp://127.0.0.1:9002", answers, Step::connect, 0},
        {"unix:/run/nobody", answers, Step::connect, 0},
        {"tcp://localhost:9002", answers, Step::connect, 0},
        {"tcp://localhost:9001", answers, Step::breaker, 0},
        {"http://localhost:9001/", answers, Step::breaker, 0},
    };
    for (const auto& each : cases) {
        Peer peer(9001, {each.script});
        Scene scene(quick_settings(), {each.endpoint}, {&peer});
        Simulation simulation(options_for(0));
        const bool ok = each.step == Step::breaker;  // stands for none
        EXPECT_EQ(run_scene(simulation, scene), ok ? 0 : 1);
        char row[256];
        std::snprintf(row, sizeof row,
                      R"({"probe":{"endpoint":"%s","number":1,"ok":%s,"ms":%g,"attempts":1,)"
                      R"("step":)",
                      each.endpoint, ok ? "true" : "false", each.took_ms);
        const auto rows = simulation.world().written(1);
        EXPECT_TRUE(rows.starts_with(row)) << rows << "\nbegins not with\n" << row;
        EXPECT_EQ(tallies[0].ok, ok ? 1u : 0u);
        EXPECT_EQ(failed_at(tallies[0], each.step), ok ? 0u : 1u) << each.endpoint << rows;
    }
}

TEST(Timeout, limits_sending) {
    SimulationOptions options = options_for(0);
    options.socket_bytes = 16;
    Peer peer(9001, {{.stays_silent = true}});
    Scene scene(quick_settings(), {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options);
    EXPECT_EQ(run_scene(simulation, scene), 1);
    EXPECT_EQ(failed_at(tallies[0], Step::send), 1u) << simulation.world().written(1);
    EXPECT_NE(simulation.world().written(1).find(R"("ms":500,)"), std::string_view::npos);
}

TEST(Timeout, limits_connecting_by_the_step_and_by_the_deadline) {
    const struct {
        Nanoseconds deadline;
        const char* words;
    } cases[] = {{5s, R"("ms":500,)"}, {300ms, R"("ms":300,)"}};
    for (const auto& each : cases) {
        Settings settings = quick_settings();
        settings.deadline = each.deadline;
        Scene scene(settings, {"tcp://127.0.0.1:9001", "http://127.0.0.1:9001/"}, {});
        Simulation simulation(options_for(0));
        const auto beside_a_full_listener = [&]() -> Task<int> {
            const auto address = ringlet::loopback_address(9001);
            auto listener = co_await TcpListener::listen(address, {.backlog = 0});
            auto filler = co_await TcpSocket::connect(address);  // nobody accepts it
            co_return co_await scene.run();
        };
        EXPECT_EQ(simulation.run<test_limits>(beside_a_full_listener), 1);
        const auto rows = simulation.world().written(1);
        EXPECT_EQ(failed_at(tallies[0], Step::connect), 1u) << rows;
        EXPECT_EQ(failed_at(tallies[1], Step::connect), 1u) << rows;
        EXPECT_EQ(occurrences(rows, each.words), 2u) << rows;
    }
}

TEST(Timeout, limits_looking_up_a_name_and_says_why_it_failed) {
    const struct {
        const char* hosts;
        bool has_server;
        const char* words;  // in the row
    } cases[] = {
        {"127.0.0.1 host.example\n", false, R"("ok":true,"ms":0,"attempts":1,"step":null)"},
        {"", true, R"("ok":false,"ms":500,"attempts":1,"step":"resolve")"},   // it says nothing
        {"", false, R"("ok":false,"ms":0,"attempts":1,"step":"resolve")"},  // nobody is there
    };
    for (const auto& each : cases) {
        Peer peer(9001, {answers});
        Settings settings = quick_settings();
        Scene scene(settings, {"tcp://host.example:9001", "http://host.example:9001/"}, {&peer});
        Simulation simulation(options_for(0));
        auto& world = simulation.world();
        world.make_folder("/etc");
        world.write_file("/etc/resolv.conf", "nameserver 10.0.0.53\n");
        world.write_file("/etc/hosts", each.hosts);
        const auto beside_a_server = [&]() -> Task<int> {
            std::optional<ringlet::UdpSocket> silent;
            const auto address = co_await ringlet::parse_address("10.0.0.53:53");
            if (each.has_server) silent.emplace(co_await ringlet::UdpSocket::bind(address));
            co_return co_await scene.run();
        };
        const int status = simulation.run<test_limits>(beside_a_server);
        const auto rows = world.written(1);
        EXPECT_EQ(occurrences(rows, each.words), 2u) << each.words << "\n" << rows;
        EXPECT_EQ(status, tallies[0].ok == 1 ? 0 : 1);
    }
}

TEST(Timeout, tries_again_after_pauses_and_measures_the_attempt_that_succeeded) {
    Settings settings = quick_settings();
    settings.retries = 5;
    Peer peer(9001, {{.head = fails.head, .head_delay = 50ms},
                     fails,
                     {.body = ""},  // closes before the body
                     {.head_delay = 30ms, .body_delay = 5ms}});
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 0);
    EXPECT_EQ(peer.accepted_ms(), (Times{0, 150, 350, 750}));
    const auto rows = simulation.world().written(1);
    EXPECT_NE(rows.find(R"("ok":true,"ms":35,"attempts":4,"step":null,"error":null)"),
              std::string_view::npos)
        << rows;
    EXPECT_EQ(tallies[0].latency.max(), 35ms);
}

TEST(Timeout, ends_a_probe_at_its_deadline_and_says_at_which_step) {
    const struct {
        Nanoseconds deadline;
        Times accepted;
        const char* row;
    } cases[] = {
        // An attempt is cut off.
        {1700ms, {0, 600, 1300}, R"("ms":400,"attempts":3,"step":"head")"},
        // Its own limit and the deadline are one.
        {1800ms, {0, 600, 1300}, R"("ms":500,"attempts":3,"step":"head")"},
        // There is no time for a pause.
        {600ms, {0}, R"("ms":500,"attempts":1,"step":"head")"},
        {601ms, {0, 600}, R"("ms":1,"attempts":2,"step":"head")"},
        {300ms, {0}, R"("ms":300,"attempts":1,"step":"head")"},
    };
    for (const auto& each : cases) {
        Settings settings = quick_settings();
        settings.retries = 9;
        settings.deadline = each.deadline;
        Peer peer(9001, {{.head_delay = for_ever}});
        Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
        Simulation simulation(options_for(0));
        EXPECT_EQ(run_scene(simulation, scene), 1);
        EXPECT_EQ(peer.accepted_ms(), each.accepted);
        const auto rows = simulation.world().written(1);
        EXPECT_NE(rows.find(each.row), std::string_view::npos) << each.row << "\n" << rows;
    }
}

TEST(Timeout, tells_the_body_from_the_head_also_at_the_deadline) {
    Settings settings = quick_settings();
    settings.deadline = 500ms;
    Peer peer(9001, {{.head_delay = 100ms, .body_delay = for_ever}});
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 1);
    EXPECT_EQ(failed_at(tallies[0], Step::body), 1u) << simulation.world().written(1);
}

TEST(Timeout, leaves_an_endpoint_alone_while_the_breaker_is_open_and_closes_it_again) {
    Settings settings = quick_settings();
    settings.breaker_failures = 3;
    settings.breaker_open = 2500ms;
    settings.count = 12;
    Peer peer(9001, {fails, fails, fails, fails, answers});
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 1);
    // Open from 2 s to 4.5 s; the probe at 5 s fails; open to 7.5 s; the probe at 8 s succeeds.
    EXPECT_EQ(peer.accepted_ms(), (Times{0, 1000, 2000, 5000, 8000, 9000, 10000, 11000}));
    const Tally& tally = tallies[0];
    EXPECT_EQ(tally.probes, 12u);
    EXPECT_EQ(tally.ok, 4u);
    EXPECT_EQ(failed_at(tally, Step::status), 4u);
    EXPECT_EQ(failed_at(tally, Step::breaker), 4u);
    const auto rows = simulation.world().written(1);
    EXPECT_EQ(occurrences(rows, R"("ms":0,"attempts":0,"step":"breaker",)"), 4u) << rows;
    EXPECT_NE(rows.find(R"("failures":{"status":4,"breaker":4},"last_error":"the server answered )"
                        R"(503: service unavailable","breaker":"closed")"),
              std::string_view::npos)
        << rows;
}

TEST(Timeout, counts_a_probe_that_succeeds_at_last_as_a_success_for_the_breaker) {
    Settings settings = quick_settings();
    settings.breaker_failures = 1;
    settings.retries = 1;
    settings.count = 3;
    Peer peer(9001, {fails, answers, fails, answers, fails, fails});
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 1);
    EXPECT_EQ(peer.count(), 6u);
    EXPECT_EQ(tallies[0].ok, 2u);
    EXPECT_NE(simulation.world().written(1).find(R"("breaker":"open")"), std::string_view::npos);
}

TEST(Timeout, reports_percentiles_as_a_model_does) {
    std::mt19937 random(11);
    std::uniform_int_distribution<int> delay_us(0, 400'000);
    std::vector<Script> scripts;
    std::vector<double> delays_ms;
    for (int i = 0; i < 200; ++i) {
        const int us = delay_us(random);
        delays_ms.push_back(us / 1e3);
        scripts.push_back({.head_delay = us * 1us});
    }
    Settings settings = quick_settings();
    settings.count = 200;
    Peer peer(9001, scripts);
    Scene scene(settings, {"http://127.0.0.1:9001/"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 0);
    std::ranges::sort(delays_ms);
    const std::string rows(simulation.world().written(1));
    const std::size_t at = rows.find("\"latency_ms\":");
    ASSERT_NE(at, std::string::npos) << rows;
    double p50 = 0, p90 = 0, p99 = 0, max = 0;
    ASSERT_EQ(std::sscanf(rows.c_str() + at,
                          R"("latency_ms":{"p50":%lf,"p90":%lf,"p99":%lf,"max":%lf})", &p50, &p90,
                          &p99, &max),
              4);
    const struct {
        double found;
        double share;
    } quantiles[] = {{p50, 0.5}, {p90, 0.9}, {p99, 0.99}};
    for (const auto& each : quantiles) {
        const double exact =
            delays_ms[static_cast<std::size_t>(std::ceil(each.share * 200)) - 1];
        EXPECT_GE(each.found, exact);
        EXPECT_LE(each.found, exact * (1 + 1 / 32.0) + 0.002);
    }
    EXPECT_DOUBLE_EQ(max, delays_ms.back());
}

TEST(Timeout, bounds_what_it_says_of_failures_and_counts_the_rest) {
    Settings settings = quick_settings();
    settings.interval = 10ms;
    settings.breaker_open = 1ms;
    settings.count = 500;
    Scene scene(settings, {"tcp://127.0.0.1:9001", "unix:/nobody"}, {});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 1);
    const std::string words(simulation.log());
    const std::size_t said = occurrences(words, ": probe ");
    std::size_t counted = 0;
    for (auto at = words.find(" more probes failed"); at != words.npos;
         at = words.find(" more probes failed", at + 1)) {
        const auto begin = words.rfind(' ', at - 1);
        counted += std::stoul(words.substr(begin + 1));
    }
    EXPECT_EQ(said + counted, 1000u) << words;
    EXPECT_GE(said, 5 * FailureLines::lines_max);
    EXPECT_LE(said, 6 * FailureLines::lines_max);
}

// All kinds of endpoint and of failure.
const std::vector<std::string_view> mixed_names = {
    "tcp://127.0.0.1:9001", "http://127.0.0.1:9001/", "http://127.0.0.1:9002/",
    "http://127.0.0.1:9003/", "tcp://127.0.0.1:9009",  "unix:/nobody",
    "tcp://localhost:9001"};

Settings mixed_settings() {
    Settings settings = quick_settings();
    settings.step = 40ms;
    settings.retries = 1;
    settings.interval = 30ms;
    settings.count = 3;
    settings.breaker_failures = 2;
    return settings;
}

struct MixedPeers {
    Peer well{9001, {answers}};
    Peer slow{9002, {{.head_delay = for_ever}, answers}};
    Peer failing{9003, {fails, fails, answers, {.body_delay = for_ever}}};
    Scene scene{mixed_settings(), mixed_names, {&well, &slow, &failing}};
};

struct Totals {
    std::uint64_t probes = 0;
    std::uint64_t ok = 0;
};
Totals totals(std::size_t endpoints = mixed_names.size()) {
    Totals sum;
    for (std::size_t i = 0; i < endpoints; ++i) {
        sum.probes += tallies[i].probes;
        sum.ok += tallies[i].ok;
    }
    return sum;
}

// The rows of probes, those of endpoints and the summary say the same.
void expect_one_story(Simulation& simulation, std::size_t endpoints = mixed_names.size()) {
    const auto rows = simulation.world().written(1);
    const auto words = simulation.log();
    const Totals sum = totals(endpoints);
    EXPECT_EQ(occurrences(rows, "{\"probe\":"), sum.probes) << rows;
    EXPECT_EQ(occurrences(rows, "\"ok\":true"), sum.ok) << rows;
    EXPECT_EQ(occurrences(rows, "{\"endpoint\":{"), endpoints) << rows;
    EXPECT_TRUE(rows.empty() || rows.ends_with("}}\n"));
    char summary[128];
    std::snprintf(summary, sizeof summary, R"("probes":%llu,"ok":%llu,"failed":%llu,)",
                  static_cast<unsigned long long>(sum.probes),
                  static_cast<unsigned long long>(sum.ok),
                  static_cast<unsigned long long>(sum.probes - sum.ok));
    EXPECT_EQ(occurrences(words, summary), 1u) << words << "\nwithout\n" << summary;
}

TEST(Timeout, tells_one_story_whatever_the_seed) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        MixedPeers mixed;
        Simulation simulation(options_for(seed));
        EXPECT_EQ(run_scene(simulation, mixed.scene), 1);
        EXPECT_EQ(totals().probes, 3 * mixed_names.size());
        expect_one_story(simulation);
        if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
    }
}

TEST(Timeout, stopped_by_a_signal_at_any_time_reports_what_was_measured) {
    unsigned in_the_middle = 0;
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        MixedPeers mixed;
        mixed.scene.settings.count = seed % 3 == 0 ? 0 : 3;
        Simulation simulation(options_for(seed));
        auto& world = simulation.world();
        const auto when = ringlet::later(world.now(), seed * 700us);
        world.call_at(when, [](void* it) { static_cast<Simulation*>(it)->world().raise(SIGTERM); },
                      &simulation);
        EXPECT_EQ(run_scene(simulation, mixed.scene), 143) << simulation.log();
        expect_one_story(simulation);
        EXPECT_EQ(occurrences(simulation.log(), "timeout: stopped; "), 1u);
        in_the_middle += totals().probes > 0 ? 1 : 0;
        if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
    }
    EXPECT_GT(in_the_middle, 80u);
}

TEST(Timeout, waits_for_a_slow_output_and_loses_no_row) {
    for (const auto when : {200ms, 201ms, 500ms, 777ms, 900ms}) {
        Settings settings = quick_settings();
        settings.interval = 1ms;
        settings.count = 0;
        Scene scene(settings, {"unix:/a", "unix:/b", "unix:/c", "unix:/d"}, {});
        Simulation simulation(options_for(0));
        auto& world = simulation.world();
        world.set_latency(IORING_OP_WRITE, 300ms, 300ms);
        world.call_at(ringlet::later(world.now(), when),
                      [](void* it) { static_cast<Simulation*>(it)->world().raise(SIGTERM); },
                      &simulation);
        EXPECT_EQ(run_scene(simulation, scene), 143);
        expect_one_story(simulation, 4);
        EXPECT_LT(totals(4).probes, 4000 * when / 1s);  // they were held up
        EXPECT_GE(totals(4).probes, 256u);
    }
}

// Where the cancelled runs leave their world for the check.
struct Cut {
    MixedPeers* mixed = nullptr;
    bool began = false;

    Task<void> operator()() {
        began = true;
        for (Peer* const each : mixed->scene.peers) each->clear();
        const int status = co_await mixed->scene.run();
        EXPECT_EQ(status, 1);
    }
};

TEST(Timeout, cancelled_anywhere_leaves_nothing_behind_and_reports) {
    for (const std::uint64_t seed : {0, 1, 2}) {
        MixedPeers mixed;
        Cut cut{&mixed};
        unsigned reported = 0;
        const auto check = [&](Simulation& simulation) {
            EXPECT_EQ(simulation.report().oversized_frames, 0u);
            // It may be cancelled before its first step.
            if (!std::exchange(cut.began, false) || simulation.world().written(2).empty()) return;
            expect_one_story(simulation);
            ++reported;
        };
        const auto found = ringlet::support::run_cancelled<test_limits>(
            std::ref(cut), options_for(seed), check);
        std::printf("seed %llu: cancelled at %u suspension points, %u times; %u reports\n",
                    static_cast<unsigned long long>(seed), found.points, found.cancelled,
                    reported);
        if (!found.whole) continue;
        EXPECT_GT(found.points, 100u);
        EXPECT_GT(found.cancelled, found.points / 2);
        EXPECT_GT(reported, found.points / 2);
    }
}

TEST(Timeout, with_a_fault_at_each_operation_leaves_nothing_behind) {
    for (const std::uint64_t seed : {0, 1, 2}) {
        MixedPeers mixed;
        Cut cut{&mixed};
        unsigned reported = 0;
        const auto check = [&](Simulation& simulation) {
            EXPECT_EQ(simulation.report().oversized_frames, 0u);
            cut.began = false;
            reported += occurrences(simulation.log(), "\"summary\"") > 0 ? 1 : 0;
        };
        const auto found = ringlet::support::run_faulted<test_limits>(std::ref(cut),
                                                                      options_for(seed), check);
        std::printf("seed %llu: %u faults, %u reports\n", static_cast<unsigned long long>(seed),
                    found.hit, reported);
        if (!found.whole) continue;
        EXPECT_GT(found.points, 50u);
        EXPECT_GT(reported, found.points / 2);
    }
}

// Every operation of the run fails once, in turn. A failure of the network is some probe's.
TEST(Timeout, with_any_operation_failing_probes_on) {
    const struct {
        int opcode;
        int number;
    } faults[] = {{IORING_OP_CONNECT, ENETUNREACH}, {IORING_OP_SEND, ECONNRESET},
                  {IORING_OP_RECV, ECONNRESET},     {IORING_OP_CONNECT, EMFILE},
                  {IORING_OP_CLOSE, EIO}};
    for (const auto& fault : faults) {
        for (unsigned nth = 1; nth <= 25; ++nth) {
            MixedPeers mixed;
            Simulation simulation(options_for(nth % 3));
            simulation.world().fail_nth(fault.opcode, nth, fault.number);
            EXPECT_EQ(simulation.run<test_limits>([&] { return mixed.scene.run(); }), 1);
            EXPECT_EQ(totals().probes, 3 * mixed_names.size());
            expect_one_story(simulation);
            // A close that failed has closed, but the simulation takes it as not executed.
            const unsigned unclosed = fault.opcode == IORING_OP_CLOSE ? 1 : 0;
            EXPECT_LE(simulation.world().open_descriptors(), 3u + unclosed);
            if (::testing::Test::HasFailure()) FAIL() << fault.opcode << ", " << nth;
        }
    }
}

TEST(Timeout, ends_at_once_when_its_output_is_lost) {
    const struct {
        int number;
        bool is_failure;
    } cases[] = {{EPIPE, false}, {ENOSPC, true}};
    for (const auto& each : cases) {
        Settings settings = quick_settings();
        settings.count = 0;  // only the output can end it
        Peer peer(9001, {answers});
        Scene scene(settings, {"tcp://127.0.0.1:9001"}, {&peer});
        Simulation simulation(options_for(0));
        simulation.world().fail_nth(IORING_OP_WRITE, 3, each.number);
        EXPECT_EQ(run_scene(simulation, scene), each.is_failure ? 1 : 0);
        EXPECT_EQ(tallies[0].probes, 3u);
        EXPECT_EQ(occurrences(simulation.log(), "timeout: standard output: No space left"),
                  each.is_failure ? 1u : 0u);
        EXPECT_EQ(occurrences(simulation.log(), "\"summary\""), 1u);
    }
}

TEST(Timeout, writes_a_table_for_people) {
    Settings settings = quick_settings();
    settings.jsonl = false;
    settings.count = 4;
    settings.breaker_failures = 2;
    Peer peer(9001, {{.head_delay = 10ms}, fails, {.head_delay = 20ms}, answers});
    Scene scene(settings, {"http://127.0.0.1:9001/", "tcp://127.0.0.1:9009"}, {&peer});
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_scene(simulation, scene), 1);
    EXPECT_EQ(simulation.world().written(1),
              "ENDPOINT                AVAIL%  PROBES     P50     P90     P99     MAX  FAILED-AT"
              "             BREAKER\n"
              "http://127.0.0.1:9001/    75.0       4  10.2ms    20ms    20ms    20ms  status 1"
              "              closed\n"
              "tcp://127.0.0.1:9009       0.0       4       -       -       -       -  connect 2, "
              "breaker 2  open\n");
    EXPECT_TRUE(simulation.log().ends_with(
        "timeout: 2 endpoints, 8 probes (3 ok, 5 failed) in 3.500 s\n"))
        << simulation.log();
}

TEST(Timeout, probes_unix_sockets) {
    Settings settings = quick_settings();
    settings.count = 3;
    Scene scene(settings, {"unix:/service", "unix:@abstract"}, {});
    Simulation simulation(options_for(0));
    const auto beside_listeners = [&]() -> Task<int> {
        auto service = co_await ringlet::UnixListener::listen("/service");
        auto abstract = co_await ringlet::UnixListener::listen("@abstract");
        co_return co_await scene.run();
    };
    EXPECT_EQ(simulation.run<test_limits>(beside_listeners), 0) << simulation.world().written(1);
    EXPECT_EQ(tallies[0].ok + tallies[1].ok, 6u);
}

TEST(Timeout, is_sized_for_a_small_board) {
    std::printf("a Monitor takes %zu bytes, each endpoint's connection %zu\n", sizeof(Monitor),
                sizeof(HttpStorage));
    EXPECT_LT(sizeof(Monitor), 2_MiB);
}

}  // namespace
}  // namespace timeout_app
