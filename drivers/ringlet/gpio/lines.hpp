// Lines: GPIO lines of one chip, taken together: inputs with their edges, or outputs.
//
//   auto button = co_await gpio::Lines::open_input(pin, {.edges = gpio::Edges::both,
//                                                        .debounce = 5ms});
//   for (;;) {
//       const gpio::Event event = co_await button.next();    // with the kernel's time of it
//       co_await lamp.set(event.is_rising());
//   }
//
// Values are bits: bit 0 is the first of the pins that were given, and set means active, which is
// the low level of a pin that is active_low. They are read and set together, in one request.
//
// Requests of a chip inside the processor are made on the loop: they take microseconds. Those of a
// chip on a bus belong on a lane (InputOptions::lane); then Limits::workers is needed. Events are
// polled for and read either way.
//
// The lines are nobody else's until the object dies; what an output then does is the chip's affair.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/gpio/chip.hpp>
#include <ringlet/gpio/config.hpp>
#include <ringlet/io/close.hpp>

namespace ringlet::gpio {

// The kernel's gpio_v2_line_event: which line (`offset`, its number on the chip), when, and its
// number among all events of the request (`seqno`) and of the line (`line_seqno`).
struct Event : ::gpio_v2_line_event {
    // Became active.
    bool is_rising() const { return id == GPIO_V2_LINE_EVENT_RISING_EDGE; }
    // On Clock::monotonic, when the interrupt came.
    Instant at() const { return static_cast<Instant>(timestamp_ns); }
};

class Lines {
public:
    // Takes pins of one chip, 1 to lines_max, as inputs. They, and what the options name, are not
    // needed afterwards, the lane apart.
    //
    // Errors: Chip::open's; device_or_resource_busy: somebody has a line; invalid_argument: no such
    // line, or, with gpio::Detail::several_chips, not all on one chip; no_such_device_or_address,
    // no_such_device: the chip has no interrupts, so no edges; operation_not_supported with
    // RuntimeDetail::workers: a lane, and Limits::workers is 0; too_many_files_open with
    // RuntimeDetail::descriptors.
    // Cancellation: lines that were taken are let go in the background.
    // Source: Documentation/userspace-api/gpio/gpio-v2-get-line-ioctl.rst of Linux.
    static Task<Lines> open_inputs(std::span<const BoardPin> pins, InputOptions options = {},
                                   Limits limits = {});
    static Task<Lines> open_input(BoardPin pin, InputOptions options = {}, Limits limits = {});

    // The same as outputs.
    static Task<Lines> open_outputs(std::span<const BoardPin> pins, OutputOptions options = {},
                                    Limits limits = {});
    static Task<Lines> open_output(BoardPin pin, OutputOptions options = {}, Limits limits = {});

    // Which lines are active now; also of outputs.
    //
    // Errors: the kernel's.
    // Cancellation: nothing is left behind.
    Task<std::uint64_t> get();

    // Sets the lines whose bit in `mask` is set, all at once if the chip can.
    //
    // Errors: operation_not_permitted: they are inputs; invalid_argument: no bit of `mask` is one.
    // Cancellation: set or not; never some of them.
    Task<void> set(std::uint64_t values, std::uint64_t mask = ~std::uint64_t{0});

    // Makes of all of them what the options say, without letting them go; also outputs of inputs.
    // `consumer`, `events` and `lane` stay what they were. Edges that have come are still read.
    //
    // Errors: as when opened.
    // Cancellation: done or not.
    Task<void> reconfigure(InputOptions options);
    Task<void> reconfigure(OutputOptions options);

    // Waits for the next edge. One task at a time waits.
    //
    // Cancellation: no event is lost.
    Task<Event> next();

    // Waits for an edge, and gives all that have come since, as many as fit: how many of `into`.
    // `into` is not empty, and outlives the await. For many edges: it reads them with one call.
    //
    // Cancellation: no event is lost.
    Task<std::size_t> read(std::span<Event> into);

    // Edges that the kernel had no room for, as far as the events that came show it: each that is
    // read tells of those lost before it. Of several lines one event may overtake another, which
    // counts as lost until it comes. (Edges that come faster than the chip can tell them apart
    // nobody counts.)
    std::uint64_t lost() const { return told_ - seen_; }

    // Lets them go. Ends no other await on them: let those end first.
    //
    // Cancellation: they are let go in the background.
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    std::size_t size() const { return pins_.size(); }
    int descriptor() const { return descriptor_.get(); }

private:
    Lines(Descriptor descriptor, const PinTraits& pins, Lane* lane)
        : descriptor_(std::move(descriptor)), lane_(lane), pins_(pins) {}

    template <class Options>
    static Task<Lines> open(std::span<const BoardPin> pins, const Options& options,
                            Limits limits);
    template <class T>
    Task<void> control(unsigned long request, T& object);
    void count(std::span<const Event> events);

    Descriptor descriptor_;
    Lane* lane_;  // null: the loop
    std::uint64_t told_ = 0;  // the highest number of an event: so many there were
    std::uint64_t seen_ = 0;
    PinTraits pins_;
};

}  // namespace ringlet::gpio
