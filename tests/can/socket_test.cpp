// Frames both ways, filters, timestamps, whose frame it is, and what was lost.
#include "can/can_cases.hpp"

namespace ringlet::support {
namespace {

can::Frame frame_with(std::uint32_t id, int value = 0) {
    return make_frame(id, some_bytes(value));
}

TEST(CanSocket, carries_frames_of_each_kind) {
    on_bus([](Nodes&) -> Task<void> {
        auto here = co_await can::Socket::open("can0", {.flexible = true});
        auto there = co_await can::Socket::open("can1", {.flexible = true});
        can::Frame long_one;
        long_one.id = 0x1abcdef0;
        long_one.extended = long_one.flexible = long_one.fast = true;
        long_one.size = 64;
        long_one.data.fill(std::byte{7});
        can::Frame request;
        request.id = 0x7ff;
        request.remote = true;
        for (const can::Frame& frame : {frame_with(0x123, 5), long_one, request, can::Frame{}}) {
            co_await here.send(frame);
            const can::Received got = co_await there.receive();
            EXPECT_FALSE(got.is_error);
            EXPECT_TRUE(got.frame == frame) << frame.id;
            EXPECT_EQ(got.frame.fast, frame.fast);
            EXPECT_FALSE(got.own || got.from_here);
        }
    });
}

TEST(CanSocketDeathTest, sends_no_frame_whose_id_has_more_bits_than_its_kind) {
    for (const bool extended : {false, true}) {
        EXPECT_DEATH(on_bus([&](Nodes&) -> Task<void> {
                         auto here = co_await can::Socket::open("can0");
                         can::Frame frame = frame_with(extended ? 0x2000'0000 : 0x18ff'50e5);
                         frame.extended = extended;
                         co_await here.send(frame);
                     }),
                     "assertion failed.*frame.id");
    }
}

TEST(CanSocket, tells_when_a_frame_was_there) {
    on_bus([](Nodes&) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        auto there = co_await can::Socket::open("can1");
        const Instant begin = testing::world().now(Clock::realtime);
        co_await here.send(frame_with(1));
        co_await sleep(50ms);  // the time is the frame's, not that of receiving
        const can::Received got = co_await there.receive();
        EXPECT_EQ(got.at - begin, 112'000);  // 56 bits at 500 kbit/s
    });
}

TEST(CanSocket, hears_its_own_frames_and_those_from_here_if_it_shall) {
    on_bus([](Nodes&) -> Task<void> {
        auto one = co_await can::Socket::open("can0", {.receive_own = true});
        auto other = co_await can::Socket::open("can0");
        auto silent = co_await can::Socket::open("can0", {.loopback = false});
        co_await one.send(frame_with(1));
        const can::Received own = co_await one.receive();
        EXPECT_TRUE(own.own && own.from_here);
        const can::Received from_here = co_await other.receive();
        EXPECT_TRUE(from_here.from_here && !from_here.own);
        co_await silent.send(frame_with(2));
        const auto nothing = co_await attempt(timeout(10ms, one.receive()));
        EXPECT_EQ(number_of(nothing), ETIMEDOUT);
    });
}

TEST(CanSocket, receives_what_its_filters_let_pass) {
    on_bus([](Nodes&) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        const can::Filter two[] = {{.id = 0x100, .mask = 0x700},
                                   {.id = 0x123, .mask = 0x1fff'ffff, .extended = true}};
        const can::Filter others[] = {{.id = 0x100, .mask = 0x700, .inverted = true}};
        auto some = co_await can::Socket::open("can1", {.filters = two});
        auto rest = co_await can::Socket::open("can1", {.filters = others});
        can::Frame extended = frame_with(0x123);
        extended.extended = true;
        for (const can::Frame& frame : {frame_with(0x1ff), frame_with(0x200), extended}) {
            co_await here.send(frame);
        }
        const can::Received first = co_await some.receive();
        EXPECT_EQ(first.frame.id, 0x1ffu);
        const can::Received second = co_await some.receive();
        EXPECT_TRUE(second.frame.extended);
        const can::Received left = co_await rest.receive();
        EXPECT_EQ(left.frame.id, 0x200u);
    });
}

TEST(CanSocket, takes_a_mask_of_all_ones_for_exactly_this_id) {
    on_bus([](Nodes&) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        const can::Filter one[] = {{.id = 0x123, .mask = ~0u}};
        const can::Filter extended_one[] = {{.id = 0x123, .mask = ~0u, .extended = true}};
        auto plain = co_await can::Socket::open("can1", {.filters = one});
        auto long_ids = co_await can::Socket::open("can1", {.filters = extended_one});
        can::Frame extended = frame_with(0x123, 3);
        extended.extended = true;
        for (const can::Frame& frame :
             {frame_with(0x122, 1), extended, frame_with(0x123, 2)}) {
            co_await here.send(frame);
        }
        const can::Received got = co_await timeout(1s, plain.receive());
        EXPECT_EQ(got.frame.data[0], std::byte{2});
        const can::Received long_one = co_await timeout(1s, long_ids.receive());
        EXPECT_EQ(long_one.frame.data[0], std::byte{3});
        const auto nothing = co_await attempt(timeout(10ms, long_ids.receive()));
        EXPECT_EQ(number_of(nothing), ETIMEDOUT);
    });
}

TEST(CanSocket, counts_what_the_kernel_had_no_room_for) {
    on_bus(
        [](Nodes&) -> Task<void> {
            auto here = co_await can::Socket::open("can0");
            auto there = co_await can::Socket::open("can1");
            const auto send = [&](int frames) -> Task<void> {
                for (int i = 0; i < frames; ++i) co_await here.send(frame_with(1, i));
                co_await sleep(50ms);
            };
            co_await send(100);
            for (int i = 0; i < 64; ++i) {
                const can::Received got = co_await there.receive();
                EXPECT_EQ(got.frame.data[0], static_cast<std::byte>(i));
            }
            EXPECT_EQ(there.lost(), 0u);  // those that came know of none
            co_await send(1);
            co_await there.receive();
            EXPECT_EQ(there.lost(), 36u);
            co_await send(1);
            co_await there.receive();
            EXPECT_EQ(there.lost(), 36u);
        },
        {}, {.can_frames = 64});
}

TEST(CanSocket, gives_those_that_are_there_at_once_as_many_as_there_is_room_for) {
    on_bus([](Nodes&) -> Task<void> {
        auto here = co_await can::Socket::open("can0");
        auto there = co_await can::Socket::open("can1");
        std::array<can::Received, 4> some;
        const auto send = [&](int from, int frames) -> Task<void> {
            for (int i = from; i < from + frames; ++i) co_await here.send(frame_with(1, i));
        };
        co_await send(0, 6);
        co_await sleep(50ms);
        for (int next = 0; next < 6;) {
            const std::size_t count = co_await there.receive(some);
            EXPECT_EQ(count, next == 0 ? 4u : 2u);
            for (std::size_t i = 0; i < count; ++i, ++next) {
                EXPECT_EQ(some[i].frame.data[0], static_cast<std::byte>(next));
                EXPECT_NE(some[i].at, 0);
            }
        }
        const auto none = co_await attempt(timeout(10ms, there.receive(some)));
        EXPECT_EQ(number_of(none), ETIMEDOUT);
        const auto late = [&]() -> Task<void> {
            co_await sleep(5ms);
            co_await send(6, 1);
        };
        const auto receive = [&]() -> Task<std::size_t> { co_return co_await there.receive(some); };
        const auto both = co_await gather(late(), receive());
        EXPECT_EQ(std::get<1>(both), 1u);
        EXPECT_EQ(some[0].frame.data[0], std::byte{6});
    });
}

TEST(CanSocket, counts_what_was_lost_before_each_of_many) {
    on_bus(
        [](Nodes&) -> Task<void> {
            auto here = co_await can::Socket::open("can0");
            auto there = co_await can::Socket::open("can1");
            std::array<can::Received, 64> some;
            for (int i = 0; i < 12; ++i) co_await here.send(frame_with(1, i));
            co_await sleep(50ms);
            const std::size_t first = co_await there.receive(std::span(some).first(4));
            co_await here.send(frame_with(1));
            co_await sleep(50ms);
            const std::size_t rest = co_await there.receive(some);
            EXPECT_EQ(first + rest, 9u);
            EXPECT_EQ(there.lost(), 4u);
        },
        {}, {.can_frames = 8});
}

// Whenever the interface goes down: before it receives, between two that it takes, or after.
TEST(CanSocket, tells_once_that_the_interface_is_down_and_loses_no_frame_for_that) {
    unsigned after_frames = 0;
    for (int turns = 0; turns < 8; ++turns) {
        on_bus([&](Nodes& nodes) -> Task<void> {
            auto here = co_await can::Socket::open("can0");
            auto there = co_await can::Socket::open("can1");
            for (int i = 0; i < 2; ++i) co_await here.send(frame_with(1, i));
            co_await sleep(50ms);
            std::size_t frames = 0;
            unsigned failures = 0;
            const auto receive = [&]() -> Task<void> {
                std::array<can::Received, 4> some;
                while (frames < 2 || failures < 1) {
                    const auto count = co_await attempt(there.receive(some));
                    if (!count) {
                        EXPECT_EQ(number_of(count), ENETDOWN);
                        ++failures;
                        if (frames > 0) ++after_frames;
                    } else {
                        frames += *count;
                    }
                }
            };
            const auto go_down = [&]() -> Task<void> {
                for (int i = 0; i < turns; ++i) co_await yield();
                nodes.there.set_up(false);
                nodes.there.set_up(true);
            };
            co_await gather(receive(), go_down());
            EXPECT_EQ(frames, 2u);
            EXPECT_EQ(failures, 1u);
        });
    }
    EXPECT_GT(after_frames, 0u);
}

TEST(CanSocket, is_refused_in_words_where_it_cannot_be) {
    on_bus(
        [](Nodes& nodes) -> Task<void> {
            EXPECT_EQ(number_of(can::Socket::open("can7")), ENODEV);
            EXPECT_EQ(number_of(can::Socket::open("a_name_that_is_too_long")), ENODEV);
            const auto fast = can::Socket::open("can0", {.flexible = true});
            EXPECT_TRUE(!fast && fast.error() == can::Detail::no_flexible_rate);
            EXPECT_STREQ(text(fast.error()), "CAN FD is not switched on");
            auto here = co_await can::Socket::open("can0");
            can::Frame flexible;
            flexible.flexible = true;
            const auto sent = co_await attempt(here.send(flexible));
            EXPECT_TRUE(!sent && sent.error() == can::Detail::no_flexible_rate);
            nodes.here.set_up(false);
            const auto down = co_await attempt(here.receive());
            EXPECT_EQ(number_of(down), ENETDOWN);
            const auto unsent = co_await attempt(here.send(frame_with(1)));
            EXPECT_EQ(number_of(unsent), ENETDOWN);
            nodes.here.set_up(true);
            co_await here.send(frame_with(1));
        },
        {.flexible = false});
}

TEST(CanSocket, tells_each_time_that_the_adapter_was_unplugged) {
    Simulation simulation;
    const auto body = []() -> Task<void> {
        std::optional<CanBus> bus;
        {
            const Unsealed for_the_bus;
            bus.emplace(testing::world());
            bus->add("can0");
        }
        auto here = co_await can::Socket::open("can0");
        bus.reset();
        const auto got = co_await attempt(here.receive());
        EXPECT_EQ(number_of(got), ENODEV);
        for (int i = 0; i < 2; ++i) {
            const auto sent = co_await attempt(here.send(frame_with(1)));
            EXPECT_EQ(number_of(sent), ENODEV);
        }
    };
    EXPECT_EQ(simulation.run<can_limits>(body), 0) << simulation.log();
}

TEST(CanSocket, is_no_family_of_a_machine_without_can) {
    Simulation simulation;
    const auto body = []() -> Task<void> {
        EXPECT_EQ(number_of(can::Socket::open("can0")), EAFNOSUPPORT);
        co_return;
    };
    EXPECT_EQ(simulation.run<can_limits>(body), 0);
}

// Of the world that the current run is in.
Task<void> talk() {
    std::optional<CanBus> bus;
    {
        const Unsealed for_the_bus;
        bus.emplace(testing::world(), CanBusOptions{.queue = 1});
        bus->add("can0");
        bus->add("can1");
    }
    auto here = co_await can::Socket::open("can0");
    auto there = co_await can::Socket::open("can1");
    const auto send = [&]() -> Task<void> {
        for (int i = 0; i < 3; ++i) co_await here.send(frame_with(1, i));
    };
    const auto receive = [&]() -> Task<void> {
        std::array<can::Received, 2> some;
        for (std::size_t seen = 0; seen < 3;) {
            const std::size_t count = co_await there.receive(some);
            for (std::size_t i = 0; i < count; ++i, ++seen) {
                EXPECT_EQ(some[i].frame.data[0], static_cast<std::byte>(seen));
            }
        }
    };
    co_await gather(send(), receive());
    co_await here.close();
}

TEST(CanSocket, leaves_nothing_behind_wherever_it_is_cancelled) {
    run_cancelled<can_limits>(talk);
}

TEST(CanSocket, leaves_nothing_behind_wherever_a_fault_hits) {
    run_faulted<can_limits>(talk);
}

}  // namespace
}  // namespace ringlet::support
