// Simulated character devices: what a model answers reaches the program, and takes its time.
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/work/offload.hpp>

#include <sys/ioctl.h>

#include <array>
#include <chrono>
#include <utility>

using namespace ringlet;
using namespace std::chrono_literals;
using ringlet::testing::CharacterDevice;
using ringlet::testing::OpenDevice;
using ringlet::testing::Simulation;
using ringlet::testing::World;
using ringlet::testing::would_block;

namespace {

constexpr unsigned long roll = _IO('d', 1);    // the next numbers are the argument
constexpr unsigned long ponder = _IO('d', 2);  // takes as many milliseconds as the argument says

// Gives the number that was rolled, once; each open file has its own.
class Dice final : public CharacterDevice {
public:
    explicit Dice(World& world) : CharacterDevice(world, "/dev/dice") {}

    int opened(OpenDevice&) override {
        if (exclusive && files > 0) return -EBUSY;
        ++files;
        return 0;
    }
    void closed(OpenDevice&) override { --files; }
    int read(OpenDevice& file, std::span<std::byte> out) override {
        if (file.note == 0) return would_block;
        out[0] = static_cast<std::byte>(std::exchange(file.note, 0));
        return 1;
    }
    int write(OpenDevice& file, std::span<const std::byte> in) override {
        file.note = static_cast<std::uint64_t>(in[0]);
        return 1;
    }
    unsigned ready(const OpenDevice& file) const override { return file.note != 0 ? POLLIN : 0; }
    int control(OpenDevice& file, unsigned long request, std::uintptr_t argument) override {
        if (request == roll) {
            file.note = argument;
            return 0;
        }
        if (request != ponder) return -ENOTTY;
        was_in_job = world().is_in_job();
        world().take_time(std::chrono::milliseconds(argument));
        return 42;
    }

    bool exclusive = false;
    bool was_in_job = false;
    int files = 0;
};

constexpr Limits limits{.workers = 2};

void run(Simulation& simulation, Task<void> (*body)(Dice& dice)) {
    simulation.world().make_folder("/dev");
    Dice dice(simulation.world());
    EXPECT_EQ(simulation.run<limits>(body, std::ref(dice)), 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_EQ(dice.files, 0);
}

void run(Task<void> (*body)(Dice& dice)) {
    Simulation simulation;
    run(simulation, body);
}

Task<int> read_one(File& file) {
    std::byte number{};
    const auto count = co_await file.read(std::span(&number, 1));
    EXPECT_EQ(count, 1u);
    co_return static_cast<int>(number);
}

Result<int> control(const File& file, unsigned long request, std::uintptr_t argument) {
    return scheduler().system().control(file.descriptor(), request, argument);
}

TEST(CharacterDevice, is_opened_read_written_and_controlled) {
    run([](Dice& dice) -> Task<void> {
        auto file = co_await File::open("/dev/dice", OpenMode::read_write);
        EXPECT_EQ(dice.files, 1);
        const auto other = co_await File::open("/dev/dice");
        const auto rolled = control(file, roll, 6);
        EXPECT_TRUE(rolled && *rolled == 0);
        const int six = co_await read_one(file);
        EXPECT_EQ(six, 6);
        const std::byte three{3};
        co_await file.write(std::span(&three, 1));
        const int number = co_await read_one(file);
        EXPECT_EQ(number, 3);
        const auto unknown = control(file, _IO('d', 9), 0);
        EXPECT_TRUE(!unknown && unknown.error() == Error::kernel(ENOTTY));
    });
}

TEST(CharacterDevice, lets_a_read_and_a_poll_wait_until_there_is_something) {
    run([](Dice&) -> Task<void> {
        auto file = co_await File::open("/dev/dice", OpenMode::read_write);
        const auto throw_late = [&]() -> Task<void> {
            co_await sleep(5ms);
            co_await control(file, roll, 2);
        };
        const auto both = co_await gather(read_one(file), throw_late());
        EXPECT_EQ(std::get<0>(both), 2);
        const auto polled = co_await gather(poll(file.descriptor(), POLLIN), throw_late());
        EXPECT_EQ(std::get<0>(polled), unsigned{POLLIN});
        const auto again = co_await read_one(file);
        EXPECT_EQ(again, 2);
        const auto nothing = co_await attempt(timeout(1ms, read_one(file)));
        EXPECT_TRUE(!nothing && nothing.error() == std::errc::timed_out);
    });
}

TEST(CharacterDevice, may_refuse_to_be_opened) {
    run([](Dice& dice) -> Task<void> {
        dice.exclusive = true;
        const auto first = co_await File::open("/dev/dice");
        const auto second = co_await attempt(File::open("/dev/dice"));
        EXPECT_TRUE(!second && second.error() == std::errc::device_or_resource_busy);
    });
}

TEST(CharacterDevice, that_is_slow_holds_up_a_job_and_not_the_loop) {
    run([](Dice& dice) -> Task<void> {
        const auto file = co_await File::open("/dev/dice");
        World& world = dice.world();
        System& system = scheduler().system();
        const auto job = [&] { return system.control(file.descriptor(), ponder, 200); };
        const Instant begin = world.now();
        int ticks = 0;
        const auto tick = [&]() -> Task<void> {
            for (; world.now() < begin + 100'000'000; ++ticks) co_await sleep(1ms);
        };
        const auto both = co_await gather(offload(job), tick());
        EXPECT_EQ(std::get<0>(both), 42);
        EXPECT_EQ(world.now() - begin, 200'000'000);
        EXPECT_EQ(ticks, 100);
        EXPECT_TRUE(dice.was_in_job);
        EXPECT_EQ(world.loop_stalled(), 0ns);
    });
}

TEST(CharacterDevice, that_is_slow_stalls_a_loop_that_calls_it_and_that_is_counted) {
    run([](Dice& dice) -> Task<void> {
        const auto file = co_await File::open("/dev/dice");
        const Instant begin = dice.world().now();
        const auto answer = control(file, ponder, 200);
        EXPECT_TRUE(answer && *answer == 42);
        EXPECT_EQ(dice.world().now() - begin, 200'000'000);
        EXPECT_FALSE(dice.was_in_job);
        EXPECT_EQ(dice.world().loop_stalled(), 200ms);
    });
}

TEST(CharacterDevice, that_is_unplugged_is_gone_for_all) {
    run([](Dice& dice) -> Task<void> {
        auto file = co_await File::open("/dev/dice", OpenMode::read_write);
        const auto pull = [&]() -> Task<void> {
            co_await sleep(1ms);
            dice.unplug();
            dice.files = 0;
        };
        const auto both = co_await gather_results(read_one(file), pull());
        const auto& read = std::get<0>(both);
        EXPECT_TRUE(!read && read.error() == std::errc::no_such_device);
        const auto controlled = control(file, roll, 1);
        EXPECT_TRUE(!controlled && controlled.error() == std::errc::no_such_device);
        const auto again = co_await attempt(File::open("/dev/dice"));
        EXPECT_TRUE(!again && again.error() == std::errc::no_such_file_or_directory);
    });
}

TEST(CharacterDevice, can_be_made_nonblocking) {
    run([](Dice&) -> Task<void> {
        const auto file = co_await File::open("/dev/dice");
        int on = 1;
        const auto made =
            scheduler().system().control_object(file.descriptor(), FIONBIO, on);
        EXPECT_TRUE(made && *made == 0);
    });
}

}  // namespace
