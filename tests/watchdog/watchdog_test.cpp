// The watchdog by itself: timeouts, the magic close, and that it runs on after any other one.
// That it is fed by votes alone: tests/health.
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/virtual_time.hpp>
#include <ringlet/testing/watchdog_device.hpp>
#include <ringlet/watchdog/watchdog.hpp>

#include <support/cases.hpp>

namespace ringlet::support {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;
using testing::WatchdogDevice;
using testing::WatchdogDeviceOptions;
using watchdog::Watchdog;

constexpr Limits watchdog_limits{
    .tasks = 8,
    .operations = 8,
    .descriptors = 4,
    .frames = {{128, 32}, {256, 32}, {512, 16}, {1024, 8}, {8192, 2}}};

constexpr const char* path = "/dev/watchdog0";

// What the device is like after `body(device)`.
template <class F>
void on_device(F body, const WatchdogDeviceOptions& options = {}, bool stopped = true) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    WatchdogDevice device(simulation.world(), path, options);
    EXPECT_EQ(simulation.run<watchdog_limits>(body, std::ref(device)), 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_FALSE(device.is_open());
    EXPECT_EQ(device.is_running(), !stopped);
}

template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

TEST(Watchdog, runs_from_its_opening_until_it_is_disarmed) {
    on_device([](WatchdogDevice& device) -> Task<void> {
        auto watchdog = co_await Watchdog::open(path, {.timeout = 30s});
        EXPECT_TRUE(device.is_running());
        EXPECT_EQ(watchdog.timeout(), 30s);
        co_await sleep(10s);
        EXPECT_EQ(watchdog.time_left(), 20s);
        co_await watchdog.disarm();
        EXPECT_FALSE(watchdog.is_open());
        EXPECT_FALSE(device.is_running());
        EXPECT_FALSE(device.has_barked());
    });
}

TEST(Watchdog, barks_if_nobody_feeds_it) {
    on_device([](WatchdogDevice& device) -> Task<void> {
        const Instant begin = testing::world().now();
        const auto watchdog = co_await Watchdog::open(path, {.timeout = 30s, .pretimeout = 5s});
        co_await sleep(26s);
        EXPECT_TRUE(device.has_warned());
        EXPECT_FALSE(device.has_barked());
        co_await sleep(10s);
        EXPECT_TRUE(device.has_barked());
        EXPECT_EQ(device.barked_at() - begin, 30'000'000'000);
    });
}

TEST(Watchdog, runs_on_if_it_is_only_closed) {
    on_device(
        [](WatchdogDevice& device) -> Task<void> {
            { const auto watchdog = co_await Watchdog::open(path); }
            co_await sleep(1s);
            EXPECT_FALSE(device.is_open());
            EXPECT_TRUE(device.is_running());
        },
        {}, false);
}

TEST(Watchdog, is_disarmed_by_with_unless_the_work_fails) {
    on_device([](WatchdogDevice& device) -> Task<void> {
        co_await with(Watchdog::open(path), [](Watchdog&) -> Task<void> { co_return; });
        EXPECT_FALSE(device.is_running());
        const auto sleep_long = [](Watchdog&) -> Task<void> { co_await sleep(10s); };
        (void)co_await attempt(timeout(1s, with(Watchdog::open(path), sleep_long)));
        EXPECT_FALSE(device.is_running());  // cancelled
    });
    on_device(
        [](WatchdogDevice&) -> Task<void> {
            const auto fails = [](Watchdog&) -> Task<void> { co_await fail(std::errc::io_error); };
            const auto failed = co_await attempt(with(Watchdog::open(path), fails));
            EXPECT_EQ(number_of(failed), EIO);
        },
        {}, false);
}

TEST(Watchdog, cannot_be_stopped_if_the_kernel_was_told_so) {
    on_device(
        [](WatchdogDevice&) -> Task<void> {
            auto watchdog = co_await Watchdog::open(path);
            co_await watchdog.disarm();
        },
        {.nowayout = true}, false);
}

// Such hardware stops whenever it is closed: da9062, da9063.
TEST(Watchdog, without_a_magic_close_ends_with_the_program_and_says_so) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    WatchdogDevice device(simulation.world(), path, {.magic_close = false});
    const auto body = []() -> Task<void> {
        const auto fails = [](Watchdog&) -> Task<void> { co_await fail(std::errc::io_error); };
        co_await with(Watchdog::open(path), fails);
    };
    EXPECT_EQ(simulation.run<watchdog_limits>(body), 1);
    EXPECT_FALSE(device.is_running());
    const std::string_view log = simulation.log();
    EXPECT_NE(log.find("stops when it is closed"), log.npos) << log;
    EXPECT_NE(log.find("stopped, though the program has failed"), log.npos) << log;
    EXPECT_EQ(log.find("a reset in at most"), log.npos) << log;
}

TEST(Watchdog, without_a_magic_close_runs_on_if_the_kernel_was_told_so) {
    on_device(
        [](WatchdogDevice&) -> Task<void> {
            auto watchdog = co_await Watchdog::open(path);
            EXPECT_FALSE(watchdog.has_magic_close());
            co_await watchdog.disarm();
        },
        {.magic_close = false, .nowayout = true}, false);
}

TEST(Watchdog, is_one_program_s_and_refuses_what_it_has_not) {
    on_device(
        [](WatchdogDevice& device) -> Task<void> {
            const auto pre = co_await attempt(Watchdog::open(path, {.pretimeout = 5s}));
            EXPECT_EQ(number_of(pre), EOPNOTSUPP);
            EXPECT_FALSE(device.is_running());
            const auto long_one = co_await attempt(Watchdog::open(path, {.timeout = 61s}));
            EXPECT_EQ(number_of(long_one), EINVAL);
            EXPECT_FALSE(device.is_running());
            auto watchdog = co_await Watchdog::open(path);
            EXPECT_TRUE(watchdog.has_magic_close());
            EXPECT_EQ(watchdog.timeout(), 20s);  // as it was set
            EXPECT_TRUE(watchdog.has_reset());
            EXPECT_EQ(number_of(watchdog.time_left()), EOPNOTSUPP);
            const auto second = co_await attempt(Watchdog::open(path));
            EXPECT_EQ(number_of(second), EBUSY);
            co_await watchdog.disarm();
            const auto missing = co_await attempt(Watchdog::open("/dev/watchdog7"));
            EXPECT_EQ(number_of(missing), ENOENT);
        },
        {.timeout = 20s,
         .timeout_max = 60s,
         .has_pretimeout = false,
         .tells_time_left = false,
         .has_reset = true});
}

}  // namespace
}  // namespace ringlet::support
