// WatchdogDevice: a simulated watchdog, which barks when it was not fed in time; for tests.
//
//   WatchdogDevice watchdog(world, "/dev/watchdog0", {.timeout = 10s});
//   simulation.run(app);
//   EXPECT_FALSE(watchdog.has_barked());
//   EXPECT_FALSE(watchdog.is_running());          // the program has disarmed it
//
// A real one would reset the machine. This one notes when it was, and the program runs on, so that
// a test can look at what it does until then; with `ends_power` the power is cut.
#pragma once

#include <ringlet/testing/character_device.hpp>

#include <chrono>

namespace ringlet::testing {

struct WatchdogDeviceOptions {
    std::chrono::seconds timeout{60};
    std::chrono::seconds timeout_max{3600};
    bool has_pretimeout = true;
    bool tells_time_left = true;
    bool magic_close = true;  // false: any close stops it
    bool nowayout = false;    // once it runs, nothing stops it
    bool has_reset = false;   // the machine's last reset was its doing
    bool ends_power = false;  // when it barks
};

class WatchdogDevice final : public CharacterDevice {
public:
    WatchdogDevice(World& world, const char* path, const WatchdogDeviceOptions& options = {});
    ~WatchdogDevice();

    bool is_running() const { return bark_at_ != never; }
    bool is_open() const { return is_open_; }
    bool has_barked() const { return barked_at_ != never; }
    Instant barked_at() const { return barked_at_; }
    // The pretimeout has come.
    bool has_warned() const { return has_warned_; }
    std::uint64_t feedings() const { return feedings_; }
    std::chrono::seconds timeout() const { return options_.timeout; }
    // The next so many writes end with -number, and do not feed it.
    void fail_next(int number, unsigned times = 1) {
        failure_ = number;
        failures_ = times;
    }

    int opened(OpenDevice& file) override;
    int write(OpenDevice& file, std::span<const std::byte> in) override;
    int control(OpenDevice& file, unsigned long request, std::uintptr_t argument) override;
    void closed(OpenDevice& file) override;

private:
    static void look(void* watchdog);
    void look();
    void start();
    void stop() { bark_at_ = never; }
    int set(std::chrono::seconds& which, int value, std::chrono::seconds most);

    WatchdogDeviceOptions options_;
    std::chrono::seconds pretimeout_{0};
    Instant bark_at_ = never;
    Instant barked_at_ = never;
    std::uint64_t feedings_ = 0;
    int failure_ = 0;
    unsigned failures_ = 0;
    bool is_open_ = false;
    bool expects_close_ = false;  // the last thing written was a 'V'
    bool has_warned_ = false;
};

}  // namespace ringlet::testing
