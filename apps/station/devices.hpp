// Devices: what the board has of that which the settings name.
#pragma once

#include <settings.hpp>

#include <optional>

namespace station {

// Texts are the board's.
struct Devices {
    const char* sensors = nullptr;  // /dev/i2c-N; null: none
    const char* serial = nullptr;
    const char* can = nullptr;
    const char* watchdog = nullptr;
    std::optional<ringlet::BoardPin> button;
    std::optional<ringlet::BoardPin> led;
};

// Looks up all aliases.
//
// Errors: the board's; its message() has the words.
ringlet::Result<Devices> find_devices(const Settings& settings, ringlet::Board& board);

}  // namespace station
