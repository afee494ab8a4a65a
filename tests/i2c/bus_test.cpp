// Transfers on a bus: what goes through, who waits for whom, what a cancellation and a fault leave.
#include "i2c/i2c_cases.hpp"

#include <linux/i2c-dev.h>

#include <algorithm>

namespace ringlet::support {
namespace {

TEST(I2cBus, is_opened_with_its_limits) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        const auto bus = co_await i2c::Bus::open(bus_path, {.timeout = 45ms, .retries = 3});
        EXPECT_EQ(adapter.timeout(), 50ms);
        EXPECT_EQ(adapter.retries(), 3u);
        EXPECT_TRUE(bus.can(I2C_FUNC_I2C | I2C_FUNC_SMBUS_QUICK));
        EXPECT_FALSE(bus.can(I2C_FUNC_SLAVE));
    });
}

TEST(I2cBus, is_refused_where_there_is_none) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        const auto missing = co_await attempt(i2c::Bus::open("/dev/i2c-7"));
        EXPECT_EQ(number_of(missing), ENOENT);
        adapter.world().write_file("/dev/file", "");
        const auto file = co_await attempt(i2c::Bus::open("/dev/file"));
        EXPECT_EQ(number_of(file), ENOTTY);
    });
}

TEST(I2cBus, needs_a_worker) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    const I2cAdapter adapter(simulation.world(), bus_path);
    const auto main = []() -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        const auto done = co_await attempt(bus.write(0x48, {}));
        EXPECT_TRUE(!done && done.error() == RuntimeDetail::workers);
    };
    EXPECT_EQ(simulation.run(main), 0);
}

TEST(I2cBus, carries_bytes_to_a_chip_and_back) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x53, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        const auto out = some_bytes(0x10, 1, 2, 3);
        co_await bus.write(0x53, out);
        EXPECT_EQ(chip.registers[0x12], std::byte{3});
        std::array<std::byte, 3> in{};
        co_await bus.write_read(0x53, std::span(out).first(1), in);
        EXPECT_EQ(in, some_bytes(1, 2, 3));
        chip.registers[0x13] = std::byte{4};
        co_await bus.read(0x53, std::span(in).first(1));
        EXPECT_EQ(in[0], std::byte{4});
        co_await bus.write(0x53, {});
    });
}

TEST(I2cBus, makes_one_transfer_of_several_messages) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters one;
        I2cRegisters other;
        adapter.attach(0x20, one);
        adapter.attach(0x21, other);
        auto bus = co_await i2c::Bus::open(bus_path);
        const auto out = some_bytes(5, 77);
        std::array<std::byte, 1> in{};
        std::array messages{i2c::Message::write(0x20, out),
                            i2c::Message::write(0x21, std::span(out).first(1)),
                            i2c::Message::read(0x21, in)};
        other.registers[5] = std::byte{9};
        co_await bus.transfer(messages);
        EXPECT_EQ(one.registers[5], std::byte{77});
        EXPECT_EQ(in[0], std::byte{9});
        EXPECT_EQ(adapter.transfers(), 1u);
    });
}

TEST(I2cBus, tells_that_nobody_acknowledged_in_either_word) {
    for (const int number : {ENXIO, EREMOTEIO}) {
        on_bus(
            [](I2cAdapter&) -> Task<void> {
                auto bus = co_await i2c::Bus::open(bus_path);
                const auto done = co_await attempt(bus.write(0x48, {}));
                EXPECT_TRUE(!done && i2c::is_not_acknowledged(done.error()));
            },
            {.not_acknowledged = number});
    }
    EXPECT_FALSE(i2c::is_not_acknowledged(Error::kernel(ETIMEDOUT)));
}

TEST(I2cBus, gives_up_on_one_that_is_stuck_and_works_again_when_it_is_not) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path, {.timeout = 100ms});
        adapter.get_stuck(true);
        const Instant begin = now();
        const auto done = co_await attempt(bus.write(0x48, {}));
        EXPECT_EQ(number_of(done), ETIMEDOUT);
        EXPECT_EQ(now() - begin, 100'000'000);
        adapter.get_stuck(false);
        co_await bus.write(0x48, {});
    });
}

TEST(I2cBus, tries_again_when_another_master_won) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path, {.retries = 2});
        adapter.fail_next(EAGAIN, 2);
        co_await bus.write(0x48, {});
        EXPECT_EQ(adapter.transfers(), 3u);
        adapter.fail_next(EAGAIN, 3);
        const auto done = co_await attempt(bus.write(0x48, {}));
        EXPECT_EQ(number_of(done), EAGAIN);
    });
}

TEST(I2cBus, that_is_unplugged_says_so) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        auto bus = co_await i2c::Bus::open(bus_path);
        adapter.unplug();
        const auto done = co_await attempt(bus.write(0x48, {}));
        EXPECT_EQ(number_of(done), ENODEV);
    });
}

// --- who waits for whom

TEST(I2cBus, serves_the_tasks_that_share_it_one_after_another_in_order) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        adapter.slow_down(10ms);
        std::array<int, 8> order{};
        std::size_t count = 0;
        const Instant begin = now();
        const auto use = [&](int number) -> Task<void> {
            const auto out = some_bytes(0, number);
            co_await bus.write(0x48, out);
            order[count++] = number;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int number = 0; number < 8; ++number) group.spawn(std::ref(use), number);
            co_return;
        });
        EXPECT_TRUE(std::ranges::is_sorted(order));
        EXPECT_GE(now() - begin, 80'000'000);
    });
}

// How long ten calls on a bus take, while another one is slow or not.
struct Median {
    Instant of_quick_bus = 0;
    std::uint64_t loop_turns = 0;
};
Median measure(Nanoseconds slowness) {
    static Median found;
    static Nanoseconds slower;
    slower = slowness;
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        I2cRegisters lame;
        adapter.attach(0x48, chip);
        I2cAdapter slow(adapter.world(), "/dev/i2c-2");
        slow.attach(0x48, lame);
        slow.slow_down(slower);
        auto quick_bus = co_await i2c::Bus::open(bus_path);
        auto slow_bus = co_await i2c::Bus::open("/dev/i2c-2", {.timeout = 1000ms});
        std::array<Instant, 101> spans{};
        found = {};
        const auto count_turns = [&]() -> Task<void> {
            for (;;) {
                co_await sleep(1ms);
                ++found.loop_turns;
            }
        };
        const auto use_slow = [&]() -> Task<void> {
            for (;;) co_await slow_bus.write(0x48, {});
        };
        const auto use_quick = [&]() -> Task<void> {
            for (Instant& span : spans) {
                const Instant begin = now();
                co_await quick_bus.write(0x48, {});
                span = now() - begin;
                co_await sleep(4ms);
            }
        };
        co_await race(use_quick(), use_slow(), count_turns());
        std::ranges::sort(spans);
        found.of_quick_bus = spans[spans.size() / 2];
    });
    return found;
}

TEST(I2cBus, that_is_slow_holds_up_neither_the_loop_nor_another_bus) {
    const Median alone = measure(0ms);
    const Median beside = measure(200ms);
    EXPECT_GT(alone.of_quick_bus, 0);
    EXPECT_EQ(beside.of_quick_bus, alone.of_quick_bus);
    EXPECT_GE(beside.loop_turns, 400u);  // of 101 calls with 4 ms between: each millisecond one
}

// --- cancelled

TEST(I2cBus, is_idle_and_usable_after_a_call_was_cut_short) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path, {.timeout = 300ms});
        adapter.slow_down(200ms);
        const auto out = some_bytes(0, 1);
        const Instant begin = now();
        const auto cut = co_await attempt(timeout(20ms, bus.write(0x48, out)));
        EXPECT_TRUE(cut.has_value());  // the transfer ran: it is waited for, and its value counts
        EXPECT_GE(now() - begin, 200'000'000);
        EXPECT_TRUE(adapter.is_idle());
        adapter.slow_down(0ms);
        std::array<std::byte, 1> in{};
        co_await bus.write_read(0x48, std::span(out).first(1), in);
        EXPECT_EQ(in[0], std::byte{1});
    });
}

TEST(I2cBus, never_sends_what_was_cancelled_in_line) {
    on_bus([](I2cAdapter& adapter) -> Task<void> {
        I2cRegisters chip;
        adapter.attach(0x48, chip);
        auto bus = co_await i2c::Bus::open(bus_path);
        adapter.slow_down(100ms);
        const auto first = some_bytes(0, 1);
        const auto second = some_bytes(1, 2);
        const auto cut = [&]() -> Task<void> {
            const auto sent = co_await attempt(timeout(20ms, bus.write(0x48, second)));
            EXPECT_EQ(number_of(sent), ETIMEDOUT);
            EXPECT_FALSE(adapter.is_idle());  // it did not wait for the one before
        };
        co_await gather(bus.write(0x48, first), cut());
        EXPECT_EQ(adapter.transfers(), 1u);
        EXPECT_EQ(chip.registers[1], std::byte{0});
    });
}

// Of the world that the current run is in.
Task<void> use_bus() {
    testing::world().make_folder("/dev");
    I2cAdapter adapter(testing::world(), bus_path);
    I2cRegisters chip;
    adapter.attach(0x48, chip);
    adapter.slow_down(5ms);
    const AtEnd expect_idle([&] { EXPECT_TRUE(adapter.is_idle()); });
    auto bus = co_await i2c::Bus::open(bus_path);
    const auto set = some_bytes(0, 7);
    const auto write = [&]() -> Task<void> { co_await bus.write(0x48, set); };
    co_await gather(write(), write());
    std::array<std::byte, 1> in{};
    co_await bus.write_read(0x48, std::span(set).first(1), in);
    EXPECT_EQ(in[0], std::byte{7});
}

TEST(I2cBus, is_idle_wherever_a_call_is_cancelled) {
    run_cancelled<i2c_limits>(use_bus);
}

TEST(I2cBus, leaves_nothing_behind_wherever_a_fault_hits) {
    run_faulted<i2c_limits>(use_bus);
}

// --- faults

TEST(I2cBus, gets_all_through_in_spite_of_faults_if_calls_are_repeated) {
    testing::for_each_seed(50, [](std::uint64_t seed) {
        on_bus(
            [](I2cAdapter& adapter) -> Task<void> {
                I2cRegisters chip;
                adapter.attach(0x48, chip);
                auto bus = co_await i2c::Bus::open(bus_path, {.timeout = 20ms, .retries = 0});
                std::array<unsigned, 3> faults{};
                for (int number = 0; number < 100; ++number) {
                    const auto out = some_bytes(number, number);
                    for (;;) {
                        const auto sent = co_await attempt(bus.write(0x48, out));
                        if (sent) break;
                        const Error why = sent.error();
                        if (i2c::is_not_acknowledged(why)) ++faults[0];
                        else if (why == std::errc::resource_unavailable_try_again) ++faults[1];
                        else if (why == std::errc::timed_out) ++faults[2];
                        else co_await fail(why);
                    }
                    EXPECT_EQ(chip.registers[static_cast<std::size_t>(number)],
                              static_cast<std::byte>(number));
                }
                EXPECT_GT(std::ranges::min(faults), 0u);
            },
            {.seed = seed, .noise = 10, .lost = 10, .stretched = 10}, testing::seeded(seed));
    });
}

}  // namespace
}  // namespace ringlet::support
