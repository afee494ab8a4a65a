// Receiving into a pool's buffers.
#include <io/io_cases.hpp>
#include <io/tcp_ends.hpp>

#include <ringlet/flow/gather.hpp>

using namespace ringlet;
using namespace ringlet::support;

namespace {

constinit BufferPool<4, 64> four;
constinit BufferPool<1, 64> single;

Task<void> wait_for_line(BufferRing& pool, unsigned length) {
    for (int tries = 0; tries < 500 && pool.waiting() != length; ++tries) co_await sleep(1ms);
    EXPECT_EQ(pool.waiting(), length);
}

}  // namespace

RINGLET_CASE_WHOLE(BufferPools, give_what_came_in_a_buffer_that_comes_home) {
    const auto open = co_await four.open();
    auto ends = co_await connect_both();
    for (int i = 0; i < 10; ++i) {
        co_await ends.client.send_all(bytes_of("hello"));
        auto buffer = co_await ends.server.receive(four);
        EXPECT_EQ(text_of(buffer.bytes()), "hello");
        EXPECT_EQ(four.in_use(), 1u);
        Buffer moved = std::move(buffer);
        EXPECT_TRUE(buffer.empty());
        EXPECT_EQ(moved.size(), 5u);
    }
    EXPECT_EQ(four.in_use(), 0u);
    co_await ends.client.close();
    const auto end = co_await ends.server.receive(four);
    EXPECT_TRUE(end.empty());
    EXPECT_EQ(four.in_use(), 0u);
    EXPECT_GE(four.in_use_max(), 1u);
}

RINGLET_CASE_WHOLE(BufferPools, cut_what_is_longer_than_a_buffer) {
    const auto open = co_await four.open();
    auto ends = co_await connect_both();
    static std::array<std::byte, 100> sent;
    co_await ends.client.send_all(sent);
    const auto first = co_await ends.server.receive(four);
    EXPECT_EQ(first.size(), 64u);
    const auto second = co_await ends.server.receive(four);
    EXPECT_EQ(second.size(), 36u);
}

RINGLET_CASE_WHOLE(BufferPools, that_are_dry_make_receivers_wait_in_line) {
    const auto open = co_await single.open();
    auto ends = co_await connect_both();
    auto others = co_await connect_both();
    co_await ends.client.send_all(bytes_of("one"));
    co_await others.client.send_all(bytes_of("two"));
    auto held = co_await ends.server.receive(single);
    EXPECT_EQ(single.in_use(), 1u);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto receive = [&]() -> Task<void> {
            const auto buffer = co_await others.server.receive(single);
            EXPECT_EQ(text_of(buffer.bytes()), "two");
        };
        auto task = group.spawn(std::ref(receive));
        co_await wait_for_line(single, 1);
        EXPECT_FALSE(task.done());
        { const Buffer home = std::move(held); }
        EXPECT_EQ(single.waiting(), 0u);
        co_await task.join();
    });
    EXPECT_EQ(single.in_use(), 0u);
}

// The first in line has nothing to receive: it must not stand in the second one's way.
RINGLET_CASE_WHOLE(BufferPools, serve_who_has_bytes_whoever_came_first) {
    const auto open = co_await single.open();
    auto quiet = co_await connect_both();
    auto busy = co_await connect_both();
    co_await busy.client.send_all(bytes_of("12"));
    auto held = co_await busy.server.receive(single);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto wait = [&]() -> Task<void> { (void)co_await quiet.server.receive(single); };
        auto task = group.spawn(std::ref(wait));
        co_await wait_for_line(single, 1);
        auto receive = [&]() -> Task<void> {
            const auto buffer = co_await busy.server.receive(single);
            EXPECT_EQ(text_of(buffer.bytes()), "3");
        };
        auto served = group.spawn(std::ref(receive));
        co_await wait_for_line(single, 2);
        co_await busy.client.send_all(bytes_of("3"));
        { const Buffer home = std::move(held); }
        co_await served.join();
        EXPECT_FALSE(task.done());
        task.cancel();
        (void)co_await attempt(task.join());
    });
    EXPECT_EQ(single.in_use() + single.waiting(), 0u);
}

RINGLET_CASE_WHOLE(BufferPools, can_be_waited_for_with_a_time_limit) {
    const auto open = co_await single.open();
    auto ends = co_await connect_both();
    const auto nothing = co_await attempt(timeout(5ms, ends.server.receive(single)));
    EXPECT_EQ(error_of(nothing), std::errc::timed_out);
    co_await ends.client.send_all(bytes_of("one"));
    {
        const auto held = co_await ends.server.receive(single);
        co_await ends.client.send_all(bytes_of("two"));
        const auto dry = co_await attempt(timeout(5ms, ends.server.receive(single)));
        EXPECT_EQ(error_of(dry), std::errc::timed_out);
        EXPECT_EQ(single.waiting(), 0u);
    }
    const auto again = co_await ends.server.receive(single);
    EXPECT_EQ(text_of(again.bytes()), "two");
}

RINGLET_CASE(BufferPools, serve_more_sockets_than_they_have_buffers) {
    const auto open = co_await single.open();
    constexpr unsigned rounds = 20;
    auto converse = [](unsigned& sum) -> Task<void> {
        auto ends = co_await connect_both();
        for (unsigned round = 0; round < rounds; ++round) {
            co_await ends.client.send_all(bytes_of("x"));
            const auto buffer = co_await ends.server.receive(single);
            co_await yield();
            sum += static_cast<unsigned>(buffer.size());
        }
    };
    unsigned sum = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 6; ++i) (void)group.spawn(std::ref(converse), std::ref(sum));
        co_return;
    });
    EXPECT_EQ(sum, 6 * rounds);
    EXPECT_EQ(single.in_use(), 0u);
    EXPECT_EQ(single.in_use_max(), 1u);
}

RINGLET_CASE(BufferPools, lose_no_buffer_when_a_receive_is_cancelled_in_flight) {
    const auto open = co_await single.open();
    auto ends = co_await connect_both();
    auto receive = [&]() -> Task<void> { (void)co_await ends.server.receive(single); };
    const bool quiet = co_await cancel_in_flight(receive);
    EXPECT_FALSE(quiet);
    EXPECT_EQ(single.in_use(), 0u);
    // Bytes are there when the cancellation comes: whichever wins, the buffer is home afterwards.
    co_await ends.client.send_all(bytes_of("x"));
    co_await cancel_in_flight(receive);
    EXPECT_EQ(single.in_use(), 0u);
    co_await ends.client.send_all(bytes_of("y"));
    const auto buffer = co_await ends.server.receive(single);
    EXPECT_FALSE(buffer.empty());
    const bool dry = co_await cancel_in_flight(receive);
    EXPECT_FALSE(dry);
    EXPECT_EQ(single.waiting(), 0u);
}

RINGLET_CASE(BufferPools, may_be_open_side_by_side_and_again) {
    for (int i = 0; i < 3; ++i) {
        const auto open = co_await four.open();
        const auto other = co_await single.open();
        EXPECT_TRUE(four.is_open() && single.is_open());
        co_await yield();
    }
    EXPECT_FALSE(four.is_open());
    co_await yield();
}

RINGLET_CASE(BufferPools, pass_on_the_errors_of_the_socket) {
    const auto open = co_await single.open();
    const auto failed = co_await attempt(PooledReceive(999, single));
    EXPECT_EQ(error_of(failed), std::errc::bad_file_descriptor);
    EXPECT_EQ(single.in_use(), 0u);
}

TEST(BufferPools, serve_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        run_simulated(BufferPools_serve_more_sockets_than_they_have_buffers,
                      {.seed = seed, .latency_max = Nanoseconds(2ms), .short_transfers = true});
    }
}
