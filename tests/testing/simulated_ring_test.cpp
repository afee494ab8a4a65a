// SimulatedRing: what it adds to a ring's rules. Virtual time, latency, seeds, faults, deadlocks.
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <poll.h>
#include <string>
#include <vector>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t anywhere = ~std::uint64_t{0};

class SimulatedRingTest : public ::testing::Test {
protected:
    void build(const SimulationOptions& options = {}, RingSize size = {16, 32}) {
        ring.reset();
        system.reset();
        world = std::make_unique<World>(options);
        system = std::make_unique<SimulatedSystem>(*world);
        ring = std::make_unique<SimulatedRing>(*world, size);
    }
    void SetUp() override { build(); }

    template <class Prepare>
    void start(std::uint64_t id, Prepare prepare) {
        io_uring_sqe& sqe = ring->next_sqe();
        prepare(&sqe);
        sqe.user_data = id;
    }
    void start_nop(std::uint64_t id) {
        start(id, [](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); });
    }
    void start_read(std::uint64_t id, int descriptor, std::span<char> into) {
        start(id, [&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, descriptor, into.data(), static_cast<unsigned>(into.size()),
                               anywhere);
        });
    }
    void start_write(std::uint64_t id, int descriptor, std::string_view text) {
        start(id, [&](io_uring_sqe* sqe) {
            io_uring_prep_write(sqe, descriptor, text.data(), static_cast<unsigned>(text.size()),
                                anywhere);
        });
    }
    void start_cancel(std::uint64_t id, std::uint64_t target) {
        start(id, [&](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, target, 0); });
    }
    std::vector<Completion> reap() {
        std::vector<Completion> all(64);
        all.resize(ring->reap(all));
        return all;
    }
    std::vector<Completion> enter(Nanoseconds timeout = Nanoseconds::max()) {
        ring->enter(Ring::Wait::for_one, timeout);
        return reap();
    }
    std::string order() {
        std::string ids;
        for (const Completion& completion : reap())
            ids += std::to_string(completion.user_data);
        return ids;
    }

    std::unique_ptr<World> world;
    std::unique_ptr<SimulatedSystem> system;
    std::unique_ptr<SimulatedRing> ring;
    std::array<char, 64> out{};
    std::array<char, 64> more{};
};
using SimulatedRingDeathTest = SimulatedRingTest;

// ---- time ----

TEST_F(SimulatedRingTest, waiting_jumps_to_the_timeout_and_takes_no_time) {
    const Instant before = world->now();
    EXPECT_TRUE(enter(std::chrono::hours(24 * 365)).empty());
    EXPECT_EQ(world->now() - before, Nanoseconds(std::chrono::hours(24 * 365)).count());
}

TEST_F(SimulatedRingTest, time_stands_still_while_something_completes) {
    const Instant before = world->now();
    start_nop(1);
    EXPECT_EQ(enter(1h).size(), 1u);
    ring->enter(Ring::Wait::no, 1h);
    EXPECT_TRUE(enter(Nanoseconds(-5)).empty());
    EXPECT_EQ(world->now(), before);
}

TEST_F(SimulatedRingTest, a_completion_that_was_not_reaped_ends_the_wait) {
    const Instant before = world->now();
    start_nop(1);
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    ring->enter(Ring::Wait::for_one, 1h);
    EXPECT_EQ(world->now(), before);
    EXPECT_EQ(reap().size(), 1u);
}

TEST_F(SimulatedRingTest, the_three_clocks_part_when_the_board_sleeps_or_the_wall_clock_jumps) {
    const auto monotonic = system->now(Clock::monotonic);
    const auto boottime = system->now(Clock::boottime);
    const auto realtime = system->now(Clock::realtime);
    world->advance(1s);
    world->suspend(10s);
    world->jump_realtime(-100s);
    EXPECT_EQ(Nanoseconds(system->now(Clock::monotonic) - monotonic), 1s);
    EXPECT_EQ(Nanoseconds(system->now(Clock::boottime) - boottime), 11s);
    EXPECT_EQ(Nanoseconds(system->now(Clock::realtime) - realtime), -89s);
}

TEST_F(SimulatedRingTest, a_planned_event_ends_the_wait_at_its_time) {
    struct Plan {
        World& world;
        Instant when = 0;
    } plan{*world};
    const Instant before = world->now();
    world->call_at(
        before + 300,
        [](void* context) {
            auto& it = *static_cast<Plan*>(context);
            it.when = it.world.now();
            it.world.feed("hello");
        },
        &plan);
    world->call_at(before + 100, [](void*) {}, nullptr);
    start_read(1, 0, out);
    const auto completions = enter();
    ASSERT_EQ(completions.size(), 1u);
    EXPECT_EQ(completions[0].result, 5);
    EXPECT_EQ(plan.when, before + 300);
    EXPECT_EQ(world->now(), before + 300);
}

TEST_F(SimulatedRingTest, what_can_never_happen_is_reported_as_a_deadlock) {
    int reports = 0;
    world->on_deadlock([](void* context) { ++*static_cast<int*>(context); }, &reports);
    start_read(1, 0, out);
    EXPECT_TRUE(enter().empty());
    EXPECT_EQ(reports, 1);
    EXPECT_TRUE(enter(1s).empty());  // with a time limit, that happens
    EXPECT_EQ(reports, 1);
    world->feed("x");
    EXPECT_EQ(enter().size(), 1u);
}

TEST_F(SimulatedRingDeathTest, an_unattended_deadlock_panics_in_words) {
    EXPECT_DEATH(enter(), "deadlock: the ring waits without a time limit");
}

// ---- latency ----

TEST_F(SimulatedRingTest, latency_delays_the_completion_and_not_the_effect) {
    world->set_latency(IORING_OP_WRITE, 5ms, 5ms);
    const Instant before = world->now();
    start_write(1, 1, "hello");
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    EXPECT_EQ(world->written(1), "hello");
    EXPECT_TRUE(reap().empty());
    EXPECT_EQ(ring->in_flight(), 1u);
    EXPECT_TRUE(enter(4ms).empty());
    EXPECT_EQ(enter().at(0).result, 5);
    EXPECT_EQ(Nanoseconds(world->now() - before), 5ms);
}

TEST_F(SimulatedRingTest, a_late_completion_cannot_be_cancelled_any_more) {
    world->set_latency(IORING_OP_WRITE, 5ms, 5ms);
    start_write(1, 1, "hello");
    start_cancel(2, 1);
    EXPECT_EQ(enter().at(0).result, -EALREADY);
    EXPECT_EQ(enter().at(0).result, 5);
    start_cancel(3, 1);
    EXPECT_EQ(enter().at(0).result, -ENOENT);
}

TEST_F(SimulatedRingTest, a_connect_happens_when_its_latency_has_passed) {
    world->set_latency(IORING_OP_CONNECT, 50ms, 50ms);
    const int listener = *system->socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(system->listen(listener, 1));
    const SocketAddress name = *system->local_address(listener);
    const int client = *system->socket(AF_INET, SOCK_STREAM, 0);
    const auto start_connect = [&](std::uint64_t id) {
        SocketAddress copy = name;  // only submission needs it
        start(id, [&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, client, copy.get(), copy.size);
        });
        ring->enter(Ring::Wait::no, Nanoseconds(0));
        copy = {};
    };
    start_connect(1);
    EXPECT_TRUE(enter(10ms).empty());
    start_cancel(2, 1);
    const auto cancelled = enter();
    ASSERT_EQ(cancelled.size(), 2u);
    EXPECT_EQ(cancelled[0].result, -ECANCELED);
    EXPECT_EQ(cancelled[1].result, 0);
    const Instant before = world->now();
    start_connect(3);
    EXPECT_EQ(enter().at(0).result, 0);
    EXPECT_EQ(Nanoseconds(world->now() - before), 50ms);
}

TEST_F(SimulatedRingTest, a_late_operation_keeps_what_it_works_on) {
    const auto ends = *system->pipe();
    world->set_latency(IORING_OP_WRITE, 5ms, 5ms);
    start_write(1, ends[1], "x");
    start(2, [&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, ends[1]); });
    start_read(3, ends[0], out);
    EXPECT_EQ(enter().size(), 2u);  // close and read
    start_read(4, ends[0], out);
    EXPECT_TRUE(enter(4ms).empty());
    EXPECT_EQ(enter().size(), 2u);  // the write, and with it the end of the pipe
}

// ---- order ----

TEST_F(SimulatedRingTest, without_a_seed_completions_come_in_the_order_of_submission) {
    const auto ends = *system->pipe();
    start_read(1, ends[0], out);
    start_nop(2);
    start_write(3, ends[1], "x");
    start_nop(4);
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    EXPECT_EQ(order(), "1234");
}

TEST_F(SimulatedRingTest, a_seed_draws_the_order_and_draws_it_again) {
    const auto run = [&](std::uint64_t seed) {
        build({.seed = seed});
        for (std::uint64_t id = 1; id <= 8; ++id)
            start_nop(id);
        ring->enter(Ring::Wait::no, Nanoseconds(0));
        return order();
    };
    const std::string first = run(1);
    EXPECT_NE(first, "12345678");
    EXPECT_EQ(run(1), first);
    EXPECT_NE(run(2), first);
}

TEST_F(SimulatedRingTest, reads_are_served_first_come_first_served_under_every_seed) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        build({.seed = seed});
        const auto ends = *system->pipe();
        start_read(1, ends[0], std::span(out).first(1));
        start_read(2, ends[0], std::span(more).first(1));
        start_write(3, ends[1], "ab");
        ring->enter(Ring::Wait::no, Nanoseconds(0));
        EXPECT_EQ(reap().size(), 3u);
        EXPECT_EQ(out[0], 'a');
        EXPECT_EQ(more[0], 'b');
    }
}

TEST_F(SimulatedRingTest, the_same_seed_has_the_same_trace) {
    const auto run = [&](std::uint64_t seed, std::uint64_t id) {
        build({.seed = seed, .latency_max = 1ms, .short_transfers = true});
        const auto ends = *system->pipe();
        const std::string text(5000, 'x');
        for (int round = 0; round < 20; ++round) {
            start_write(id++, ends[1], text);
            start_read(id++, ends[0], out);
            enter(10ms);
        }
        return ring->trace();
    };
    EXPECT_EQ(run(5, 100), run(5, 7000));  // user_data is no part of it
    EXPECT_NE(run(5, 100), run(6, 100));
}

TEST_F(SimulatedRingTest, short_transfers_move_a_part_and_never_nothing) {
    build({.seed = 3, .short_transfers = true});
    const auto ends = *system->pipe();
    bool was_short = false;
    for (int round = 0; round < 50; ++round) {
        start_write(1, ends[1], "0123456789");  // at most PIPE_BUF: never split
        ASSERT_EQ(enter().at(0).result, 10);
        int total = 0;
        while (total < 10) {
            start_read(2, ends[0], std::span(out).first(static_cast<std::size_t>(10 - total)));
            const int count = enter().at(0).result;
            ASSERT_GT(count, 0);
            was_short |= count < 10 - total;
            total += count;
        }
    }
    EXPECT_TRUE(was_short);
}

// What a receive that waits is given of two sends, each of four bytes.
TEST_F(SimulatedRingTest, streams_are_split_and_run_together_under_a_seed) {
    std::array<unsigned, 9> received{};
    std::array<unsigned, 5> sent{};
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        build({.seed = seed, .short_transfers = true});
        const int listener = *system->socket(AF_UNIX, SOCK_STREAM, 0);
        SocketAddress name;
        name.storage.ss_family = AF_UNIX;
        name.size = sizeof(sa_family_t) + 2;
        reinterpret_cast<sockaddr_un&>(name.storage).sun_path[1] = 's';
        ASSERT_TRUE(system->bind(listener, name));
        ASSERT_TRUE(system->listen(listener, 1));
        const int client = *system->socket(AF_UNIX, SOCK_STREAM, 0);
        start(1, [&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, client, name.get(), name.size);
        });
        start(2, [&](io_uring_sqe* sqe) {
            io_uring_prep_accept(sqe, listener, nullptr, nullptr, 0);
        });
        int server = -1;
        for (const Completion& each : enter())
            server = each.user_data == 2 ? each.result : server;
        start(3, [&](io_uring_sqe* sqe) { io_uring_prep_recv(sqe, server, out.data(), 8, 0); });
        start(4, [&](io_uring_sqe* sqe) { io_uring_prep_send(sqe, client, "abcd", 4, 0); });
        start(5, [&](io_uring_sqe* sqe) {
            io_uring_prep_send(sqe, client, "efgh", 4, MSG_WAITALL);
        });
        for (const Completion& each : enter()) {
            const auto count = static_cast<std::size_t>(each.result);
            if (each.user_data == 3) ++received.at(count);
            if (each.user_data == 4) ++sent.at(count);
            EXPECT_TRUE(each.user_data != 5 || each.result == 4);
        }
    }
    for (std::size_t count = 1; count <= 8; ++count)
        EXPECT_GT(received[count], 0u) << count;  // above 4: parts of both sends
    for (std::size_t count = 1; count <= 4; ++count)
        EXPECT_GT(sent[count], 0u) << count;
}

// ---- faults ----

TEST_F(SimulatedRingTest, an_ordered_fault_ends_an_operation_that_is_not_executed) {
    world->fail_next(IORING_OP_WRITE, EIO);
    start_write(1, 1, "lost");
    start_write(2, 1, "kept");
    const auto completions = enter();
    EXPECT_EQ(completions.at(0).result, -EIO);
    EXPECT_EQ(completions.at(1).result, 4);
    EXPECT_EQ(world->written(1), "kept");
}

TEST_F(SimulatedRingTest, faults_count_their_own_opcode_and_queue_up) {
    world->fail_nth(IORING_OP_NOP, 3, EIO);
    world->fail_next(IORING_OP_NOP, EINTR);
    world->fail_next(IORING_OP_NOP, ENOMEM);
    std::vector<int> results;
    for (std::uint64_t id = 0; id < 4; ++id) {
        start_write(100, 1, "x");
        EXPECT_EQ(enter().at(0).result, 1);
        start_nop(id);
        results.push_back(enter().at(0).result);
    }
    EXPECT_EQ(results, (std::vector<int>{-EINTR, -ENOMEM, -EIO, 0}));
}

// ---- bounds ----

TEST_F(SimulatedRingTest, more_completions_than_room_overflow_and_are_not_lost) {
    build({}, {4, 2});
    for (std::uint64_t id = 1; id <= 3; ++id)
        start_nop(id);
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    EXPECT_TRUE(ring->overflowed());
    EXPECT_EQ(order(), "12");
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    EXPECT_EQ(order(), "3");
    EXPECT_TRUE(ring->overflowed());
    EXPECT_EQ(ring->in_flight(), 0u);
}

TEST_F(SimulatedRingTest, exactly_as_many_completions_as_room_do_not_overflow) {
    build({}, {4, 3});
    for (std::uint64_t id = 1; id <= 3; ++id)
        start_nop(id);
    ring->enter(Ring::Wait::no, Nanoseconds(0));
    EXPECT_FALSE(ring->overflowed());
}

TEST_F(SimulatedRingDeathTest, operations_without_end_panic_in_words) {
    build({}, {4, 2});
    EXPECT_DEATH(for (std::uint64_t id = 0; id < 20; ++id) start_read(id, 0, out),
                 "more operations in flight than a SimulatedRing of this RingSize");
}

TEST_F(SimulatedRingTest, what_it_does_not_execute_is_invalid) {
    const auto ends = *system->pipe();
    start(1, [&](io_uring_sqe* sqe) { io_uring_prep_poll_multishot(sqe, ends[0], POLLIN); });
    start(2, [&](io_uring_sqe* sqe) { io_uring_prep_timeout(sqe, nullptr, 0, 0); });
    start(3, [&](io_uring_sqe* sqe) {
        io_uring_prep_nop(sqe);
        sqe->flags = IOSQE_IO_LINK;
    });
    for (const Completion& completion : enter())
        EXPECT_EQ(completion.result, -EINVAL);
}

}  // namespace
}  // namespace ringlet::testing
