// Watchdog: hardware that resets the machine unless it is fed in time.
//
//   auto watchdog = co_await watchdog::Watchdog::open("/dev/watchdog0", {.timeout = 30s});
//   health::Supervisor supervisor;
//   supervisor.feed(watchdog);
//   co_await supervisor.run(app);
//
// It runs from the moment that it is opened. Nothing here feeds it: the health supervisor does, and
// only while all tasks have voted that they are alive. A timer that feeds it would do so while
// everything else is stuck.
//
// Closed in any way but disarm() or leave(), it runs on and resets the machine: so does a program
// that crashed. Hardware whose driver has no magic close (has_magic_close()) stops at any close: it
// guards against a program that is stuck, not against one that ends.
#pragma once

#include <ringlet/io/file.hpp>

#include <chrono>

namespace ringlet::health {
class Supervisor;
}

namespace ringlet::watchdog {

struct Options {
    // From the last feeding to the reset. The hardware may take a longer one. 0: as it is set.
    std::chrono::seconds timeout{0};
    // So long before the reset the kernel is warned: it logs, or panics (pretimeout_governor). 0:
    // not at all, or as it is set.
    std::chrono::seconds pretimeout{0};
};

class Watchdog {
public:
    // Opens it, and so starts it.
    //
    // Errors: no_such_file_or_directory; permission_denied; device_or_resource_busy: another
    // program has it (systemd, with RuntimeWatchdogSec=); invalid_argument: the hardware has not
    // such a timeout; operation_not_supported: it cannot be set, or it has no pretimeout;
    // inappropriate_io_control_operation: it is no watchdog. If options cannot be set it is
    // disarmed.
    // Cancellation: it is closed in the background, and runs on.
    // Source: Documentation/watchdog/watchdog-api.rst of Linux.
    static Task<Watchdog> open(const char* path = "/dev/watchdog0", Options options = {});

    // What the hardware has made of it.
    std::chrono::seconds timeout() const { return timeout_; }
    // Errors: as open()'s.
    Result<void> set_timeout(std::chrono::seconds timeout);
    Result<void> set_pretimeout(std::chrono::seconds pretimeout);

    // Errors: operation_not_supported: it does not say.
    Result<std::chrono::seconds> time_left() const;
    // False: it stops at any close, unless the kernel was told never to stop it (nowayout). The log
    // says so when it is opened.
    bool has_magic_close() const { return has_magic_close_; }
    // Whether it has caused the last reset, as far as the hardware remembers.
    bool has_reset() const;

    // Stops it, with the magic close, and closes it. Harmless on a closed one. A kernel that was
    // told never to stop it (nowayout) lets it run on.
    //
    // Errors: the kernel's; it may then run on.
    // Cancellation: stopped or not; it is closed in the background.
    Task<void> disarm();

    // For with(): disarm(), unless the work has failed: then it is closed, runs on, and resets,
    // if it has a magic close.
    Task<void> leave(Outcome outcome);

    bool is_open() const { return file_.is_open(); }
    int descriptor() const { return file_.descriptor(); }

private:
    friend class health::Supervisor;

    explicit Watchdog(File file) : file_(std::move(file)) {}
    WriteOperation keep_alive();
    void look_for_magic_close();
    Result<void> apply(const Options& options);
    Result<int> ask(unsigned long request, int& value) const;

    File file_;
    std::chrono::seconds timeout_{0};
    bool has_magic_close_ = true;
};

}  // namespace ringlet::watchdog
