// What a service manager is told, and what its absence changes.
#include "health/health_cases.hpp"

#include <cstdlib>
#include <unistd.h>

namespace ringlet::support {
namespace {

TEST(Service, tells_its_manager_how_it_is) {
    Simulation simulation;
    Heard heard;
    simulation.add_peer(be_manager, std::ref(heard));
    const auto body = []() -> Task<void> {
        auto service = co_await Service::open({.socket = manager_name, .watchdog = 10s});
        EXPECT_TRUE(service.is_managed());
        EXPECT_EQ(service.watchdog(), 10s);
        co_await service.ready();
        co_await service.status("two\nlines");
        co_await service.stopping();
        co_await sleep(1ms);
    };
    EXPECT_EQ(simulation.run<health_limits>(body), 0) << simulation.log();
    EXPECT_EQ(heard.ready, 1u);
    EXPECT_EQ(heard.stopping, 1u);
    EXPECT_EQ(heard.status, "two lines");
}

TEST(Service, without_a_manager_does_nothing) {
    Simulation simulation;
    const auto body = []() -> Task<void> {
        auto service = co_await Service::open({});
        EXPECT_FALSE(service.is_managed());
        EXPECT_EQ(service.watchdog(), 0ns);
        co_await service.ready();
        co_await service.stopping();
    };
    EXPECT_EQ(simulation.run<health_limits>(body), 0) << simulation.log();
}

TEST(Service, says_that_its_manager_is_gone_or_deaf) {
    Simulation simulation;
    const auto body = []() -> Task<void> {
        constexpr std::string_view no_name("a\0b", 3);
        const auto unnamed = co_await attempt(Service::open({.socket = no_name}));
        EXPECT_EQ(number_of(unnamed), EINVAL);
        auto service = co_await Service::open({.socket = manager_name});
        const auto gone = co_await attempt(service.ready());
        EXPECT_EQ(number_of(gone), ECONNREFUSED);
        const auto deaf = co_await UnixDatagram::bind(manager_name);
        for (;;) {
            const auto told = co_await attempt(service.ready());
            if (told) continue;
            EXPECT_EQ(told.error(), std::errc::timed_out);
            break;
        }
    };
    EXPECT_EQ(simulation.run<health_limits>(body), 0) << simulation.log();
}

TEST(Service, reads_its_environment) {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    EXPECT_TRUE(Service::environment().socket.empty());
    EXPECT_EQ(Service::environment().watchdog, 0ns);
    ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    EXPECT_EQ(Service::environment().socket, "/run/systemd/notify");
    EXPECT_EQ(Service::environment().watchdog, 3s);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(Service::environment().watchdog, 3s);
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_EQ(Service::environment().watchdog, 0ns);
    ::setenv("WATCHDOG_USEC", "soon", 1);
    ::unsetenv("WATCHDOG_PID");
    EXPECT_EQ(Service::environment().watchdog, 0ns);
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace ringlet::support
