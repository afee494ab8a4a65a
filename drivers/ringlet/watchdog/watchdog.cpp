// The requests of a watchdog; each write feeds it, and a 'V' before the close stops it. One without
// WDIOF_MAGICCLOSE is stopped by the kernel at each close: watchdog_release() of watchdog_dev.c.
#include <ringlet/watchdog/watchdog.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/task/attempt.hpp>

#include <linux/watchdog.h>

namespace ringlet::watchdog {
namespace {

using std::chrono::seconds;

constexpr std::byte food[] = {std::byte{0}};
constexpr std::byte magic[] = {std::byte{'V'}};

}  // namespace

Task<Watchdog> Watchdog::open(const char* path, Options options) {
    Watchdog watchdog(co_await File::open(path, OpenMode::write));
    watchdog.look_for_magic_close();
    const auto applied = watchdog.apply(options);
    if (!applied) {
        (void)co_await attempt(watchdog.disarm());
        co_await fail(applied.error());
    }
    co_return watchdog;
}

Result<int> Watchdog::ask(unsigned long request, int& value) const {
    return scheduler().system().control_object(descriptor(), request, value);
}

// One that does not tell is taken for one that has it, as most have.
void Watchdog::look_for_magic_close() {
    ::watchdog_info info{};
    System& system = scheduler().system();
    const auto told = system.control_object(descriptor(), WDIOC_GETSUPPORT, info);
    if (!told || (info.options & WDIOF_MAGICCLOSE) != 0) return;
    has_magic_close_ = false;
    log::warning("watchdog: it stops when it is closed, hence with this process, however that "
                 "ends, unless the kernel was told nowayout");
}

Result<void> Watchdog::apply(const Options& options) {
    if (options.timeout.count() != 0) {
        const auto set = set_timeout(options.timeout);
        if (!set) return set;
    } else {
        int value = 0;
        const auto told = ask(WDIOC_GETTIMEOUT, value);
        if (!told) return std::unexpected(told.error());
        timeout_ = seconds(value);
    }
    if (options.pretimeout.count() == 0) return {};
    return set_pretimeout(options.pretimeout);
}

Result<void> Watchdog::set_timeout(seconds timeout) {
    int value = static_cast<int>(timeout.count());
    const auto set = ask(WDIOC_SETTIMEOUT, value);
    if (!set) return std::unexpected(set.error());
    timeout_ = seconds(value);
    return {};
}

Result<void> Watchdog::set_pretimeout(seconds pretimeout) {
    int value = static_cast<int>(pretimeout.count());
    const auto set = ask(WDIOC_SETPRETIMEOUT, value);
    if (!set) return std::unexpected(set.error());
    return {};
}

Result<seconds> Watchdog::time_left() const {
    int value = 0;
    const auto told = ask(WDIOC_GETTIMELEFT, value);
    if (!told) return std::unexpected(told.error());
    return seconds(value);
}

bool Watchdog::has_reset() const {
    int status = 0;
    const auto told = ask(WDIOC_GETBOOTSTATUS, status);
    return told && (status & WDIOF_CARDRESET) != 0;
}

WriteOperation Watchdog::keep_alive() {
    return WriteOperation(descriptor(), food, at_position);
}

Task<void> Watchdog::disarm() {
    if (!is_open()) co_return;
    co_await WriteOperation(descriptor(), magic, at_position);
    co_await file_.close();
}

Task<void> Watchdog::leave(Outcome outcome) {
    if (outcome != Outcome::error || !is_open()) co_return co_await disarm();
    if (has_magic_close_) {
        log::error("watchdog: left running, since the program has failed: a reset in at most %u s",
                   static_cast<unsigned>(timeout_.count()));
    } else {
        log::error("watchdog: stopped, though the program has failed: it has no magic close. "
                   "No reset follows, unless the kernel was told nowayout");
    }
    co_await file_.close();
}

}  // namespace ringlet::watchdog
