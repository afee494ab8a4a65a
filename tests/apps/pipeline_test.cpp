// The whole pipeline in a simulated world: the same results whatever the source, the workers, the
// queues and the seed; and what is left when it is cancelled, stopped, or fails anywhere.
#include <pipeline.hpp>

#include <apps/left_behind.hpp>
#include <apps/model.hpp>
#include <support/cases.hpp>

#include <ringlet/flow/task_group.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/atomic_file.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/testing/serial_device.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace pipeline {
namespace {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;
using ringlet::TaskGroup;
using ringlet::TcpListener;
using ringlet::TcpSocket;
using ringlet::support::occurrences;
using ringlet::support::temporaries;
using ringlet::testing::SerialDevice;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;

constexpr ringlet::Limits limits{
    .tasks = workers_max + 12,
    .operations = 16,
    .descriptors = 16,
    .frames = {{128, 128}, {256, 128}, {512, 64}, {1024, 64}, {2048, 16}, {8192, 8}}};

constexpr char input_path[] = "/data/in";
constexpr char output_path[] = "/data/out";
constexpr std::string_view old_output = "old\n";
constexpr std::uint16_t port = 9000;
constexpr char line_path[] = "/dev/ttyS0";

enum class From { file, input, listener, connection, serial };
constexpr From all_sources[] = {From::file, From::input, From::listener, From::connection,
                                From::serial};

std::string_view source_name(From from) {
    switch (from) {
        case From::file: return input_path;
        case From::input: return "-";
        case From::listener: return "tcp-listen://127.0.0.1:9000";
        case From::connection: return "tcp://127.0.0.1:9000";
        case From::serial: return "serial:/dev/ttyS0,9600,7E1";
    }
    return {};
}

// What goes in. Every fifth line is bad.
struct Input {
    std::vector<model::Item> items;
    std::string text;
    unsigned lines = 0;
    unsigned bad = 0;

    Input(std::size_t count, unsigned sensors, unsigned seed)
        : items(model::items(count, sensors, seed)) {
        for (const model::Item& item : items) {
            if (lines % 5 == 2) {
                text += lines % 2 == 0 ? "{\"sensor\": \"s0\"}\n" : std::string(100, 'x') + "\n";
                ++bad;
                ++lines;
            }
            text += model::line(item);
            ++lines;
        }
    }
};

Settings settings_for(From from) {
    Settings settings;
    settings.source = source_name(from);
    settings.output = output_path;
    settings.jsonl = true;
    settings.window = 3;
    settings.max_line = 64;  // some bad lines are longer
    return settings;
}

SimulationOptions options_for(std::uint64_t seed) {
    return {.seed = seed,
            .latency_max = seed == 0 ? 0us : 300us,
            .short_transfers = seed != 0,
            .descriptors = 32,
            .pipes = 1,
            .sockets = 8,
            .terminals = 1,
            .terminal_bytes = 1_KiB,
            .files = 12,
            .file_bytes = 256_KiB,
            .input_bytes = 256_KiB,
            .output_bytes = 256_KiB};
}

// Too big for a stack. Its counts outlive it.
std::optional<Pipeline> subject;
Counts counts;

Task<int> run_pipeline(const Settings& settings) {
    struct Reset {
        ~Reset() {
            counts = subject->counts();
            subject.reset();
        }
    } reset;
    subject.emplace(settings);
    co_return co_await subject->run();
}

// The peers of the sources that have one.
Task<void> connect_and_send(std::string_view bytes) {
    for (;;) {
        auto socket = co_await attempt(TcpSocket::connect(ringlet::loopback_address(port)));
        if (!socket) {
            co_await ringlet::sleep(1ms);
            continue;
        }
        const auto sent = co_await attempt(socket->send_all(ringlet::bytes_of(bytes)));
        static_cast<void>(sent);  // the pipeline may break off
        co_return;
    }
}
Task<void> accept_and_send(TcpListener& listener, std::string_view bytes) {
    auto socket = co_await listener.accept();
    const auto sent = co_await attempt(socket.send_all(ringlet::bytes_of(bytes)));
    static_cast<void>(sent);
}
// What was not read would be thrown away by the hang-up.
Task<void> send_and_hang_up(std::string_view bytes) {
    auto device = co_await SerialDevice::open(line_path);
    co_await device.write_all(ringlet::bytes_of(bytes));
    auto& world = ringlet::testing::world();
    while (world.terminal(line_path)->room() < world.options().terminal_bytes) {
        co_await ringlet::sleep(1ms);
    }
    device.hang_up();
}

void make_line() {
    auto& world = ringlet::testing::world();
    if (world.terminal(line_path) != nullptr) return;
    world.make_folder("/dev");
    world.make_terminal(line_path);
}

Task<int> run_with_peer(const Settings& settings, From from, std::string_view text) {
    int status = -1;
    std::optional<TcpListener> listener;
    if (from == From::connection) {
        listener.emplace(co_await TcpListener::listen(ringlet::loopback_address(port)));
    }
    if (from == From::serial) make_line();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        if (from == From::serial) group.spawn(send_and_hang_up, text);
        if (from == From::listener) group.spawn(connect_and_send, text);
        if (listener) group.spawn(accept_and_send, std::ref(*listener), text);
        status = co_await run_pipeline(settings);
        group.cancel_tasks();
    });
    co_return status;
}

void prepare(Simulation& simulation, const Input& input) {
    auto& world = simulation.world();
    world.make_folder("/data");
    world.write_file(input_path, input.text);
    world.write_file(output_path, old_output);
    world.feed(input.text);
    world.end_input();
}

// What is written is all that the good records make, as far as they were taken in: the complete
// windows, and, if the source had ended or failed, any number of the others.
void expect_what_was_taken_in(const Input& input, std::string_view written, std::size_t window,
                              bool source_failed = false) {
    ASSERT_LE(counts.good, input.items.size());
    const std::vector<model::Item> taken(input.items.begin(),
                                         input.items.begin() + static_cast<long>(counts.good));
    const auto expected = model::windows(taken, window);
    const std::string complete = model::rows(expected.complete);
    ASSERT_TRUE(written.starts_with(complete)) << written << "\nis not\n" << complete;
    if (counts.good < input.items.size() && !source_failed) {
        EXPECT_EQ(written, complete);
        return;
    }
    const std::string more = model::rows(expected.incomplete);
    written.remove_prefix(complete.size());
    EXPECT_TRUE(more.starts_with(written) && (written.empty() || written.ends_with('\n')));
}

// What was told of a run that was cut short.
void expect_said_what_is_undone(std::string_view words) {
    EXPECT_EQ(occurrences(words, "pipeline: line "), counts.bad) << words;
    char undone[128];
    std::snprintf(undone, sizeof undone, "stopped after line %llu; left undone: %llu lines",
                  static_cast<unsigned long long>(counts.lines),
                  static_cast<unsigned long long>(counts.lines - counts.good - counts.bad));
    EXPECT_EQ(occurrences(words, undone), 1u) << words;
    EXPECT_EQ(occurrences(words, "\"summary\""), 1u) << words;
    EXPECT_LE(counts.good + counts.bad, counts.lines);
}

TEST(Pipeline, gives_the_same_whatever_the_source_the_workers_the_queues_and_the_seed) {
    const Input input(400, 5, 1);
    const auto windows = model::windows(input.items, 3);
    const std::string expected = model::rows(windows.complete) + model::rows(windows.incomplete);
    unsigned runs = 0;
    for (const From from : all_sources) {
        for (const std::uint32_t workers : {1u, 4u, 16u}) {
            for (const std::uint32_t depth : {1u, 3u, 256u}) {
                for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
                    Settings settings = settings_for(from);
                    settings.workers = workers;
                    settings.queue_depth = depth;
                    Simulation simulation(options_for(seed));
                    prepare(simulation, input);
                    const int status =
                        simulation.run<limits>(run_with_peer, settings, from, input.text);
                    const auto words = simulation.world().written(2);
                    ASSERT_EQ(status, 1) << words;  // there are bad lines
                    ASSERT_FALSE(simulation.deadlocked()) << words;
                    ASSERT_EQ(simulation.world().file(output_path), expected)
                        << "source " << static_cast<int>(from) << ", workers " << workers
                        << ", depth " << depth << ", seed " << seed;
                    ASSERT_EQ(counts.lines, input.lines);
                    ASSERT_EQ(counts.good, input.items.size());
                    ASSERT_EQ(counts.bad, input.bad);
                    ASSERT_EQ(occurrences(words, "pipeline: line "), input.bad);
                    ASSERT_EQ(temporaries(simulation.world()), 0u);
                    ASSERT_EQ(simulation.world().open_descriptors(), 3u);
                    ASSERT_EQ(simulation.report().oversized_frames, 0u);
                    ++runs;
                }
            }
        }
    }
    std::printf("%u runs of %u lines gave the same %zu rows\n", runs, input.lines,
                windows.complete.size() + windows.incomplete.size());
}

TEST(Pipeline, writes_to_standard_output_what_it_writes_to_a_file) {
    const Input input(300, 5, 2);
    const auto windows = model::windows(input.items, 3);
    for (const std::uint64_t seed : {0, 7}) {
        Settings settings = settings_for(From::file);
        settings.output = {};
        Simulation simulation(options_for(seed));
        prepare(simulation, input);
        EXPECT_EQ(simulation.run<limits>(run_pipeline, settings), 1);
        EXPECT_EQ(simulation.world().written(1),
                  model::rows(windows.complete) + model::rows(windows.incomplete));
        EXPECT_EQ(simulation.world().file(output_path), old_output);
    }
}

// More rows than the memory for them holds, so that there are flushes on the way.
TEST(Pipeline, stopped_by_a_signal_at_any_time_has_written_what_is_complete) {
    const Input input(900, 4, 3);
    unsigned stopped = 0;
    unsigned in_the_middle = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        Settings settings = settings_for(From::input);
        settings.window = 2;
        settings.queue_depth = static_cast<std::uint32_t>(1 + seed % 8);
        Simulation simulation(options_for(seed));
        prepare(simulation, input);
        auto& world = simulation.world();
        const auto when = ringlet::later(world.now(), seed * 150us);
        world.call_at(when, [](void* it) { static_cast<Simulation*>(it)->world().raise(SIGTERM); },
                      &simulation);
        const int status = simulation.run<limits>(run_pipeline, settings);
        const auto words = world.written(2);
        ASSERT_EQ(temporaries(simulation.world()), 0u);
        if (counts.lines == 0 && status == 143) {
            ASSERT_EQ(world.file(output_path), old_output);
            continue;
        }
        expect_what_was_taken_in(input, world.file(output_path), 2);
        if (status == 1) continue;  // it was done by then
        ASSERT_EQ(status, 143) << words;
        expect_said_what_is_undone(words);
        ++stopped;
        in_the_middle += counts.good > 0 && counts.good < input.items.size() ? 1 : 0;
    }
    EXPECT_GT(in_the_middle, 20u);
    std::printf("stopped %u times, %u of them in the middle of the records\n", stopped,
                in_the_middle);
}

// Where the cancelled runs leave their world for the check.
struct Scene {
    const Input* input = nullptr;
    Settings settings;
    From from = From::file;
    bool began = false;

    Task<void> operator()() {
        co_await ringlet::make_folder("/data");
        co_await ringlet::write_atomic(input_path, ringlet::bytes_of(input->text));
        co_await ringlet::write_atomic(output_path, ringlet::bytes_of(old_output));
        began = true;
        counts = {};
        const int status = co_await run_with_peer(settings, from, input->text);
        EXPECT_EQ(status, 1);
    }
};

Scene scene_of(From from, const char* output, const Input& input) {
    Scene scene{&input, settings_for(from), from};
    scene.settings.output = output == nullptr ? std::string_view() : output;
    scene.settings.window = 2;
    scene.settings.workers = 2;
    scene.settings.queue_depth = 2;
    return scene;
}

// A small world: there are hundreds.
SimulationOptions exploring_options(std::uint64_t seed) {
    auto options = options_for(seed);
    options.file_bytes = 32_KiB;
    options.input_bytes = 1_KiB;
    options.output_bytes = 32_KiB;
    options.socket_bytes = 16_KiB;
    return options;
}

void explore(From from, const char* output, std::uint64_t seed, const Input& input) {
    Scene scene = scene_of(from, output, input);
    unsigned kept_old = 0;
    unsigned replaced = 0;
    const auto check = [&](Simulation& simulation) {
        // A run may be cancelled before its first step.
        if (!std::exchange(scene.began, false)) return;
        auto& world = simulation.world();
        EXPECT_EQ(temporaries(simulation.world()), 0u);
        EXPECT_EQ(simulation.report().oversized_frames, 0u);
        const auto written = output == nullptr ? world.written(1) : world.file(output_path);
        const auto words = world.written(2);
        const bool whole = counts.good + counts.bad == input.lines;
        if (counts.lines == 0) {
            EXPECT_EQ(written, output == nullptr ? std::string_view() : old_output);
            ++kept_old;
            return;
        }
        ++replaced;
        expect_what_was_taken_in(input, written, 2);
        EXPECT_EQ(occurrences(words, "pipeline: line "), counts.bad);
        if (!whole) expect_said_what_is_undone(words);
    };
    const auto found =
        ringlet::support::run_cancelled<limits>(std::ref(scene), exploring_options(seed), check);
    std::printf("source %d, %s, seed %llu: cancelled at %u suspension points, %u times; the old "
                "output was kept %u times and replaced %u times\n",
                static_cast<int>(from), output == nullptr ? "standard output" : "a file",
                static_cast<unsigned long long>(seed), found.points, found.cancelled, kept_old,
                replaced);
    if (!found.whole) return;
    EXPECT_GT(found.points, 50u);
    EXPECT_GT(found.cancelled, found.points / 2);
    EXPECT_GT(replaced, found.points / 4);
}

// Those that make the input and the old output fail, too; then there is nothing to look at.
void explore_faults(From from, std::uint64_t seed, const Input& input) {
    Scene scene = scene_of(from, output_path, input);
    unsigned kept_old = 0;
    unsigned replaced = 0;
    const auto check = [&](Simulation& simulation) {
        EXPECT_EQ(simulation.report().oversized_frames, 0u);
        if (!std::exchange(scene.began, false)) return;
        EXPECT_LE(temporaries(simulation.world()), 1u);  // one whose removal failed
        const auto written = simulation.world().file(output_path);
        if (written == old_output) {
            ++kept_old;
            return;
        }
        ++replaced;
        const std::string told = "pipeline: " + std::string(source_name(from)) + ": ";
        const bool source_failed = occurrences(simulation.world().written(2), told) > 0;
        expect_what_was_taken_in(input, written, 2, source_failed);
    };
    const auto found =
        ringlet::support::run_faulted<limits>(std::ref(scene), exploring_options(seed), check);
    std::printf("source %d, seed %llu: %u faults; the old output was kept %u times and replaced %u "
                "times\n",
                static_cast<int>(from), static_cast<unsigned long long>(seed), found.hit, kept_old,
                replaced);
    if (!found.whole) return;
    EXPECT_GT(found.points, 20u);
    EXPECT_GT(kept_old, 3u);
    EXPECT_GE(replaced, 3u);
}

TEST(Pipeline, cancelled_anywhere_leaves_the_old_file_or_whole_windows) {
    const Input input(30, 2, 4);
    for (const std::uint64_t seed : {0, 1, 2, 3}) explore(From::file, output_path, seed, input);
}

TEST(Pipeline, cancelled_anywhere_with_a_peer_leaves_the_old_file_or_whole_windows) {
    const Input input(30, 2, 5);
    for (const From from : {From::listener, From::connection, From::serial}) {
        for (const std::uint64_t seed : {0, 6}) explore(from, output_path, seed, input);
    }
}

TEST(Pipeline, cancelled_anywhere_leaves_whole_rows_on_standard_output) {
    const Input input(30, 2, 6);
    for (const std::uint64_t seed : {0, 1}) explore(From::file, nullptr, seed, input);
}

TEST(Pipeline, with_a_fault_at_each_operation_leaves_the_old_file_or_whole_windows) {
    const Input input(30, 2, 4);
    for (const From from : {From::file, From::listener, From::connection, From::serial}) {
        for (const std::uint64_t seed : {0, 1, 2}) explore_faults(from, seed, input);
    }
}

// Every operation of the run fails once, in turn.
TEST(Pipeline, with_any_operation_failing_keeps_the_old_file_or_gives_a_whole_one) {
    const Input input(700, 4, 7);
    const auto windows = model::windows(input.items, 1);
    const std::string whole = model::rows(windows.complete);
    const struct {
        int opcode;
        int number;
        bool by_source;  // an error of the source keeps what came
    } faults[] = {
        {IORING_OP_STATX, EACCES, false}, {IORING_OP_OPENAT, EMFILE, false},
        {IORING_OP_READ, EIO, true},      {IORING_OP_WRITE, ENOSPC, false},
        {IORING_OP_FSYNC, EIO, false},    {IORING_OP_RENAMEAT, EACCES, false},
        {IORING_OP_CLOSE, EIO, false}};
    unsigned runs = 0;
    unsigned kept_old = 0;
    for (const auto& fault : faults) {
        for (unsigned nth = 1; nth <= 12; ++nth) {
            Settings settings = settings_for(From::file);
            settings.window = 1;
            Simulation simulation(options_for(nth % 3));
            prepare(simulation, input);
            simulation.world().fail_nth(fault.opcode, nth, fault.number);
            const int status = simulation.run<limits>(run_pipeline, settings);
            const auto written = simulation.world().file(output_path);
            EXPECT_EQ(status, 1);  // bad lines make it so without a failure, too
            EXPECT_EQ(temporaries(simulation.world()), 0u)
                << "opcode " << fault.opcode << ", " << nth;
            // A close that failed has closed, but the simulation takes it as not executed.
            const unsigned unclosed = fault.opcode == IORING_OP_CLOSE ? 1 : 0;
            EXPECT_LE(simulation.world().open_descriptors(), 3u + unclosed);
            if (written == old_output) {
                ++kept_old;
            } else if (fault.by_source) {
                expect_what_was_taken_in(input, written, 1);
            } else {
                EXPECT_EQ(written, whole) << "opcode " << fault.opcode << ", " << nth;
            }
            ++runs;
        }
    }
    EXPECT_GT(kept_old, 5u);
    std::printf("%u runs with one failure each; the old output was kept %u times\n", runs,
                kept_old);
}

TEST(Pipeline, whose_peer_breaks_off_keeps_what_came) {
    const Input input(2000, 3, 8);
    unsigned kept_old = 0;
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9}) {
        Settings settings = settings_for(From::connection);
        Simulation simulation(options_for(seed));
        prepare(simulation, input);
        simulation.world().fail_nth(IORING_OP_RECV, static_cast<unsigned>(1 + seed % 3),
                                      ECONNRESET);
        const int status = simulation.run<limits>(run_with_peer, settings, From::connection,
                                                  std::string_view(input.text));
        EXPECT_EQ(status, 1);
        const auto words = simulation.world().written(2);
        EXPECT_EQ(occurrences(words, "Connection reset by peer\n"), 1u) << words;
        const auto written = simulation.world().file(output_path);
        if (counts.lines == 0) {
            EXPECT_EQ(written, old_output);
            ++kept_old;
            continue;
        }
        EXPECT_EQ(counts.good + counts.bad, counts.lines);
        const std::vector<model::Item> taken(input.items.begin(),
                                             input.items.begin() + static_cast<long>(counts.good));
        const auto expected = model::windows(taken, 3);
        EXPECT_EQ(written, model::rows(expected.complete) + model::rows(expected.incomplete));
    }
    EXPECT_EQ(kept_old, 3u);
}

TEST(Pipeline, is_sized_for_a_small_board) {
    std::printf("a Pipeline takes %zu bytes\n", sizeof(Pipeline));
    EXPECT_LT(sizeof(Pipeline), 3_MiB);
}

}  // namespace
}  // namespace pipeline
