// Probes of devices on serial lines: what is sent, what counts as an answer, and what comes too
// late; that the line stays open; and what is left when a probe is cancelled or fails anywhere.
#include <apps/timeout_peers.hpp>
#include <support/cases.hpp>

#include <ringlet/io/line_reader.hpp>
#include <ringlet/testing/serial_device.hpp>

#include <cerrno>
#include <utility>

namespace timeout_app {
namespace {

using ringlet::testing::SerialDevice;
using ringlet::testing::TerminalLine;

constexpr const char* line_path = "/dev/ttyS0";

// What a device does when a line has come.
struct Reply {
    std::string_view text = "OK\r\n";
    Nanoseconds delay{0};
    bool hangs_up = false;  // 100 ms later
};
constexpr Reply good{};
constexpr Reply silence{.text = ""};

// A device whose n-th request gets the n-th reply; further ones get the last.
class Device {
public:
    explicit Device(std::vector<Reply> replies) : replies_(std::move(replies)) {}

    Task<void> serve() {
        auto device = co_await SerialDevice::open(line_path);
        std::array<char, 256> storage;
        ringlet::LineReader requests(device, storage, {.delimiter = last_});
        for (;;) {
            const auto request = co_await attempt(requests.next());
            if (!request || !*request) co_return;
            const Reply& reply = replies_[std::min(count_++, replies_.size() - 1)];
            co_await ringlet::sleep(reply.delay);
            const auto sent = co_await attempt(device.write_all(ringlet::bytes_of(reply.text)));
            static_cast<void>(sent);
            if (!reply.hangs_up) continue;
            co_await ringlet::sleep(100ms);
            device.hang_up();
            co_return;
        }
    }

    std::size_t count() const { return count_; }
    void clear() { count_ = 0; }
    void expect_requests_to_end_with(char last) { last_ = last; }

private:
    std::vector<Reply> replies_;
    std::size_t count_ = 0;
    char last_ = '\n';
};

// Of the world that the current run is in.
TerminalLine& line() {
    auto& world = ringlet::testing::world();
    TerminalLine* const there = world.terminal(line_path);
    if (there != nullptr) return *there;
    world.make_folder("/dev");
    return world.make_terminal(line_path);
}

void expect_line_as_it_was(Simulation& simulation) {
    const TerminalLine* const it = simulation.world().terminal(line_path);
    if (it == nullptr || it->is_hung_up()) return;
    EXPECT_FALSE(it->is_raw());
    EXPECT_EQ(it->port.baud(), 9600u);
    EXPECT_FALSE(it->port.is_exclusive());
}

// The monitor beside the device.
struct Bench {
    Scene scene;
    Device device;

    Task<int> run() {
        line();
        int status = -1;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            group.spawn(&Device::serve, std::ref(device));
            co_await ringlet::sleep(0s);
            status = co_await scene.run();
            group.cancel_tasks();
        });
        co_return status;
    }
};

// Gives the exit status.
int run_bench(Simulation& simulation, Bench& bench) {
    const int status = simulation.run<test_limits>([&] { return bench.run(); });
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_EQ(simulation.report().oversized_frames, 0u);
    EXPECT_EQ(simulation.world().loop_stalled(), 0ns);
    expect_line_as_it_was(simulation);
    return status;
}

constexpr std::string_view ping = "serial:/dev/ttyS0,19200,7E2,send=PING";

Settings settings_for(std::uint32_t count) {
    Settings settings = quick_settings();
    settings.count = count;
    return settings;
}

TEST(TimeoutSerial, asks_and_measures_until_the_answer_is_there) {
    Bench bench{{settings_for(3), {ping}, {}}, Device({{.delay = 20ms}})};
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_bench(simulation, bench), 0) << simulation.log();
    EXPECT_EQ(bench.device.count(), 3u);
    EXPECT_EQ(simulation.world().terminal(line_path)->written(), "PING\nPING\nPING\n");
    EXPECT_EQ(tallies[0].ok, 3u);
    // The device's time, or that of sending if it is longer.
    EXPECT_GE(tallies[0].latency.quantile(0), 20ms);
    EXPECT_LE(tallies[0].latency.max(), 21ms);
    EXPECT_EQ(occurrences(simulation.world().written(1),
                          R"("endpoint":"serial:/dev/ttyS0,19200,7E2,send=PING")"),
              4u);
}

TEST(TimeoutSerial, opens_the_line_once_as_told) {
    Bench bench{{settings_for(4), {ping}, {}}, Device({good, silence, good})};
    Simulation simulation(options_for(0));
    simulation.world().fail_nth(IORING_OP_OPENAT, 2, EACCES);
    unsigned baud = 0;
    const auto watched = [&]() -> Task<int> {
        int status = -1;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto look = [&]() -> Task<void> {
                co_await ringlet::sleep(1700ms);  // after a probe in time, and one that was not
                baud = line().port.baud();
            };
            group.spawn(look);
            status = co_await bench.run();
        });
        co_return status;
    };
    EXPECT_EQ(simulation.run<test_limits>(watched), 1);
    EXPECT_EQ(baud, 19'200u);
    EXPECT_EQ(tallies[0].ok, 3u) << simulation.world().written(1);
    EXPECT_EQ(tallies[0].failed_at(Step::answer), 1u);
    expect_line_as_it_was(simulation);
}

TEST(TimeoutSerial, takes_the_first_line_that_is_not_empty_whatever_ends_it) {
    const struct {
        Reply reply;
        bool ok;
    } cases[] = {
        {{.text = "OK\n"}, true},
        {{.text = "OK\r"}, true},
        {{.text = "\r\nOK\r\n"}, true},
        {{.text = "AT\r\r\nOK\r\n"}, true},
        {{.text = " \n"}, true},
        {{.text = "OK"}, false},
        {{.text = "\r\n\n\r"}, false},
        {silence, false},
        {{.delay = 499ms}, true},
        {{.delay = 510ms}, false},
    };
    for (const auto& each : cases) {
        Bench bench{{settings_for(1), {ping}, {}}, Device({each.reply})};
        Simulation simulation(options_for(0));
        EXPECT_EQ(run_bench(simulation, bench), each.ok ? 0 : 1) << each.reply.text;
        EXPECT_EQ(tallies[0].failed_at(Step::answer), each.ok ? 0u : 1u) << each.reply.text;
        if (each.ok) continue;
        const auto rows = simulation.world().written(1);
        EXPECT_EQ(occurrences(rows, R"("step":"answer","error":"the time limit has passed")"), 1u)
            << rows;
    }
}

TEST(TimeoutSerial, sends_what_the_escapes_say) {
    const struct {
        std::string_view request;
        std::string_view sent;
    } cases[] = {
        {R"(T?\r)", "T?\r"},
        {R"(a,b\n)", "a,b\n"},
        {R"(\x01\t\\\xfF,send=)", "\x01\t\\\xff,send=\n"},
        {R"(AT\r\n)", "AT\r\n"},
        {"", "\n"},
    };
    for (const auto& each : cases) {
        const std::string name = "serial:/dev/ttyS0,send=" + std::string(each.request);
        Bench bench{{settings_for(1), {name}, {}}, Device({good})};
        bench.device.expect_requests_to_end_with(each.sent.back());
        Simulation simulation(options_for(0));
        EXPECT_EQ(run_bench(simulation, bench), 0) << each.request;
        EXPECT_EQ(simulation.world().terminal(line_path)->written(), each.sent);
    }
}

// Were the first answer taken for the second, a device that is silent would have answered.
TEST(TimeoutSerial, takes_no_late_answer_for_that_of_the_next_probe) {
    Bench bench{{settings_for(3), {ping}, {}}, Device({{.delay = 700ms}, silence, good})};
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_bench(simulation, bench), 1);
    EXPECT_EQ(bench.device.count(), 3u);
    // 500 ms, and those of sending.
    const auto rows = simulation.world().written(1);
    EXPECT_EQ(occurrences(rows, R"("number":1,"ok":false,"ms":50)"), 1u) << rows;
    EXPECT_EQ(occurrences(rows, R"("number":2,"ok":false,"ms":50)"), 1u) << rows;
    EXPECT_EQ(occurrences(rows, R"("number":3,"ok":true)"), 1u) << rows;
}

TEST(TimeoutSerial, takes_no_late_answer_for_that_of_the_next_attempt) {
    Settings settings = settings_for(1);
    settings.retries = 1;
    Bench bench{{settings, {ping}, {}}, Device({{.delay = 550ms}, silence})};
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_bench(simulation, bench), 1);
    EXPECT_EQ(bench.device.count(), 2u);
    EXPECT_EQ(tallies[0].failed_at(Step::answer), 1u);
}

// Whatever the device says beside the answer, before it is asked again; more than one read takes.
TEST(TimeoutSerial, throws_away_what_came_unasked) {
    const std::string much = "OK\r\n" + std::string(500, '\n') + "more\n";
    Bench bench{{settings_for(2), {ping}, {}}, Device({{.text = much}, silence})};
    Simulation simulation(options_for(0));
    EXPECT_EQ(run_bench(simulation, bench), 1);
    EXPECT_EQ(tallies[0].ok, 1u);
    EXPECT_EQ(tallies[0].failed_at(Step::answer), 1u);
}

TEST(TimeoutSerial, says_at_which_step_it_failed) {
    const struct {
        std::string_view endpoint;
        Reply reply;
        const char* words;
    } cases[] = {
        {"serial:/dev/ttyS7,send=PING", good, R"("step":"connect","error":"No such file)"},
        {ping, {.text = "", .hangs_up = true}, R"("step":"answer","error":"Input/output)"},
        {ping, {.text = "half", .hangs_up = true}, R"("step":"answer","error":"Input/output)"},
    };
    for (const auto& each : cases) {
        Bench bench{{settings_for(1), {each.endpoint}, {}}, Device({each.reply})};
        Simulation simulation(options_for(0));
        EXPECT_EQ(run_bench(simulation, bench), 1);
        const auto rows = simulation.world().written(1);
        EXPECT_EQ(occurrences(rows, each.words), 1u) << rows;
    }
}

TEST(TimeoutSerial, opens_a_line_again_that_was_hung_up) {
    Bench bench{{settings_for(3), {ping}, {}}, Device({{.text = "OK\n", .hangs_up = true}})};
    Simulation simulation(options_for(0));
    const auto plugged_in_again = [&]() -> Task<int> {
        int status = -1;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto plug_in = [&]() -> Task<void> {
                co_await ringlet::sleep(1500ms);
                line().plug_in();
                co_await bench.device.serve();
            };
            group.spawn(plug_in);
            status = co_await bench.run();
            group.cancel_tasks();
        });
        co_return status;
    };
    EXPECT_EQ(simulation.run<test_limits>(plugged_in_again), 1);
    const auto rows = simulation.world().written(1);
    EXPECT_EQ(occurrences(rows, R"("number":1,"ok":true)"), 1u) << rows;
    EXPECT_EQ(occurrences(rows, R"("step":"connect",)"), 1u) << rows;
    EXPECT_EQ(occurrences(rows, R"("number":3,"ok":true)"), 1u) << rows;
}

// 300 bits a second: 100 bytes take 3.3 s. What was not sent must not come before the next request.
TEST(TimeoutSerial, closes_a_line_on_which_a_request_is_stuck) {
    const std::string slow = "serial:/dev/ttyS0,300,send=" + std::string(100, 'x');
    Bench bench{{settings_for(2), {slow}, {}}, Device({silence})};
    Simulation simulation(options_for(0));
    simulation.world().fail_nth(IORING_OP_OPENAT, 2, EACCES);
    EXPECT_EQ(run_bench(simulation, bench), 1);
    EXPECT_EQ(tallies[0].failed_at(Step::send), 1u) << simulation.world().written(1);
    EXPECT_EQ(tallies[0].failed_at(Step::connect), 1u);
}

// Where the cut runs leave their world for the check.
struct Cut {
    Bench* bench = nullptr;

    Task<void> operator()() {
        bench->device.clear();
        const int status = co_await bench->run();
        EXPECT_EQ(status, 1);
    }
};

Bench mixed_bench() {
    Settings settings = settings_for(3);
    settings.step = 40ms;
    settings.retries = 1;
    settings.interval = 30ms;
    return {{settings, {ping, "unix:/nobody"}, {}}, Device({good, {.delay = 50ms}, silence, good})};
}

TEST(TimeoutSerial, cancelled_anywhere_leaves_the_line_as_it_was) {
    for (const std::uint64_t seed : {0, 1}) {
        Bench bench = mixed_bench();
        Cut cut{&bench};
        ringlet::support::run_cancelled<test_limits>(std::ref(cut), options_for(seed),
                                                     expect_line_as_it_was);
    }
}

TEST(TimeoutSerial, with_a_fault_at_each_operation_leaves_the_line_as_it_was) {
    for (const std::uint64_t seed : {0, 1}) {
        Bench bench = mixed_bench();
        Cut cut{&bench};
        ringlet::support::run_faulted<test_limits>(std::ref(cut), options_for(seed),
                                                   expect_line_as_it_was);
    }
}

}  // namespace
}  // namespace timeout_app
