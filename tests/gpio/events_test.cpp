// Edges as a stream: times, numbers, debounce, and those that were lost.
#include "gpio/gpio_cases.hpp"

namespace ringlet::support {
namespace {

constexpr gpio::InputOptions both_edges{.edges = gpio::Edges::both};

TEST(GpioEvents, tell_which_line_changed_how_and_when) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const BoardPin pins[] = {pin(2), pin(5)};
        auto buttons = co_await gpio::Lines::open_inputs(pins, both_edges);
        const Instant begin = chip.world().now();
        const auto press = [&]() -> Task<void> {
            co_await sleep(3ms);
            chip.drive(5, true);
            co_await sleep(4ms);
            chip.drive(5, false);
            chip.drive(2, true);
        };
        const auto watch = [&]() -> Task<void> {
            const auto first = co_await buttons.next();
            EXPECT_TRUE(first.is_rising());
            EXPECT_EQ(first.offset, 5u);
            EXPECT_EQ(first.at() - begin, 3'000'000);
            co_await sleep(10ms);  // the time is the edge's, not that of reading
            const auto second = co_await buttons.next();
            EXPECT_FALSE(second.is_rising());
            EXPECT_EQ(second.at() - begin, 7'000'000);
            EXPECT_EQ(second.line_seqno, 2u);
            const auto third = co_await buttons.next();
            EXPECT_EQ(third.offset, 2u);
            EXPECT_EQ(third.seqno, 3u);
            EXPECT_EQ(third.line_seqno, 1u);
        };
        co_await gather(press(), watch());
        EXPECT_EQ(buttons.lost(), 0u);
    });
}

TEST(GpioEvents, are_those_that_were_asked_for) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto rising = co_await gpio::Lines::open_input(pin(0), {.edges = gpio::Edges::rising});
        auto falling = co_await gpio::Lines::open_input(pin(1, true),
                                                        {.edges = gpio::Edges::falling});
        for (const unsigned line : {0u, 1u}) {
            chip.drive(line, true);
            chip.drive(line, false);
            chip.drive(line, true);
        }
        std::array<gpio::Event, 8> events;
        const auto count = co_await rising.read(events);
        EXPECT_EQ(count, 2u);
        EXPECT_TRUE(events[0].is_rising() && events[1].is_rising());
        const auto others = co_await falling.read(events);
        EXPECT_EQ(others, 2u);  // active low: high is inactive
        EXPECT_FALSE(events[0].is_rising());
    });
}

TEST(GpioEvents, come_once_a_bouncing_switch_has_settled) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto button = co_await gpio::Lines::open_input(
            pin(0), {.edges = gpio::Edges::both, .debounce = 5ms});
        const Instant begin = chip.world().now();
        const auto bounce = [&]() -> Task<void> {
            for (int i = 0; i < 7; ++i) {
                chip.drive(0, i % 2 == 0);
                co_await sleep(1ms);
            }
        };
        const auto both = co_await gather(button.next(), bounce());
        EXPECT_TRUE(std::get<0>(both).is_rising());
        EXPECT_EQ(std::get<0>(both).at() - begin, 11'000'000);
        const auto more = co_await attempt(timeout(50ms, button.next()));
        EXPECT_EQ(number_of(more), ETIMEDOUT);
    });
}

TEST(GpioEvents, do_not_come_of_a_chip_that_has_gone_while_its_switch_bounced) {
    on_chip([](GpioChip&) -> Task<void> {
        auto gone = make_chip("/dev/gpiochip1", {.label = "gone"});
        auto button = co_await gpio::Lines::open_input({.chip = "gone", .line = 0},
                                                       {.edges = gpio::Edges::both,
                                                        .debounce = 5ms});
        gone->drive(0, true);
        {
            const Unsealed allowed;
            gone.reset();
        }
        co_await sleep(10ms);
        const auto event = co_await attempt(timeout(1ms, button.next()));
        EXPECT_EQ(number_of(event), ENODEV);
    });
}

TEST(GpioEvents, that_the_kernel_had_no_room_for_are_counted) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto button = co_await gpio::Lines::open_input(
            pin(0), {.edges = gpio::Edges::both, .events = 8});
        for (int i = 0; i < 20; ++i) chip.drive(0, i % 2 == 0);
        std::array<gpio::Event, 32> events;
        const auto count = co_await button.read(events);
        EXPECT_EQ(count, 8u);
        EXPECT_EQ(events[0].seqno, 13u);
        EXPECT_EQ(button.lost(), 12u);
        chip.drive(0, true);
        co_await button.next();
        EXPECT_EQ(button.lost(), 12u);
    });
}

TEST(GpioEvents, that_overtake_others_let_none_count_as_lost_in_the_end) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const BoardPin pins[] = {pin(2), pin(5)};
        auto buttons = co_await gpio::Lines::open_inputs(pins, both_edges);
        chip.drive(2, true);
        chip.let_overtake();
        chip.drive(5, true);
        const auto early = co_await buttons.next();
        EXPECT_EQ(early.seqno, 2u);
        EXPECT_EQ(buttons.lost(), 1u);
        const auto late = co_await buttons.next();
        EXPECT_EQ(late.seqno, 1u);
        EXPECT_EQ(buttons.lost(), 0u);
    });
}

TEST(GpioEvents, go_on_after_the_edges_were_turned_off_and_on) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto button = co_await gpio::Lines::open_input(pin(0), both_edges);
        chip.drive(0, true);
        co_await button.reconfigure(gpio::InputOptions{});
        chip.drive(0, false);
        co_await button.reconfigure(both_edges);
        chip.drive(0, true);
        std::array<gpio::Event, 4> events;
        const auto count = co_await button.read(events);
        EXPECT_EQ(count, 2u);
        EXPECT_EQ(button.lost(), 0u);
    });
}

// Every edge is seen or counted, however they come and whatever is cut short meanwhile.
TEST(GpioEvents, are_seen_or_counted_each_of_ten_thousand) {
    testing::for_each_seed(10, [](std::uint64_t seed) {
        SimulationOptions options = testing::seeded(seed);
        options.faults.interrupted = options.faults.again = seed % 3 == 0 ? 2 : 0;
        on_chip(
            [](GpioChip& chip) -> Task<void> {
                auto counter = co_await gpio::Lines::open_input(pin(0), both_edges);
                constexpr unsigned edges = 10'000;
                std::uint64_t seen = 0;
                const auto toggle = [&]() -> Task<void> {
                    bool high = false;
                    for (unsigned i = 0; i < edges; ++i) {
                        chip.drive(0, high = !high);
                        if (i % 23 == 0) co_await sleep(100us);
                        else if (i % 7 == 0) co_await yield();
                    }
                };
                const auto count = [&]() -> Task<void> {
                    std::array<gpio::Event, 4> events;
                    std::uint32_t last = 0;
                    while (seen + counter.lost() < edges) {
                        const auto got =
                            co_await attempt(timeout(30us, counter.read(events)));
                        for (std::size_t i = 0; got && i < *got; ++i) {
                            EXPECT_GT(events[i].seqno, last);
                            last = events[i].seqno;
                            ++seen;
                        }
                    }
                };
                co_await gather(toggle(), count());
                EXPECT_EQ(seen + counter.lost(), edges);
                EXPECT_GT(seen, 0u);
            },
            {}, options);
    });
}

TEST(GpioEvents, are_not_lost_to_a_read_that_is_cut_short) {
    on_chip([](GpioChip& chip) -> Task<void> {
        auto button = co_await gpio::Lines::open_input(pin(0), both_edges);
        const auto cut = co_await attempt(timeout(1ms, button.next()));
        EXPECT_EQ(number_of(cut), ETIMEDOUT);
        chip.drive(0, true);
        const auto event = co_await button.next();
        EXPECT_EQ(event.seqno, 1u);
    });
}

}  // namespace
}  // namespace ringlet::support
