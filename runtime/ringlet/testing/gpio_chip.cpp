// Wires and their edges.
#include <ringlet/testing/gpio_chip.hpp>

#include <ringlet/testing/world.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::testing {

GpioChip::GpioChip(World& world, const char* path, const GpioChipOptions& options)
    : CharacterDevice(world, path), options_(options),
      requests_{{GpioRequest(*this), GpioRequest(*this), GpioRequest(*this), GpioRequest(*this)}} {
    RINGLET_ASSERT(options.lines > 0 && options.lines <= lines_max);
    for (unsigned line = 0; line < lines_max; ++line) {
        wires_[line].chip = this;
        wires_[line].offset = line;
    }
}

GpioChip::~GpioChip() {
    for (const Wire& each : wires_) world().forget_calls(&each);
}

void GpioChip::unplug() {
    for (GpioRequest& each : requests_) {
        each.end();
        each.unplug();
    }
    CharacterDevice::unplug();
}

// ---- levels ----

void GpioChip::drive(unsigned line, bool high) {
    wires_[line].is_driven = true;
    wires_[line].driven = high;
    update(wires_[line]);
}

void GpioChip::release(unsigned line) {
    wires_[line].is_driven = false;
    update(wires_[line]);
}

bool GpioChip::level(unsigned line) const {
    const Wire& wire = wires_[line];
    const bool pulled = has(line, GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
    const bool outside = wire.is_driven ? wire.driven : pulled;
    if (!is_output(line)) return outside;
    if (has(line, GPIO_V2_LINE_FLAG_OPEN_DRAIN)) return wire.output && outside;
    if (has(line, GPIO_V2_LINE_FLAG_OPEN_SOURCE)) return wire.output || outside;
    return wire.output;
}

bool GpioChip::is_active(const Wire& wire) const {
    const bool debounced = wire.debounce.count() > 0 && !is_output(wire.offset);
    const bool high = debounced ? wire.seen : level(wire.offset);
    return high != has(wire.offset, GPIO_V2_LINE_FLAG_ACTIVE_LOW);
}

// The level may have changed.
void GpioChip::update(Wire& wire) {
    const bool now_high = level(wire.offset);
    if (now_high == wire.last) return;
    wire.last = now_high;
    wire.changed_at = world().now();
    if (wire.debounce.count() == 0) return tell(wire);
    world().call_at(later(wire.changed_at, wire.debounce), settle, &wire);
}

// It has kept its level for as long as it must, unless it changed again meanwhile.
void GpioChip::settle(void* context) {
    Wire& wire = *static_cast<Wire*>(context);
    const Instant now = wire.chip->world().now();
    if (later(wire.changed_at, wire.debounce) <= now && wire.seen != wire.last) {
        wire.chip->tell(wire);
    }
}

void GpioChip::tell(Wire& wire) {
    wire.seen = wire.last;
    const bool rising = wire.seen != has(wire.offset, GPIO_V2_LINE_FLAG_ACTIVE_LOW);
    const std::uint64_t wanted =
        rising ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING;
    if (wire.owner == nullptr || !has(wire.offset, wanted)) return;
    wire.owner->push(wire.offset, rising, world().now());
}

void GpioChip::set_up(Wire& wire, std::uint64_t flags, Nanoseconds debounce) {
    wire.flags = flags;
    wire.debounce = debounce;
    wire.last = wire.seen = level(wire.offset);
}

// ---- requests ----

int GpioChip::control(OpenDevice&, unsigned long request, std::uintptr_t argument) {
    switch (request) {
        case GPIO_GET_CHIPINFO_IOCTL: {
            auto& info = pointed_at<::gpiochip_info>(argument);
            info = {};
            std::strncpy(info.name, std::strrchr(path(), '/') + 1, sizeof info.name - 1);
            std::strncpy(info.label, options_.label, sizeof info.label - 1);
            info.lines = options_.lines;
            return 0;
        }
        case GPIO_V2_GET_LINEINFO_IOCTL: return describe(pointed_at<::gpio_v2_line_info>(argument));
        case GPIO_V2_GET_LINE_IOCTL:
            world().take_time(options_.access_time);
            return request_lines(pointed_at<::gpio_v2_line_request>(argument));
        default: return -ENOTTY;
    }
}

int GpioChip::describe(::gpio_v2_line_info& info) const {
    const unsigned line = info.offset;
    if (line >= options_.lines) return -EINVAL;
    const Wire& wire = wires_[line];
    info = {};
    info.offset = line;
    info.flags = wire.owner != nullptr ? wire.flags : std::uint64_t{GPIO_V2_LINE_FLAG_INPUT};
    if (is_used(line)) info.flags |= GPIO_V2_LINE_FLAG_USED;
    const char* const consumer = wire.used_by_kernel ? "kernel" : wire.consumer.data();
    if (is_used(line)) std::strncpy(info.consumer, consumer, sizeof info.consumer - 1);
    return 0;
}

int GpioChip::request_lines(::gpio_v2_line_request& request) {
    if (request.num_lines == 0 || request.num_lines > GPIO_V2_LINES_MAX) return -EINVAL;
    for (const unsigned line : std::span(request.offsets).first(request.num_lines)) {
        if (line >= options_.lines) return -EINVAL;
        if (is_used(line)) return -EBUSY;
    }
    const auto free = std::ranges::find_if(requests_, &GpioRequest::is_free);
    if (free == requests_.end()) return -ENOMEM;
    if (const int error = free->begin(request); error != 0) return error;
    const int number = world().open_device(*free, O_RDONLY);
    if (number < 0) {
        free->end();
        return number;
    }
    request.fd = number;
    return 0;
}

}  // namespace ringlet::testing
