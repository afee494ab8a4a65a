// Finding a chip, and asking it.
#include <ringlet/gpio/chip.hpp>

#include <ringlet/gpio/error.hpp>
#include <ringlet/task/attempt.hpp>

#include <cstdio>
#include <string_view>

namespace ringlet::gpio {

Task<Chip> Chip::open_path(const char* path) {
    File file = co_await File::open(path, OpenMode::read_write);
    ::gpiochip_info info{};
    System& system = scheduler().system();
    co_await system.control_object(file.descriptor(), GPIO_GET_CHIPINFO_IOCTL, info);
    co_return Chip(std::move(file), info);
}

// Numbers have gaps, so the first that is missing is not the end.
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
        denied |= !chip && chip.error() == std::errc::permission_denied;
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
