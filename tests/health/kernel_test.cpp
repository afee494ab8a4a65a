// The watchdog and its supervisor on the kernel's softdog, which tools/boards/simulated-hardware
// loads; each case disarms it: else the machine would be reset. And a service's datagrams.
#include "health/health_cases.hpp"

#include <fstream>

namespace ringlet::support {
namespace {

Runtime<health_limits> kernel_runtime;

class KernelWatchdog : public ::testing::Test {
protected:
    void SetUp() override {
        std::ifstream name("/sys/class/watchdog/watchdog0/identity");
        std::string identity;
        std::getline(name, identity);
        // Not some machine's own: this test plays with it.
        if (identity != "Software Watchdog") {
            GTEST_SKIP() << "no softdog: tools/boards/simulated-hardware loads it";
        }
    }
};

TEST_F(KernelWatchdog, is_set_and_disarmed) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto watchdog = co_await Watchdog::open(watchdog_path, {.timeout = 100s});
        EXPECT_EQ(watchdog.timeout(), 100s);
        const auto second = co_await attempt(Watchdog::open(watchdog_path));
        EXPECT_EQ(number_of(second), EBUSY);
        EXPECT_EQ(number_of(watchdog.time_left()), EOPNOTSUPP);  // softdog does not tell it
        const auto wrong = watchdog.set_timeout(1'000'000s);
        EXPECT_EQ(number_of(wrong), EINVAL);
        co_await watchdog.disarm();
    });
    std::ifstream file("/sys/class/watchdog/watchdog0/state");
    std::string state;
    file >> state;
    EXPECT_TRUE(state.empty() || state == "inactive") << state;
}

TEST_F(KernelWatchdog, is_fed_by_votes) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto watchdog = co_await Watchdog::open(watchdog_path, {.timeout = 100s});
        Supervisor supervisor({.check_every = 10ms});
        supervisor.feed(watchdog);
        co_await supervisor.run([&]() -> Task<void> {
            Voter vote(supervisor, 60s);
            while (supervisor.fed() < 5) {
                co_await sleep(10ms);
                vote.alive();
            }
        });
        EXPECT_FALSE(watchdog.is_open());
    });
}

TEST(KernelService, tells_its_manager_by_a_path_and_by_an_abstract_name) {
    static Heard heard;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        for (const char* name : {"@ringlet-health-test", "/tmp/ringlet-health-test"}) {
            auto manager = co_await UnixDatagram::bind(name);
            auto service = co_await Service::open({.socket = name, .watchdog = 30ms});
            Supervisor supervisor;
            supervisor.feed(service);
            const auto body = [&]() -> Task<void> {
                Voter vote(supervisor, 60s);
                co_await service.ready();
                while (supervisor.fed() < 3) co_await sleep(1ms);
            };
            co_await race(supervisor.run(body), listen(manager, heard));
            (void)co_await attempt(timeout(10ms, listen(manager, heard)));
        }
        co_await remove_file("/tmp/ringlet-health-test");
    });
    EXPECT_EQ(heard.ready, 2u);
    EXPECT_GE(heard.alive, 6u);
    EXPECT_EQ(heard.stopping, 2u);
}

}  // namespace
}  // namespace ringlet::support
