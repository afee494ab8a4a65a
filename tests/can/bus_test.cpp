// The bus itself: who goes first, a full queue, errors, and leaving the bus.
#include "can/can_cases.hpp"

namespace ringlet::support {
namespace {

can::Frame frame_with(std::uint32_t id, int value = 0) {
    return make_frame(id, some_bytes(value));
}

TEST(CanBus, lets_the_lowest_id_of_one_instant_go_first) {
    on_bus([](Nodes& nodes) -> Task<void> {
        {
            const Unsealed for_the_node;
            nodes.bus.add("can2");
        }
        auto here = co_await can::Socket::open("can0");
        auto there = co_await can::Socket::open("can1");
        auto listener = co_await can::Socket::open("can2");
        co_await here.send(frame_with(0x300));
        co_await here.send(frame_with(0x100));
        co_await there.send(frame_with(0x200));
        co_await there.send(frame_with(0x050));
        for (const unsigned id : {0x200u, 0x050u, 0x300u, 0x100u}) {  // a node's own keep theirs
            const can::Received got = co_await listener.receive();
            EXPECT_EQ(got.frame.id, id);
        }
    });
}

TEST(CanBus, that_is_slower_than_the_program_holds_it_up_and_loses_nothing) {
    static std::uint64_t held_up;
    held_up = 0;
    testing::for_each_seed(10, [](std::uint64_t seed) {
        SimulationOptions options = testing::seeded(seed);
        options.faults.interrupted = seed % 3 == 0 ? 2 : 0;
        on_bus(
            [](Nodes& nodes) -> Task<void> {
                constexpr int frames = 300;
                auto here = co_await can::Socket::open("can0");
                auto there = co_await can::Socket::open("can1");
                const auto send = [&]() -> Task<void> {
                    for (int i = 0; i < frames; ++i) {
                        for (;;) {  // cut short it was sent, or not at all
                            const auto sent = co_await attempt(
                                timeout(300us, here.send(frame_with(1, i))));
                            if (sent) break;
                            EXPECT_EQ(number_of(sent), ETIMEDOUT);
                        }
                    }
                };
                const auto receive = [&]() -> Task<void> {
                    for (int i = 0; i < frames;) {
                        const auto got = co_await attempt(timeout(300us, there.receive()));
                        if (!got) continue;
                        if (got->is_error) continue;
                        EXPECT_EQ(got->frame.data[0], static_cast<std::byte>(i));
                        ++i;
                    }
                };
                co_await gather(send(), receive());
                held_up += here.held_up();
                EXPECT_EQ(there.lost(), 0u);
                EXPECT_EQ(nodes.bus.carried(), std::uint64_t{frames});
                EXPECT_EQ(nodes.here.queued(), 0u);
            },
            {.noise = 20}, options);
    });
    EXPECT_GT(held_up, 0u);
}

TEST(CanBus, sends_a_frame_again_that_met_an_error_and_tells_of_it) {
    on_bus(
        [](Nodes& nodes) -> Task<void> {
            auto here = co_await can::Socket::open("can0");
            auto there = co_await can::Socket::open("can1", {.errors = false});
            nodes.bus.destroy(2);
            co_await here.send(frame_with(1, 42));
            const can::Received got = co_await there.receive();
            EXPECT_EQ(got.frame.data[0], std::byte{42});
            for (int i = 0; i < 2; ++i) {
                const can::Received report = co_await here.receive();
                EXPECT_TRUE(report.is_error);
                EXPECT_NE(report.report.classes & 0x80, 0u);  // CAN_ERR_BUSERROR
            }
            EXPECT_EQ(nodes.here.send_errors(), 15u);  // twice 8, less one for the frame that went
        },
        {.bus_errors = true});
}

TEST(CanBus, is_left_after_many_errors_and_joined_again_by_a_restart) {
    on_bus([](Nodes& nodes) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        auto there = co_await can::Socket::open("can1");
        nodes.bus.destroy(32);
        co_await here.send(frame_with(1));
        constexpr can::BusState states[] = {can::BusState::warning, can::BusState::passive,
                                            can::BusState::off};
        for (const can::BusState state : states) {
            const can::Received report = co_await timeout(1s, here.receive());
            EXPECT_TRUE(report.is_error);
            EXPECT_EQ(report.report.is_bus_off(), state == can::BusState::off);
            EXPECT_EQ(here.state(), state);
        }
        EXPECT_TRUE(nodes.here.is_off());
        co_await here.send(frame_with(2));  // the kernel takes it, and drops it
        nodes.here.restart();
        const can::Received restart = co_await here.receive();
        EXPECT_TRUE(restart.report.is_restart());
        EXPECT_EQ(here.state(), can::BusState::active);
        co_await here.send(frame_with(3));
        const can::Received got = co_await there.receive();
        EXPECT_EQ(got.frame.id, 3u);
    });
}

// So that all reports of it but the last are received.
Task<void> leave_the_bus(Nodes& nodes, can::Socket& here) {
    nodes.bus.destroy(32);
    co_await here.send(frame_with(1));
    while (here.state() != can::BusState::passive) co_await timeout(1s, here.receive());
    co_await sleep(50ms);
    EXPECT_TRUE(nodes.here.is_off());
}

// The controller begins anew, and no report says so.
void take_down_and_up(CanInterface& interface) {
    interface.set_up(false);
    interface.set_up(true);
}

TEST(CanBus, is_joined_again_by_an_interface_that_was_taken_down_and_up) {
    on_bus([](Nodes& nodes) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        for (const bool sends : {false, true}) {
            co_await leave_the_bus(nodes, here);
            co_await here.receive();
            EXPECT_EQ(here.state(), can::BusState::off);
            take_down_and_up(nodes.here);
            // One of them is told.
            const auto use = [&]() -> Task<void> {
                if (sends) co_await here.send(frame_with(2));
                else co_await here.receive();
            };
            const auto down = co_await attempt(use());
            EXPECT_EQ(number_of(down), ENETDOWN);
            EXPECT_EQ(here.state(), can::BusState::active);
        }
    });
}

// Whenever it goes down: between two that the socket takes, or after.
TEST(CanBus, is_joined_again_also_if_there_were_reports_before_that) {
    unsigned after_reports = 0;
    for (int turns = 0; turns < 8; ++turns) {
        on_bus([&](Nodes& nodes) -> Task<void> {
            auto here = co_await can::Socket::open("can0");
            co_await leave_the_bus(nodes, here);
            const auto receive = [&]() -> Task<void> {
                std::array<can::Received, 4> some;
                const auto count = co_await attempt(here.receive(some));
                if (!count) co_return;
                ++after_reports;
                const auto down = co_await attempt(here.receive(some));
                EXPECT_EQ(number_of(down), ENETDOWN);
                EXPECT_EQ(here.state(), can::BusState::active);
            };
            const auto go_down = [&]() -> Task<void> {
                for (int i = 0; i < turns; ++i) co_await yield();
                take_down_and_up(nodes.here);
            };
            co_await gather(receive(), go_down());
        });
    }
    EXPECT_GT(after_reports, 0u);
}

TEST(CanBus, without_others_keeps_the_frame_and_then_the_sender) {
    on_bus([](Nodes& nodes) -> Task<void> {
        nodes.there.set_up(false);
        auto here = co_await can::Socket::open("can0");
        for (int i = 0; i < 10; ++i) co_await here.send(frame_with(1, i));
        const auto late = co_await attempt(timeout(100ms, here.send(frame_with(1, 10))));
        EXPECT_EQ(number_of(late), ETIMEDOUT);
        EXPECT_GT(here.held_up(), 0u);
        EXPECT_FALSE(nodes.here.is_off());
        EXPECT_GE(nodes.here.send_errors(), 128u);
        nodes.there.set_up(true);
        auto there = co_await can::Socket::open("can1");
        const can::Received got = co_await there.receive();
        EXPECT_EQ(got.frame.data[0], std::byte{0});
        co_await sleep(100ms);
        EXPECT_EQ(nodes.here.queued(), 0u);
    });
}

}  // namespace
}  // namespace ringlet::support
