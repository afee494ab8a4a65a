// Chip: a GPIO chip, and what it says of its lines. To use lines, see lines.hpp.
//
//   const auto chip = co_await gpio::Chip::open("pinctrl-bcm2711");
//   const auto line = co_await chip.line(17);
//   log::info("%s: %s", line.name, line.is_used() ? line.consumer : "free");
#pragma once

#include <ringlet/io/file.hpp>

#include <linux/gpio.h>

namespace ringlet::gpio {

struct Limits {
    // /dev/gpiochip0 and up, so many, are looked at for a chip that is given by its label.
    unsigned chips = 32;
};

// The kernel's gpio_v2_line_info: name, consumer, offset, flags, ...
struct LineInfo : ::gpio_v2_line_info {
    bool is_used() const { return (flags & GPIO_V2_LINE_FLAG_USED) != 0; }
    bool is_output() const { return (flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0; }
    bool is_active_low() const { return (flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0; }
};

class Chip {
public:
    // By path, "/dev/gpiochip0", or by label, as gpiodetect(1) shows it: numbers change from boot
    // to boot, labels do not. Of several chips with the label, the first.
    //
    // Errors: the kernel's, also of a chip that was looked at on the way to a label; no_such_device
    // (gpio::Detail::no_chip); permission_denied if it may be one that must not be opened;
    // inappropriate_io_control_operation if the path is no GPIO chip; too_many_files_open with
    // RuntimeDetail::descriptors.
    // Cancellation: what was opened is closed in the background.
    // Source: Documentation/userspace-api/gpio/chardev.rst of Linux.
    static Task<Chip> open(const char* label_or_path, Limits limits = {});

    const char* name() const { return info_.name; }    // "gpiochip0"
    const char* label() const { return info_.label; }  // "pinctrl-bcm2711"
    unsigned lines() const { return info_.lines; }

    // What the kernel knows of a line; its hardware is not asked.
    //
    // Errors: invalid_argument if there is no such line.
    Result<LineInfo> line(unsigned offset) const;

    // For those who make requests of their own.
    int descriptor() const { return file_.descriptor(); }

private:
    Chip(File file, const ::gpiochip_info& info) : file_(std::move(file)), info_(info) {}
    static Task<Chip> open_path(const char* path);

    File file_;
    ::gpiochip_info info_;
};

}  // namespace ringlet::gpio
