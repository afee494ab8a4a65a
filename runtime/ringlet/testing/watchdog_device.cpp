// A watchdog as the kernel's core makes it: Documentation/watchdog/watchdog-api.rst.
#include <ringlet/testing/watchdog_device.hpp>

#include <ringlet/testing/world.hpp>

#include <linux/watchdog.h>

#include <algorithm>

namespace ringlet::testing {

using std::chrono::seconds;

WatchdogDevice::WatchdogDevice(World& world, const char* path,
                               const WatchdogDeviceOptions& options)
    : CharacterDevice(world, path), options_(options) {}

WatchdogDevice::~WatchdogDevice() {
    world().forget_calls(this);
}

int WatchdogDevice::opened(OpenDevice&) {
    if (is_open_) return -EBUSY;
    is_open_ = true;
    expects_close_ = false;
    start();
    return 0;
}

// Fed or started: it barks a timeout from now.
void WatchdogDevice::start() {
    bark_at_ = later(world().now(), options_.timeout);
    world().forget_calls(this);
    if (pretimeout_.count() > 0) {
        world().call_at(later(world().now(), options_.timeout - pretimeout_), look, this);
    }
    world().call_at(bark_at_, look, this);
}

void WatchdogDevice::look(void* watchdog) {
    static_cast<WatchdogDevice*>(watchdog)->look();
}

void WatchdogDevice::look() {
    const Instant now = world().now();
    if (!is_running()) return;
    if (now < bark_at_) {
        has_warned_ = true;
        return;
    }
    barked_at_ = now;
    stop();
    if (options_.ends_power && world().has_power()) world().cut_power();
}

int WatchdogDevice::write(OpenDevice&, std::span<const std::byte> in) {
    if (in.empty()) return 0;
    if (failures_ > 0) {
        --failures_;
        return -failure_;
    }
    expects_close_ = std::ranges::find(in, std::byte{'V'}) != in.end();
    ++feedings_;
    if (is_running()) start();
    return static_cast<int>(in.size());
}

void WatchdogDevice::closed(OpenDevice&) {
    is_open_ = false;
    if ((expects_close_ || !options_.magic_close) && !options_.nowayout) stop();
}

int WatchdogDevice::set(seconds& which, int value, seconds most) {
    if (value < 0 || seconds(value) > most) return -EINVAL;
    which = seconds(value);
    if (is_running()) start();
    return 0;
}

int WatchdogDevice::control(OpenDevice&, unsigned long request, std::uintptr_t argument) {
    if (request == WDIOC_GETSUPPORT) {
        auto& info = pointed_at<::watchdog_info>(argument);
        info = {.options = WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING, .identity = "simulated"};
        if (options_.magic_close) info.options |= WDIOF_MAGICCLOSE;
        if (options_.has_pretimeout) info.options |= WDIOF_PRETIMEOUT;
        return 0;
    }
    int& value = pointed_at<int>(argument);
    switch (request) {
        case WDIOC_SETTIMEOUT:
            if (value < 1) return -EINVAL;
            return set(options_.timeout, value, options_.timeout_max);
        case WDIOC_GETTIMEOUT: value = static_cast<int>(options_.timeout.count()); return 0;
        case WDIOC_SETPRETIMEOUT:
            if (!options_.has_pretimeout) return -EOPNOTSUPP;
            return set(pretimeout_, value, options_.timeout - seconds(1));
        case WDIOC_GETTIMELEFT:
            if (!options_.tells_time_left) return -EOPNOTSUPP;
            value = static_cast<int>((bark_at_ - world().now()) / 1'000'000'000);
            return 0;
        case WDIOC_GETBOOTSTATUS: value = options_.has_reset ? WDIOF_CARDRESET : 0; return 0;
        default: return -ENOTTY;
    }
}

}  // namespace ringlet::testing
