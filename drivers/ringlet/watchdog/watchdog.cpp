// The requests of a watchdog; each write feeds it, and a 'V' before the close stops it.
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
    log::error("watchdog: left running, since the program has failed: a reset in at most %u s",
               static_cast<unsigned>(timeout_.count()));
    co_await file_.close();
}

}  // namespace ringlet::watchdog
