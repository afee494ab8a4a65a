// What the cases of health share: a watchdog, and a service manager that listens.
#pragma once

#include <ringlet/health/supervisor.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/virtual_time.hpp>
#include <ringlet/testing/watchdog_device.hpp>

#include <support/cases.hpp>

#include <string>

namespace ringlet::support {

using namespace std::chrono_literals;
using health::Service;
using health::Supervisor;
using health::Voter;
using testing::Simulation;
using testing::SimulationOptions;
using testing::WatchdogDevice;
using watchdog::Watchdog;

inline constexpr Limits health_limits{
    .tasks = 32,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 64}, {1024, 32}, {2048, 8}, {8192, 2}}};

inline constexpr const char* watchdog_path = "/dev/watchdog0";
inline constexpr std::string_view manager_name = "@manager";

// What a service manager has heard.
struct Heard {
    unsigned ready = 0;
    unsigned alive = 0;
    unsigned stopping = 0;
    std::string status;

    void take(std::string_view message) {
        if (message == "READY=1") ++ready;
        else if (message == "WATCHDOG=1") ++alive;
        else if (message == "STOPPING=1") ++stopping;
        else if (message.starts_with("STATUS=")) status = message.substr(7);
        else ADD_FAILURE() << message;
    }
};

inline Task<void> listen(UnixDatagram& socket, Heard& heard) {
    std::array<std::byte, 256> buffer;
    for (;;) {
        const Datagram got = co_await socket.receive(buffer);
        const Unsealed for_the_status;
        heard.take({reinterpret_cast<const char*>(buffer.data()), got.size});
    }
}

inline Task<void> be_manager(Heard& heard) {
    auto socket = co_await UnixDatagram::bind(manager_name);
    co_await listen(socket, heard);
}

// The errno of what must have failed; 0 if it did not.
template <class T>
int number_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? 0 : static_cast<int>(result.error().code());
}

}  // namespace ringlet::support
