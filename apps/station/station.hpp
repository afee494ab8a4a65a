// Station: devices in, batches out.
//
//   sensor --+                     +--> window --every --window--> store --> forwarder --> server
//   button --+--> readings (queue) +                                |
//   serial --+         collect                                  survives what may come
//   can    --+
//
// What cannot be kept stays in its window, which is longer then. What cannot be sent stays in the
// store. A part that is ill is tried again and again, and shown by log, LED and service manager.
#pragma once

#include <forwarder.hpp>
#include <indicator.hpp>
#include <sources.hpp>

namespace station {

class Station {
public:
    // Settings, devices and their texts outlive it; texts are zero-terminated. One at a time: a
    // connection has static memory. Made and destroyed inside run().
    Station(const Settings& settings, const Devices& devices);

    // Runs until it is cancelled. Gives 1 if it cannot: no store, no watchdog; which is logged.
    //
    // Cancellation: the window that is open is kept in the store, or logged as lost if that fails
    // twice; and the watchdog disarmed.
    ringlet::Task<int> run();

private:
    ringlet::Task<void> work();
    ringlet::Task<void> open_store();
    ringlet::Task<ringlet::health::Service> open_service();
    ringlet::Task<ringlet::watchdog::Watchdog> open_watchdog();
    ringlet::Task<void> supervise(ringlet::health::Service& service);
    ringlet::Task<void> serve(ringlet::health::Service& service);
    ringlet::Task<void> collect();
    ringlet::Task<void> keep_windows();
    ringlet::Task<void> keep_window();
    ringlet::Task<void> finish();
    void add(const Reading& reading);

    const Settings& settings_;
    const Devices& devices_;
    Losses losses_;
    Condition condition_;
    Readings readings_;
    Window window_;
    Window closing_;  // is being kept
    ringlet::Instant opened_ = 0;  // the window
    std::array<char, batch_bytes_max> batch_;
    Store store_;
    ringlet::health::Supervisor supervisor_;
    Sources sources_;
    Forwarder forwarder_;
    Indicator indicator_;
};

}  // namespace station
