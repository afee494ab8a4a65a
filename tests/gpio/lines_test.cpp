// Lines as values: inputs, outputs, several at once, reconfigured; on the loop and on a lane.
#include "gpio/gpio_cases.hpp"

namespace ringlet::support {
namespace {

TEST(GpioLines, set_an_output_from_its_first_moment) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto lamp = co_await gpio::Lines::open_output(pin(1), {.values = 1});
        EXPECT_TRUE(chip.level(1));
        co_await lamp.set(false);
        EXPECT_FALSE(chip.level(1));
        const bool on = co_await lamp.get();
        EXPECT_FALSE(on);
    });
}

TEST(GpioLines, mean_by_active_what_the_board_does) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto lamp = co_await gpio::Lines::open_output(pin(1, true), {.values = 1});
        EXPECT_FALSE(chip.level(1));
        co_await lamp.set(0);
        EXPECT_TRUE(chip.level(1));
        chip.drive(2, false);
        auto button = co_await gpio::Lines::open_input(pin(2, true));
        const bool pressed = co_await button.get();
        EXPECT_TRUE(pressed);
    });
}

TEST(GpioLines, are_pulled_as_the_board_says_if_nobody_drives_them) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const BoardPin pins[] = {pin(0, false, PinBias::pull_up),
                                 pin(1, false, PinBias::pull_down),
                                 pin(2, true, PinBias::pull_up), pin(3, false, PinBias::disabled)};
        auto inputs = co_await gpio::Lines::open_inputs(pins);
        const auto values = co_await inputs.get();
        EXPECT_EQ(values, 0b0001u);
        chip.drive(0, false);
        chip.drive(2, false);
        chip.drive(3, true);
        const auto driven = co_await inputs.get();
        EXPECT_EQ(driven, 0b1100u);
    });
}

TEST(GpioLines, set_several_outputs_at_once_or_some_of_them) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const BoardPin pins[] = {pin(4), pin(7), pin(5, true)};
        auto lamps = co_await gpio::Lines::open_outputs(pins, {.values = 0b101});
        EXPECT_TRUE(chip.level(4) && !chip.level(7) && !chip.level(5));
        co_await lamps.set(0b010);
        EXPECT_TRUE(!chip.level(4) && chip.level(7) && chip.level(5));
        co_await lamps.set(0b101, 0b001);
        EXPECT_TRUE(chip.level(4) && chip.level(7) && chip.level(5));
        const auto values = co_await lamps.get();
        EXPECT_EQ(values, 0b011u);
        const auto none = co_await attempt(lamps.set(1, 0b1000));
        EXPECT_EQ(number_of(none), EINVAL);
    });
}

TEST(GpioLines, can_be_as_many_as_the_kernel_takes_of_every_kind) {
    on_chip(
        [](GpioChip& chip) -> Task<void> {
            std::array<BoardPin, gpio::lines_max> pins;
            for (unsigned i = 0; i < pins.size(); ++i) {
                pins[i] = pin(i, i % 2 == 1, static_cast<PinBias>(i / 2 % 4));
                chip.drive(i, true);
            }
            auto inputs = co_await gpio::Lines::open_inputs(pins, {.debounce = 1ms});
            const auto values = co_await inputs.get();
            EXPECT_EQ(values, 0x5555'5555'5555'5555u);
        },
        {.lines = gpio::lines_max});
}

TEST(GpioLines, that_are_open_drain_or_source_let_go) {
    on_chip([](GpioChip& chip) -> Task<void> {
        chip.drive(0, true);
        auto drain = co_await gpio::Lines::open_output(
            pin(0), {.values = 1, .drive = gpio::Drive::open_drain});
        EXPECT_TRUE(chip.level(0));
        chip.drive(0, false);  // another one on the wire
        EXPECT_FALSE(chip.level(0));
        const bool seen = co_await drain.get();
        EXPECT_FALSE(seen);
        chip.drive(0, true);
        co_await drain.set(0);
        EXPECT_FALSE(chip.level(0));
        auto source = co_await gpio::Lines::open_output(pin(1),
                                                        {.drive = gpio::Drive::open_source});
        chip.drive(1, true);
        EXPECT_TRUE(chip.level(1));
    });
}

TEST(GpioLines, change_their_direction_and_drive_without_being_let_go) {
    on_chip([](GpioChip& chip) -> Task<void> {
        chip.drive(0, true);
        auto wire = co_await gpio::Lines::open_output(pin(0));
        EXPECT_FALSE(chip.level(0));
        co_await wire.reconfigure(gpio::InputOptions{});
        EXPECT_FALSE(chip.is_output(0));
        const bool high = co_await wire.get();
        EXPECT_TRUE(high);
        const auto set = co_await attempt(wire.set(1));
        EXPECT_EQ(number_of(set), EPERM);
        co_await wire.reconfigure(gpio::OutputOptions{.values = 1});
        EXPECT_TRUE(chip.is_output(0));
        EXPECT_TRUE(chip.level(0));
    });
}

TEST(GpioLines, are_refused_with_the_reason) {
    on_chip([](GpioChip& chip) -> Task<void> {
        chip.claim(6);
        const auto first = co_await gpio::Lines::open_input(pin(0));
        const auto again = co_await attempt(gpio::Lines::open_input(pin(0)));
        EXPECT_EQ(number_of(again), EBUSY);
        const auto kernel = co_await attempt(gpio::Lines::open_output(pin(6)));
        EXPECT_EQ(number_of(kernel), EBUSY);
        const auto beyond = co_await attempt(gpio::Lines::open_input(pin(8)));
        EXPECT_EQ(number_of(beyond), EINVAL);
        const BoardPin apart[] = {pin(1), {.chip = "other", .line = 2}};
        const auto several = co_await attempt(gpio::Lines::open_inputs(apart));
        EXPECT_TRUE(!several && several.error() == gpio::Detail::several_chips);
    });
    on_chip(
        [](GpioChip&) -> Task<void> {
            const auto edges = co_await attempt(
                gpio::Lines::open_input(pin(0), {.edges = gpio::Edges::both}));
            EXPECT_EQ(number_of(edges), ENODEV);
        },
        {.interrupts = false});
}

TEST(GpioLines, count_among_the_descriptors) {
    on_chip([](GpioChip&) -> Task<void> {
        static_assert(gpio_limits.descriptors == 12);
        std::array<Descriptor, 11> others;
        for (Descriptor& each : others) {
            EXPECT_TRUE(scheduler().reserve_descriptor());
            const auto socket = scheduler().system().socket(AF_INET, SOCK_STREAM, 0);
            each = Descriptor(socket ? *socket : -1);
        }
        const auto full = co_await attempt(gpio::Lines::open_input(pin(0)));
        EXPECT_TRUE(!full && full.error() == RuntimeDetail::descriptors);
    });
}

TEST(GpioLines, that_go_with_an_unplugged_chip_say_so) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto lamp = co_await gpio::Lines::open_output(pin(0));
        auto button = co_await gpio::Lines::open_input(pin(2), {.edges = gpio::Edges::both});
        const auto unplug = [&]() -> Task<void> {
            co_await sleep(1ms);
            chip.unplug();
        };
        const auto wait = [&]() -> Task<void> {
            const auto event = co_await attempt(timeout(1s, button.next()));
            EXPECT_EQ(number_of(event), ENODEV);
        };
        co_await gather(wait(), unplug());
        const auto set = co_await attempt(lamp.set(1));
        EXPECT_EQ(number_of(set), ENODEV);
        const auto got = co_await attempt(lamp.get());
        EXPECT_EQ(number_of(got), ENODEV);
        const auto again = co_await attempt(gpio::Lines::open_output(pin(1)));
        EXPECT_EQ(number_of(again), ENODEV);
        co_await lamp.close();
    });
}

// --- on a lane

TEST(GpioLines, of_a_slow_chip_hold_up_a_lane_and_not_the_loop) {
    on_chip(
        [](GpioChip& chip) -> Task<void> {
            Lane lane;
            auto lamp = co_await gpio::Lines::open_output(pin(0), {.lane = &lane});
            co_await lamp.set(1);
            EXPECT_TRUE(chip.level(0));
            const bool on = co_await lamp.get();
            EXPECT_TRUE(on);
            co_await lamp.reconfigure(gpio::InputOptions{});
            EXPECT_EQ(chip.world().loop_stalled(), 0ns);
        },
        {.access_time = 5ms});
    on_chip(
        [](GpioChip& chip) -> Task<void> {
            auto lamp = co_await gpio::Lines::open_output(pin(0));
            EXPECT_EQ(chip.world().loop_stalled(), 5ms);  // so the test above can fail
        },
        {.access_time = 5ms});
}

TEST(GpioLines, are_let_go_wherever_their_opening_is_cancelled) {
    const auto use = []() -> Task<void> {
        testing::world().make_folder("/dev");
        const auto chip = make_chip(chip_path, {.access_time = 1ms});
        Lane lane;
        auto lines = co_await gpio::Lines::open_output(pin(0), {.lane = &lane});
        co_await lines.set(1);
        (void)co_await lines.get();
    };
    run_cancelled<gpio_limits>(use);
    run_faulted<gpio_limits>(use);
}

constexpr Limits with_inline_awaits(unsigned count) {
    Limits limits = gpio_limits;
    limits.inline_awaits = count;
    return limits;
}

// Opens lines, and cancels that after so many turns. Whether they were opened.
template <unsigned inline_awaits>
bool open_for(unsigned turns, bool on_lane) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    GpioChip chip(simulation.world(), chip_path);
    bool opened = false;
    const auto open = [&]() -> Task<void> {
        Lane lane;
        const gpio::OutputOptions options{.lane = on_lane ? &lane : nullptr};
        const auto lines = co_await gpio::Lines::open_output(pin(0), options);
        opened = true;
    };
    const auto body = [&](TaskGroup& group) -> Task<void> {
        auto opening = group.spawn(open);
        for (unsigned i = 0; i < turns; ++i) co_await yield();
        opening.cancel();
    };
    const auto run = [&]() -> Task<void> { co_await TaskGroup::run(body); };
    EXPECT_EQ(simulation.run<with_inline_awaits(inline_awaits)>(run), 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u) << turns;
    EXPECT_FALSE(chip.is_requested(0)) << turns;
    return opened;
}

// With so few awaits at a time, a cancellation comes between any two of them.
TEST(GpioLines, are_let_go_in_whatever_turn_their_opening_is_cancelled) {
    unsigned opened = 0;
    constexpr unsigned turns_max = 40;
    for (unsigned i = 0; i < 2 * turns_max; ++i) {
        const unsigned turns = i / 2;
        const bool on_lane = i % 2 == 1;
        opened += open_for<1>(turns, on_lane) + open_for<2>(turns, on_lane) +
                  open_for<3>(turns, on_lane);
    }
    EXPECT_GT(opened, 3 * turns_max);
    EXPECT_LT(opened, 6 * turns_max - 10);
}

}  // namespace
}  // namespace ringlet::support
