// A disk that is slow, or hangs: what it holds up, and what not.
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/io/terminal.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>

using namespace ringlet;
using namespace std::chrono_literals;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::world;

namespace {

// How long a coroutine takes, in virtual time.
template <class F>
Nanoseconds time_of(F body, const SimulationOptions& options = {}) {
    Simulation simulation(options);
    simulation.world().make_folder("/dev");
    simulation.world().make_terminal("/dev/ttyS0").feed("x");
    const Instant start = simulation.world().now();
    EXPECT_EQ(simulation.run(body), 0) << simulation.log();
    return Nanoseconds(simulation.world().now() - start);
}

// Ten operations on the disk.
Task<void> use_files() {
    std::array<std::byte, 4> buffer;
    co_await make_folder("/d");
    auto file = co_await File::open("/d/f", OpenMode::replace);
    co_await file.write_all(bytes_of("text"));
    co_await file.sync();
    co_await file.close();
    auto again = co_await File::open("/d/f", OpenMode::read);
    co_await again.read(buffer);
    co_await again.close();
    co_await rename_file("/d/f", "/d/g");
    co_await file_status("/d/g");
    co_await remove_file("/d/g");
    co_await remove_folder("/d");
}

Task<void> use_no_files() {
    std::array<std::byte, 4> buffer;
    auto pipe = co_await Pipe::open();
    co_await pipe.writer.write_all(bytes_of("text"));
    co_await pipe.reader.read(buffer);
}

TEST(SlowDisk, takes_its_time_for_each_operation_on_files_and_their_names) {
    const auto slowly = []() -> Task<void> {
        world().slow_disk(10ms, 10ms);
        co_await use_files();
        world().slow_disk(0ms, 0ms);
        co_await use_files();
    };
    EXPECT_EQ(time_of(slowly), 100ms);
}

TEST(SlowDisk, is_slower_by_that_than_the_latency_of_the_operation) {
    const auto slowly = []() -> Task<void> {
        world().slow_disk(10ms, 10ms);
        world().set_latency(IORING_OP_WRITE, 5ms, 5ms);
        co_await use_files();
    };
    EXPECT_EQ(time_of(slowly), 105ms);
}

TEST(SlowDisk, holds_up_nothing_but_files) {
    const auto slowly = []() -> Task<void> {
        world().slow_disk(10ms, 10ms);
        co_await use_no_files();
    };
    EXPECT_EQ(time_of(slowly), 0ms);
}

TEST(SlowDisk, draws_its_times_by_the_seed) {
    const auto slowly = []() -> Task<void> {
        world().slow_disk(1ms, 100ms);
        co_await use_files();
    };
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const Nanoseconds took = time_of(slowly, {.seed = seed});
        EXPECT_GE(took, 10ms);
        EXPECT_LE(took, 1s);
        EXPECT_EQ(time_of(slowly, {.seed = seed}), took);
        EXPECT_NE(time_of(slowly, {.seed = seed + 1}), took);
    }
}

TEST(HangingDisk, answers_all_that_began_meanwhile_when_it_is_over) {
    const auto body = []() -> Task<void> {
        auto file = co_await File::open("/f", OpenMode::replace);
        world().hang_disk(30s);
        const Instant start = scheduler().now();
        const auto early = co_await attempt(timeout(1s, file.write_all(bytes_of("late"))));
        // The kernel has the buffer, so the time limit has to wait for it, and the write succeeded.
        EXPECT_TRUE(early.has_value());
        EXPECT_EQ(Nanoseconds(scheduler().now() - start), 30s);
        co_await file.sync();
        EXPECT_EQ(Nanoseconds(scheduler().now() - start), 30s);
    };
    EXPECT_EQ(time_of(body), 30s);
}

TEST(HangingDisk, lets_everything_else_go_on) {
    const auto body = []() -> Task<void> {
        auto line = co_await Terminal::open("/dev/ttyS0");
        world().hang_disk(30s);
        const auto others = [&]() -> Task<void> {
            const Instant start = scheduler().now();
            co_await use_no_files();
            std::array<std::byte, 4> buffer;
            co_await line.read(buffer);
            EXPECT_EQ(scheduler().now(), start);
        };
        co_await gather(others(), use_files());
    };
    EXPECT_EQ(time_of(body), 30s);
}

TEST(HangingDisk, comes_on_top_of_slowness) {
    const auto body = []() -> Task<void> {
        world().slow_disk(1s, 1s);
        world().hang_disk(30s);
        co_await use_files();
    };
    EXPECT_EQ(time_of(body), 40s);
}

}  // namespace
