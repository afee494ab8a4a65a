// What a request of lines answers: its configuration, values and events.
#include <ringlet/testing/gpio_chip.hpp>
#include <ringlet/testing/world.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <utility>

namespace ringlet::testing {
namespace {

constexpr std::uint64_t both_edges =
    GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
constexpr std::uint64_t drives = GPIO_V2_LINE_FLAG_OPEN_DRAIN | GPIO_V2_LINE_FLAG_OPEN_SOURCE;
constexpr std::uint64_t biases = GPIO_V2_LINE_FLAG_BIAS_PULL_UP |
                                 GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |
                                 GPIO_V2_LINE_FLAG_BIAS_DISABLED;

bool more_than_one(std::uint64_t flags) {
    return std::popcount(flags) > 1;
}

// As gpio_v2_line_flags_validate() in the kernel.
bool are_valid(std::uint64_t flags) {
    const bool input = (flags & GPIO_V2_LINE_FLAG_INPUT) != 0;
    const bool output = (flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0;
    if (input && output) return false;
    if ((flags & both_edges) != 0 && !input) return false;
    if ((flags & drives) != 0 && !output) return false;
    if ((flags & biases) != 0 && !input && !output) return false;
    return !more_than_one(flags & drives) && !more_than_one(flags & biases);
}

// The last attribute of that kind for the i-th line, or null.
const ::gpio_v2_line_attribute* find(const ::gpio_v2_line_config& config, unsigned index,
                                     std::uint32_t id) {
    const ::gpio_v2_line_attribute* found = nullptr;
    for (const auto& each : std::span(config.attrs).first(config.num_attrs)) {
        if (each.attr.id == id && (each.mask >> index & 1) != 0) found = &each.attr;
    }
    return found;
}

std::uint64_t flags_of(const ::gpio_v2_line_config& config, unsigned index) {
    const auto* const own = find(config, index, GPIO_V2_LINE_ATTR_ID_FLAGS);
    return own != nullptr ? std::uint64_t{own->flags} : std::uint64_t{config.flags};
}

}  // namespace

GpioRequest::GpioRequest(GpioChip& chip)
    : CharacterDevice(chip.world(), nullptr), chip_(chip), events_(events_max) {}

int GpioRequest::begin(const ::gpio_v2_line_request& request) {
    count_ = request.num_lines;
    std::copy_n(request.offsets, count_, offsets_.begin());
    line_seqnos_ = {};
    seqno_ = 0;
    first_ = held_ = 0;
    const std::size_t wanted =
        request.event_buffer_size != 0 ? request.event_buffer_size : std::size_t{16} * count_;
    capacity_ = std::min(std::bit_ceil(wanted), events_max);
    if (const int error = configure(request.config); error != 0) {
        count_ = 0;
        return error;
    }
    for (const unsigned line : std::span(offsets_).first(count_)) {
        GpioChip::Wire& wire = chip_.wires_[line];
        wire.owner = this;
        std::copy_n(request.consumer, wire.consumer.size(), wire.consumer.begin());
    }
    return 0;
}

void GpioRequest::end() {
    for (const unsigned line : std::span(offsets_).first(count_)) {
        GpioChip::Wire& wire = chip_.wires_[line];
        wire.owner = nullptr;
        chip_.set_up(wire, GPIO_V2_LINE_FLAG_INPUT, Nanoseconds(0));
    }
    count_ = 0;
}

int GpioRequest::configure(const ::gpio_v2_line_config& config) {
    if (config.num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX) return -EINVAL;
    for (unsigned i = 0; i < count_; ++i) {
        const std::uint64_t flags = flags_of(config, i);
        if (!are_valid(flags)) return -EINVAL;
        if ((flags & both_edges) != 0 && !chip_.options_.interrupts) return -ENODEV;
    }
    for (unsigned i = 0; i < count_; ++i) {
        GpioChip::Wire& wire = chip_.wires_[offsets_[i]];
        const std::uint64_t flags = flags_of(config, i);
        const auto* const values = find(config, i, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
        const auto* const debounce = find(config, i, GPIO_V2_LINE_ATTR_ID_DEBOUNCE);
        const bool active = values != nullptr && (values->values >> i & 1) != 0;
        wire.output = active != ((flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
        const unsigned debounce_us = debounce != nullptr ? debounce->debounce_period_us : 0;
        chip_.set_up(wire, flags, std::chrono::microseconds(debounce_us));
    }
    return 0;
}

int GpioRequest::control(OpenDevice&, unsigned long request, std::uintptr_t argument) {
    world().take_time(chip_.options_.access_time);
    switch (request) {
        case GPIO_V2_LINE_GET_VALUES_IOCTL:
            return get(pointed_at<::gpio_v2_line_values>(argument));
        case GPIO_V2_LINE_SET_VALUES_IOCTL:
            return set(pointed_at<::gpio_v2_line_values>(argument));
        case GPIO_V2_LINE_SET_CONFIG_IOCTL:
            return configure(pointed_at<::gpio_v2_line_config>(argument));
        default: return -ENOTTY;
    }
}

int GpioRequest::get(::gpio_v2_line_values& values) {
    values.bits = 0;
    bool any = false;
    for (unsigned i = 0; i < count_; ++i) {
        if ((values.mask >> i & 1) == 0) continue;
        any = true;
        const bool active = chip_.is_active(chip_.wires_[offsets_[i]]);
        if (active) values.bits |= std::uint64_t{1} << i;
    }
    return any ? 0 : -EINVAL;
}

int GpioRequest::set(const ::gpio_v2_line_values& values) {
    bool any = false;
    for (unsigned i = 0; i < count_; ++i) {
        if ((values.mask >> i & 1) == 0) continue;
        any = true;
        if (!chip_.is_output(offsets_[i])) return -EPERM;
    }
    if (!any) return -EINVAL;
    for (unsigned i = 0; i < count_; ++i) {
        if ((values.mask >> i & 1) == 0) continue;
        GpioChip::Wire& wire = chip_.wires_[offsets_[i]];
        const bool low_is_active = chip_.has(wire.offset, GPIO_V2_LINE_FLAG_ACTIVE_LOW);
        wire.output = ((values.bits >> i & 1) != 0) != low_is_active;
        chip_.update(wire);
    }
    return 0;
}

void GpioRequest::push(unsigned offset, bool rising, Instant when) {
    const auto index = static_cast<std::size_t>(
        std::ranges::find(offsets_, offset) - offsets_.begin());
    ++seqno_;
    ++line_seqnos_[index];
    if (held_ == capacity_) {
        first_ = (first_ + 1) % events_max;
        --held_;
    }
    ::gpio_v2_line_event& event = events_[(first_ + held_++) % events_max];
    event = {};
    event.timestamp_ns = static_cast<std::uint64_t>(when);
    event.id = rising ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE;
    event.offset = offset;
    event.seqno = seqno_;
    event.line_seqno = line_seqnos_[index];
    if (held_ < 2 || !std::exchange(chip_.overtakes_, false)) return;
    std::swap(event, events_[(first_ + held_ - 2) % events_max]);
}

int GpioRequest::read(OpenDevice&, std::span<std::byte> out) {
    constexpr std::size_t size = sizeof(::gpio_v2_line_event);
    if (out.size() < size) return -EINVAL;
    if (held_ == 0) return would_block;
    std::size_t count = 0;
    for (; held_ > 0 && out.size() - count >= size; count += size) {
        std::memcpy(out.data() + count, &events_[first_], size);
        first_ = (first_ + 1) % events_max;
        --held_;
    }
    return static_cast<int>(count);
}

}  // namespace ringlet::testing
