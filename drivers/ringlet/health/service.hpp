// Service: what a program tells the service manager that has started it: systemd's sd_notify(3).
//
//   auto service = co_await health::Service::open();
//   ...
//   co_await service.ready();
//
// Datagrams to the socket that NOTIFY_SOCKET names; no library. Without a manager each call does
// nothing, so a program need not ask.
#pragma once

#include <ringlet/io/unix_datagram.hpp>

#include <string_view>

namespace ringlet::health {

class Service {
public:
    struct Environment {
        std::string_view socket{};  // a path, or "@name"; empty: nobody listens
        Nanoseconds watchdog{0};    // WatchdogSec=; 0: none
    };
    // NOTIFY_SOCKET; WATCHDOG_USEC, if WATCHDOG_PID is absent or this process.
    static Environment environment();

    // Errors: filename_too_long, invalid_argument: no name of a socket; too_many_files_open with
    // RuntimeDetail::descriptors.
    // Cancellation: nothing is left behind.
    static Task<Service> open(Environment environment = Service::environment());

    bool is_managed() const { return socket_.is_open(); }
    // The manager ends the program when it has not heard alive() for so long; 0: it does not.
    Nanoseconds watchdog() const { return watchdog_; }

    // READY=1: the start is over (Type=notify).
    //
    // Errors: timed_out if the manager takes nothing for a second; connection_refused,
    // no_such_file_or_directory: it is gone.
    // Cancellation: it was told, or not.
    Task<void> ready() { return tell("READY=1"); }
    // STOPPING=1: the end has begun.
    Task<void> stopping() { return tell("STOPPING=1"); }
    // STATUS=: one line for `systemctl status`, up to 200 bytes of it.
    Task<void> status(std::string_view line);

private:
    friend class Supervisor;

    Service() : socket_(Descriptor()) {}
    Task<void> tell(std::string_view message);
    Task<void> alive() { return tell("WATCHDOG=1"); }  // by votes alone

    UnixDatagram socket_;
    SocketAddress address_;
    Nanoseconds watchdog_{0};
};

}  // namespace ringlet::health
