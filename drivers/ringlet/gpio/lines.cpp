// Requests of lines, and the stream of their events.
#include <ringlet/gpio/lines.hpp>

#include <ringlet/gpio/error.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/io/transfer.hpp>

#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace ringlet::gpio {
namespace {

static_assert(sizeof(Event) == sizeof(::gpio_v2_line_event));  // it is read into as such

// A place among Limits::descriptors, until a descriptor takes it over.
class Reservation {
public:
    Reservation() : held_(scheduler().reserve_descriptor()) {}
    Reservation(const Reservation&) = delete;
    ~Reservation() {
        if (held_) scheduler().release_descriptor();
    }
    bool is_held() const { return held_; }
    Descriptor take(int number) {
        held_ = false;
        return Descriptor(number);
    }

private:
    bool held_;
};

// The kernel gives the lines as a descriptor of their own. A big structure: not for a frame.
template <class Options>
Result<int> request_lines(System& system, int chip, std::span<const BoardPin> pins,
                          const PinTraits& traits, const Options& options) {
    ::gpio_v2_line_request request{};
    std::ranges::transform(pins, request.offsets, &BoardPin::line);
    request.num_lines = static_cast<__u32>(pins.size());
    request.config = traits.config(options);
    std::strncpy(request.consumer, options.consumer, sizeof request.consumer - 1);
    if constexpr (std::is_same_v<Options, InputOptions>) {
        request.event_buffer_size = options.events;
    }
    const auto made = system.control_object(chip, GPIO_V2_GET_LINE_IOCTL, request);
    if (!made) return std::unexpected(made.error());
    // Else io_uring would give each read to a thread of the kernel, which waits there.
    int on = 1;
    const auto set = system.control_object(request.fd, FIONBIO, on);
    RINGLET_ASSERT(set.has_value());
    return request.fd;
}

// On the lane, or at once. Not for a job that makes something that needs an owner.
template <class F>
Task<int> run_on(Lane* lane, F& job) {
    if (lane == nullptr) co_return co_await job();
    co_return co_await offload(*lane, job);
}

bool are_on_one_chip(std::span<const BoardPin> pins) {
    return std::ranges::all_of(pins, [&](const BoardPin& pin) {
        return std::string_view(pin.chip) == pins.front().chip;
    });
}

}  // namespace

template <class Options>
Task<Lines> Lines::open(std::span<const BoardPin> pins, const Options& options, Limits limits) {
    const PinTraits traits(pins);
    if (!are_on_one_chip(pins)) co_await fail(error_of(Detail::several_chips));
    const Chip chip = co_await Chip::open(pins.front().chip, limits);
    Reservation place;
    if (!place.is_held()) {
        co_await fail(Error(std::errc::too_many_files_open, RuntimeDetail::descriptors));
    }
    System& system = scheduler().system();
    auto request = [&] {
        return request_lines(system, chip.descriptor(), pins, traits, options);
    };
    if (options.lane != nullptr) {
        const int number = co_await offload(*options.lane, request);
        co_return Lines(place.take(number), traits, options.lane);
    }
    // No await before the descriptor has an owner: there a cancellation would lose it.
    const auto number = request();
    if (!number) co_await fail(number.error());
    co_return Lines(place.take(*number), traits, nullptr);
}

Task<Lines> Lines::open_inputs(std::span<const BoardPin> pins, InputOptions options,
                               Limits limits) {
    co_return co_await open(pins, options, limits);
}
Task<Lines> Lines::open_input(BoardPin pin, InputOptions options, Limits limits) {
    co_return co_await open(std::span(&pin, 1), options, limits);
}
Task<Lines> Lines::open_outputs(std::span<const BoardPin> pins, OutputOptions options,
                                Limits limits) {
    co_return co_await open(pins, options, limits);
}
Task<Lines> Lines::open_output(BoardPin pin, OutputOptions options, Limits limits) {
    co_return co_await open(std::span(&pin, 1), options, limits);
}

template <class T>
Task<void> Lines::control(unsigned long request, T& object) {
    System& system = scheduler().system();
    auto job = [&] { return system.control_object(descriptor(), request, object); };
    co_await run_on(lane_, job);
}

Task<std::uint64_t> Lines::get() {
    ::gpio_v2_line_values values{.bits = 0, .mask = pins_.all()};
    co_await control(GPIO_V2_LINE_GET_VALUES_IOCTL, values);
    co_return values.bits & values.mask;
}

Task<void> Lines::set(std::uint64_t values, std::uint64_t mask) {
    ::gpio_v2_line_values wanted{.bits = values, .mask = mask & pins_.all()};
    co_await control(GPIO_V2_LINE_SET_VALUES_IOCTL, wanted);
}

Task<void> Lines::reconfigure(InputOptions options) {
    ::gpio_v2_line_config config = pins_.config(options);
    co_await control(GPIO_V2_LINE_SET_CONFIG_IOCTL, config);
}
Task<void> Lines::reconfigure(OutputOptions options) {
    ::gpio_v2_line_config config = pins_.config(options);
    co_await control(GPIO_V2_LINE_SET_CONFIG_IOCTL, config);
}

Task<Event> Lines::next() {
    Event event{};
    co_await read(std::span(&event, 1));
    co_return event;
}

Task<std::size_t> Lines::read(std::span<Event> into) {
    RINGLET_ASSERT(!into.empty());
    const std::size_t bytes = co_await read_or_wait(descriptor(), std::as_writable_bytes(into));
    RINGLET_ASSERT(bytes % sizeof(Event) == 0);
    const std::size_t count = bytes / sizeof(Event);
    this->count(into.first(count));
    co_return count;
}

// The kernel numbers an edge when its interrupt comes, and each line's thread delivers it: so
// numbers of several lines may come in another order. They have 32 bits.
void Lines::count(std::span<const Event> events) {
    for (const Event& event : events) {
        const auto highest = static_cast<std::uint32_t>(told_);
        const auto step = static_cast<std::int32_t>(event.seqno - highest);
        if (step > 0) told_ += static_cast<std::uint32_t>(step);
    }
    seen_ += events.size();
}

}  // namespace ringlet::gpio
