// Finding a chip, and asking it.
#include <ringlet/gpio/chip.hpp>

#include <ringlet/gpio/error.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

namespace ringlet::gpio {
namespace {

// There is none of that number, it is just going, or it is no chip.
bool is_no_chip(Error error) {
    constexpr std::array numbers{ENOENT, ENODEV, ENXIO, ENOTTY};
    return std::ranges::any_of(numbers,
                               [&](int number) { return error == Error::kernel(number); });
}

// By its permissions, or by the control group's list of devices.
bool is_denied(Error error) {
    return error == Error::kernel(EACCES) || error == Error::kernel(EPERM);
}

}  // namespace

Task<Chip> Chip::open_path(const char* path) {
    File file = co_await File::open(path, OpenMode::read_write);
    ::gpiochip_info info{};
    System& system = scheduler().system();
    const auto told = system.control_object(file.descriptor(), GPIO_GET_CHIPINFO_IOCTL, info);
    if (!told) {
        (void)co_await attempt(file.close());
        co_await fail(told.error());
    }
    co_return Chip(std::move(file), info);
}

// Numbers have gaps, so the first that is missing is not the end. Each is closed before the next is
// opened: its descriptor may be the last.
Task<Chip> Chip::open(const char* label_or_path, Limits limits) {
    if (label_or_path[0] == '/') co_return co_await open_path(label_or_path);
    const std::string_view wanted = label_or_path;
    bool denied = false;
    for (unsigned number = 0; number < limits.chips; ++number) {
        char path[32];
        std::snprintf(path, sizeof path, "/dev/gpiochip%u", number);
        auto chip = co_await attempt(open_path(path));
        if (chip && (wanted == chip->label() || wanted == chip->name())) {
            co_return *std::move(chip);
        }
        if (chip) {
            (void)co_await attempt(chip->file_.close());
        } else if (is_denied(chip.error())) {
            denied = true;
        } else if (!is_no_chip(chip.error())) {
            co_await fail(chip.error());  // it may be the one, and may be there the next time
        }
    }
    if (denied) co_await fail(Error::kernel(EACCES));
    co_await fail(error_of(Detail::no_chip));
}

Result<LineInfo> Chip::line(unsigned offset) const {
    LineInfo info{};
    info.offset = offset;
    ::gpio_v2_line_info& asked = info;
    System& system = scheduler().system();
    const auto told = system.control_object(descriptor(), GPIO_V2_GET_LINEINFO_IOCTL, asked);
    if (!told) return std::unexpected(told.error());
    return info;
}

}  // namespace ringlet::gpio
