// BoardPin: a GPIO line, as a board describes it. What reads board files gives it, and what drives
// lines takes it.
#pragma once

#include <cstdint>

namespace ringlet {

// The resistor inside the chip.
enum class PinBias : std::uint8_t { as_is, disabled, pull_up, pull_down };

struct BoardPin {
    const char* chip;  // its label, "pinctrl-bcm2711", or its path, "/dev/gpiochip0"
    std::uint32_t line = 0;
    bool active_low = false;
    PinBias bias = PinBias::as_is;
};

}  // namespace ringlet
