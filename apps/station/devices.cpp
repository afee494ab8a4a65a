#include <devices.hpp>

namespace station {
namespace {

using ringlet::Board;
using ringlet::BusKind;
using ringlet::Error;

// Takes what the board has for an alias, if there is one; remembers the first that it has not.
class Finder {
public:
    explicit Finder(Board& board) : board_(board) {}

    void bus(std::string_view alias, BusKind kind, const char*& device) {
        if (alias.empty() || failure_) return;
        const auto found = board_.bus(alias, kind);
        if (found) device = found->device;
        else failure_ = found.error();
    }
    void pin(std::string_view alias, std::optional<ringlet::BoardPin>& pin) {
        if (alias.empty() || failure_) return;
        const auto found = board_.pin(alias);
        if (found) pin = *found;
        else failure_ = found.error();
    }
    std::optional<Error> failure() const { return failure_; }

private:
    Board& board_;
    std::optional<Error> failure_;
};

}  // namespace

ringlet::Result<Devices> find_devices(const Settings& settings, Board& board) {
    Devices devices;
    Finder find(board);
    find.bus(settings.sensor, BusKind::i2c, devices.sensors);
    find.bus(settings.serial, BusKind::uart, devices.serial);
    find.bus(settings.can, BusKind::can, devices.can);
    find.bus(settings.watchdog, BusKind::watchdog, devices.watchdog);
    find.pin(settings.button, devices.button);
    find.pin(settings.led, devices.led);
    if (find.failure()) return std::unexpected(*find.failure());
    return devices;
}

}  // namespace station
