// Lines that differ in level or bias are attributes of the request: one for each kind.
#include <ringlet/gpio/config.hpp>

#include <algorithm>

namespace ringlet::gpio {
namespace {

constexpr std::uint8_t inverted = 1;  // a kind is that bit, and the bias above it
constexpr unsigned kinds_max = 8;
// All kinds but the first line's, and the debounce or the values.
static_assert(kinds_max - 1 + 1 <= GPIO_V2_LINE_NUM_ATTRS_MAX);

std::uint8_t kind_of(const BoardPin& pin) {
    const auto bias = static_cast<unsigned>(pin.bias) << 1;
    return static_cast<std::uint8_t>(bias | (pin.active_low ? inverted : 0));
}

std::uint64_t flags_of(std::uint8_t kind) {
    constexpr std::uint64_t biases[] = {0, GPIO_V2_LINE_FLAG_BIAS_DISABLED,
                                        GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
                                        GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN};
    const bool low = (kind & inverted) != 0;
    return biases[kind >> 1] | (low ? std::uint64_t{GPIO_V2_LINE_FLAG_ACTIVE_LOW} : 0);
}

::gpio_v2_line_config_attribute& add(::gpio_v2_line_config& config, std::uint32_t id,
                                     std::uint64_t mask) {
    RINGLET_ASSERT(config.num_attrs < GPIO_V2_LINE_NUM_ATTRS_MAX);
    ::gpio_v2_line_config_attribute& added = config.attrs[config.num_attrs++];
    added.attr.id = id;
    added.mask = mask;
    return added;
}

}  // namespace

PinTraits::PinTraits(std::span<const BoardPin> pins)
    : size_(static_cast<std::uint8_t>(pins.size())) {
    RINGLET_ASSERT(!pins.empty() && pins.size() <= lines_max);
    std::ranges::transform(pins, kinds_.begin(), kind_of);
}

::gpio_v2_line_config PinTraits::config(std::uint64_t common_flags) const {
    ::gpio_v2_line_config config{};
    config.flags = common_flags | flags_of(kinds_[0]);
    for (std::uint8_t kind = 0; kind < kinds_max; ++kind) {
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < size_; ++i) {
            if (kinds_[i] == kind) mask |= std::uint64_t{1} << i;
        }
        if (mask == 0 || kind == kinds_[0]) continue;
        add(config, GPIO_V2_LINE_ATTR_ID_FLAGS, mask).attr.flags = common_flags | flags_of(kind);
    }
    return config;
}

::gpio_v2_line_config PinTraits::config(const InputOptions& options) const {
    std::uint64_t flags = GPIO_V2_LINE_FLAG_INPUT;
    const Edges edges = options.edges;
    if (edges == Edges::rising || edges == Edges::both) flags |= GPIO_V2_LINE_FLAG_EDGE_RISING;
    if (edges == Edges::falling || edges == Edges::both) flags |= GPIO_V2_LINE_FLAG_EDGE_FALLING;
    ::gpio_v2_line_config config = this->config(flags);
    if (options.debounce.count() > 0) {
        add(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, all()).attr.debounce_period_us =
            static_cast<std::uint32_t>(options.debounce.count());
    }
    return config;
}

::gpio_v2_line_config PinTraits::config(const OutputOptions& options) const {
    std::uint64_t flags = GPIO_V2_LINE_FLAG_OUTPUT;
    if (options.drive == Drive::open_drain) flags |= GPIO_V2_LINE_FLAG_OPEN_DRAIN;
    if (options.drive == Drive::open_source) flags |= GPIO_V2_LINE_FLAG_OPEN_SOURCE;
    ::gpio_v2_line_config config = this->config(flags);
    add(config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, all()).attr.values = options.values;
    return config;
}

}  // namespace ringlet::gpio
