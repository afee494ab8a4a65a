// The pipeline on a serial line: its settings, its hang-up, and what goes wrong on the wire.
#include <pipeline.hpp>

#include <apps/left_behind.hpp>

#include <ringlet/flow/task_group.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/testing/serial_device.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <optional>

namespace pipeline {
namespace {

using namespace std::chrono_literals;
using ringlet::Task;
using ringlet::TaskGroup;
using ringlet::support::occurrences;
using ringlet::testing::Flaw;
using ringlet::testing::Simulation;
using ringlet::testing::TerminalLine;

constexpr ringlet::Limits limits{
    .tasks = workers_max + 12,
    .operations = 16,
    .descriptors = 16,
    .frames = {{128, 128}, {256, 128}, {512, 64}, {1024, 64}, {2048, 16}, {8192, 8}}};

// Too big for a stack. Its counts outlive it.
std::optional<Pipeline> subject;
Counts counts;

struct OnLine {
    Simulation simulation;
    TerminalLine& line;
    Settings settings;

    OnLine() : line(make_line(simulation)) {
        settings.source = "serial:/dev/ttyS0,19200,7E2";
        settings.jsonl = true;
        settings.window = 1;
    }

    // Runs beside `device`, which begins once the line is open.
    int with(const std::function<Task<void>()>& device) {
        const auto both = [&]() -> Task<int> {
            int status = -1;
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                group.spawn(begin, std::cref(line), std::cref(device));
                subject.emplace(settings);
                status = co_await subject->run();
                counts = subject->counts();
                subject.reset();
            });
            co_return status;
        };
        const int status = simulation.run<limits>(both);
        counts = subject ? subject->counts() : counts;
        subject.reset();
        EXPECT_FALSE(simulation.deadlocked()) << words();
        EXPECT_EQ(simulation.world().open_descriptors(), 3u);
        EXPECT_EQ(simulation.report().oversized_frames, 0u);
        return status;
    }

    std::string_view rows() { return simulation.world().written(1); }
    std::string_view words() { return simulation.world().written(2); }

private:
    static TerminalLine& make_line(Simulation& simulation) {
        simulation.world().make_folder("/dev");
        return simulation.world().make_terminal("/dev/ttyS0");
    }
    static Task<void> begin(const TerminalLine& line, const std::function<Task<void>()>& device) {
        while (!line.is_raw()) co_await ringlet::sleep(1ms);
        co_await device();
    }
};

constexpr std::string_view record_a = "{\"sensor\":\"a\",\"t\":1,\"value\":21.5}\n";

TEST(PipelineSerial, has_the_line_as_told_and_puts_it_back_when_it_is_stopped) {
    OnLine run;
    const int status = run.with([&]() -> Task<void> {
        EXPECT_EQ(run.line.port.baud(), 19'200u);
        EXPECT_TRUE(run.line.port.is_exclusive());
        run.line.feed(record_a);
        co_await ringlet::sleep(1ms);
        run.simulation.world().raise(SIGTERM);
    });
    EXPECT_EQ(status, 143) << run.words();
    EXPECT_EQ(occurrences(run.words(), "stopped after line 1;"), 1u) << run.words();
    EXPECT_EQ(occurrences(run.rows(), "\"sensor\":\"a\""), 1u) << run.rows();
    EXPECT_FALSE(run.line.is_raw());
    EXPECT_EQ(run.line.port.baud(), 9600u);
    EXPECT_FALSE(run.line.port.is_exclusive());
}

TEST(PipelineSerial, ends_with_the_hang_up_and_takes_a_last_line_without_its_end) {
    OnLine run;
    const int status = run.with([&]() -> Task<void> {
        run.line.feed(record_a);
        run.line.feed(record_a.substr(0, record_a.size() - 1));
        co_await ringlet::sleep(1ms);
        run.line.hang_up();
    });
    EXPECT_EQ(status, 0) << run.words();
    EXPECT_EQ(counts.good, 2u);
}

// "21.5" without its first digit would be a number, too.
TEST(PipelineSerial, takes_a_line_with_a_broken_byte_as_bad_and_tells_what_was_counted) {
    for (const bool jsonl : {false, true}) {
        OnLine run;
        run.settings.jsonl = jsonl;
        const int status = run.with([&]() -> Task<void> {
            run.line.feed(record_a);
            run.line.feed("{\"sensor\":\"a\",\"t\":1,\"value\":");
            run.line.feed_flawed('2', Flaw::parity);
            run.line.feed("1.5}\n");
            run.line.feed("{\"sensor\":\"a");
            run.line.feed_flawed('b', Flaw::framing);
            run.line.feed("\",\"t\":1,\"value\":1}\n");
            run.line.feed_flawed(0, Flaw::line_break);
            run.line.feed(record_a);
            run.line.feed(record_a);
            co_await ringlet::sleep(1ms);
            run.line.hang_up();
        });
        EXPECT_EQ(status, 1);
        EXPECT_EQ(counts.good, 2u) << run.words();
        EXPECT_EQ(counts.bad, 3u);
        EXPECT_EQ(occurrences(run.words(), "0x00"), 2u) << run.words();
        EXPECT_EQ(occurrences(run.words(), "line 3: column 13: a control character"), 1u);
        const char* const told =
            jsonl ? R"("line_errors":{"parity":1,"framing":1,"breaks":1,"overruns":0,)"
                    R"("buffer_overruns":0})"
                  : "pipeline: errors of the line: 1 parity, 1 framing, 1 breaks, 0 overruns, 0 "
                    "buffer overruns\n";
        EXPECT_EQ(occurrences(run.words(), told), 1u) << run.words();
    }
}

TEST(PipelineSerial, fails_if_bytes_were_lost_though_no_line_was_bad) {
    OnLine run;
    const int status = run.with([&]() -> Task<void> {
        run.line.feed(record_a);
        run.line.port.count_overruns(2);
        run.line.feed(record_a);
        co_await ringlet::sleep(1ms);
        run.line.hang_up();
    });
    EXPECT_EQ(status, 1);
    EXPECT_EQ(counts.bad, 0u);
    EXPECT_EQ(occurrences(run.words(), R"("overruns":2,)"), 1u) << run.words();
}

TEST(PipelineSerial, tells_of_no_errors_where_none_are_counted) {
    OnLine run;
    run.line.port.options.counts = false;
    const int status = run.with([&]() -> Task<void> {
        run.line.feed(record_a);
        co_await ringlet::sleep(1ms);
        run.line.hang_up();
    });
    EXPECT_EQ(status, 0) << run.words();
    EXPECT_EQ(occurrences(run.words(), "line_errors"), 0u) << run.words();
}

TEST(PipelineSerial, says_what_the_line_cannot_be) {
    OnLine run;
    run.line.port.options.has_parity = false;
    EXPECT_EQ(run.simulation.run<limits>([&]() -> Task<int> {
        subject.emplace(run.settings);
        const int status = co_await subject->run();
        subject.reset();
        co_return status;
    }), 1);
    EXPECT_EQ(occurrences(run.words(), "pipeline: serial:/dev/ttyS0,19200,7E2: the serial port "
                                       "cannot have those data bits, parity"),
              1u)
        << run.words();
    EXPECT_FALSE(run.line.is_raw());
}

TEST(PipelineSerial, refuses_what_names_no_line) {
    EXPECT_EQ(Source::why_refused("serial:/dev/ttyS0"), nullptr);
    EXPECT_EQ(Source::why_refused("serial:/dev/ttyS0,115200,8N1,rtscts"), nullptr);
    EXPECT_STREQ(Source::why_refused("serial:"), "the path of a serial line has 1 to 255 bytes");
    EXPECT_STREQ(Source::why_refused("serial:/dev/ttyS0,fast"),
                 "settings of a serial line are written as in 115200,8N1 or 19200,7E2,rtscts");
}

}  // namespace
}  // namespace pipeline
