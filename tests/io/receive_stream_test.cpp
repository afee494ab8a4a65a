// Receiving again and again with one operation.
#include <io/io_cases.hpp>
#include <io/tcp_ends.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/io/receive_stream.hpp>

using namespace ringlet;
using namespace ringlet::support;

namespace {

constinit BufferPool<32, 64> pool;
constinit BufferPool<1, 64> single;
constinit BufferPool<128, 16> large;

Task<void> wait_for_use(BufferRing& of, unsigned count) {
    for (int tries = 0; tries < 500 && of.in_use() != count; ++tries) co_await sleep(1ms);
    EXPECT_EQ(of.in_use(), count);
}

// Sends and waits until it has come, as one message.
Task<void> send_ahead(TcpSocket& from, const char* text, BufferRing& to, unsigned in_use) {
    co_await from.send_all(bytes_of(text));
    co_await wait_for_use(to, in_use);
}

Task<std::string> next_text(ReceiveStream& stream) {
    const auto buffer = co_await stream.next();
    co_return std::string(text_of(buffer.bytes()));
}

}  // namespace

RINGLET_CASE_WHOLE(ReceiveStreams, give_what_comes_then_the_end) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, pool);
    for (int i = 0; i < 5; ++i) {
        co_await ends.client.send_all(bytes_of("hello"));
        const auto text = co_await next_text(incoming);
        EXPECT_EQ(text, "hello");
        EXPECT_EQ(pool.in_use(), 0u);
    }
    co_await ends.client.close();
    const auto end = co_await incoming.next();
    EXPECT_TRUE(end.empty());
    const auto again = co_await incoming.next();
    EXPECT_TRUE(again.empty());
    EXPECT_EQ(pool.in_use(), 0u);
}

RINGLET_CASE_WHOLE(ReceiveStreams, keep_what_comes_while_nobody_waits) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    {
        ReceiveStream incoming(ends.server, pool);
        co_await ends.client.send_all(bytes_of("0"));
        const auto armed = co_await next_text(incoming);
        EXPECT_EQ(armed, "0");
        co_await send_ahead(ends.client, "1", pool, 1);
        co_await send_ahead(ends.client, "2", pool, 2);
        co_await send_ahead(ends.client, "3", pool, 3);
        const auto first = co_await next_text(incoming);
        const auto second = co_await next_text(incoming);
        EXPECT_EQ(first + second, "12");
        EXPECT_EQ(pool.in_use(), 1u);
    }
    EXPECT_EQ(pool.in_use(), 0u);  // what nobody took is home
}

RINGLET_CASE_WHOLE(ReceiveStreams, stop_at_the_bound_and_go_on_without_a_loss) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, pool);
    co_await ends.client.send_all(bytes_of("."));
    (void)co_await incoming.next();
    constexpr unsigned count = 3 * receive_ahead_max;
    for (unsigned i = 0; i < count; ++i) {
        const auto number = static_cast<std::byte>(i);
        co_await ends.client.send_all(std::span(&number, 1));
        if (i < receive_ahead_max) co_await wait_for_use(pool, i + 1);
    }
    co_await ends.client.shutdown_send();
    co_await sleep(5ms);
    EXPECT_LT(pool.in_use(), count);
    unsigned expected = 0;
    for (;;) {
        const auto buffer = co_await incoming.next();
        if (buffer.empty()) break;
        for (const std::byte number : buffer.bytes()) {
            EXPECT_EQ(static_cast<unsigned>(number), expected);
            ++expected;
        }
    }
    EXPECT_EQ(expected, count);
}

RINGLET_CASE_WHOLE(ReceiveStreams, lose_nothing_to_a_time_limit) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, pool);
    for (int i = 0; i < 3; ++i) {
        const auto nothing = co_await attempt(timeout(2ms, incoming.next()));
        EXPECT_EQ(error_of(nothing), std::errc::timed_out);
    }
    co_await send_ahead(ends.client, "late", pool, 1);
    const auto text = co_await next_text(incoming);
    EXPECT_EQ(text, "late");
}

// The task is cancelled in the turn in which it was woken: what woke it is for the next.
RINGLET_CASE(ReceiveStreams, lose_nothing_to_a_cancellation_that_comes_with_the_bytes) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, pool);
    unsigned got = 0;
    auto receive = [&]() -> Task<void> {
        const auto buffer = co_await incoming.next();
        got += static_cast<unsigned>(buffer.size());
    };
    for (unsigned i = 0; i < 3; ++i) {
        co_await ends.client.send_all(bytes_of("x"));
        co_await cancel_in_flight(receive);
    }
    while (got < 3) {
        const auto buffer = co_await incoming.next();
        got += static_cast<unsigned>(buffer.size());
    }
    EXPECT_EQ(got, 3u);
    EXPECT_EQ(pool.in_use(), 0u);
}

RINGLET_CASE_WHOLE(ReceiveStreams, wait_in_line_for_a_dry_pool) {
    const auto open = co_await single.open();
    auto ends = co_await connect_both();
    auto others = co_await connect_both();
    ReceiveStream incoming(ends.server, single);
    ReceiveStream other(others.server, single);
    co_await ends.client.send_all(bytes_of("one"));
    co_await others.client.send_all(bytes_of("two"));
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto held = co_await incoming.next();
        EXPECT_EQ(text_of(held.bytes()), "one");
        auto receive = [&]() -> Task<void> {
            const auto text = co_await next_text(other);
            EXPECT_EQ(text, "two");
        };
        auto task = group.spawn(std::ref(receive));
        for (int tries = 0; tries < 500 && single.waiting() != 1; ++tries) co_await sleep(1ms);
        EXPECT_EQ(single.waiting(), 1u);
        { const Buffer home = std::move(held); }
        co_await task.join();
    });
    EXPECT_EQ(single.in_use(), 0u);
}

RINGLET_CASE(ReceiveStreams, may_die_under_way_and_the_pool_with_them) {
    auto ends = co_await connect_both();
    for (int i = 0; i < 3; ++i) {
        const auto open = co_await pool.open();
        ReceiveStream incoming(ends.server, pool);
        const auto nothing = co_await attempt(timeout(1ms, incoming.next()));
        EXPECT_EQ(error_of(nothing), std::errc::timed_out);
    }
    EXPECT_FALSE(pool.is_open());
    co_await ends.client.send_all(bytes_of("x"));
    const auto open = co_await pool.open();
    ReceiveStream incoming(ends.server, pool);
    co_await ends.client.send_all(bytes_of("y"));
    (void)co_await incoming.next();
}

RINGLET_CASE(ReceiveStreams, give_the_bytes_before_the_error) {
    const auto open = co_await pool.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, pool);
    co_await ends.client.send_all(bytes_of("last words"));
    co_await ends.server.send_all(bytes_of("unread"));
    const auto words = co_await next_text(incoming);
    EXPECT_EQ(words, "last words");
    co_await ends.client.close();  // with bytes that nobody has read: a reset
    const auto reset = co_await attempt(incoming.next());
    EXPECT_EQ(error_of(reset), std::errc::connection_reset);
}

RINGLET_CASE(ReceiveStreams, are_refused_where_completions_have_no_room) {
    const auto open = co_await large.open();
    auto ends = co_await connect_both();
    ReceiveStream incoming(ends.server, large);
    const auto refused = co_await attempt(incoming.next());
    EXPECT_EQ(error_of(refused), std::errc::no_buffer_space);
    EXPECT_TRUE(error_of(refused) == RuntimeDetail::multishot_buffers);
    // A plain receive does without.
    co_await ends.client.send_all(bytes_of("x"));
    const auto one = co_await ends.server.receive(large);
    EXPECT_EQ(one.size(), 1u);
}

namespace {

constexpr unsigned messages = 60;

Task<void> send_numbers(TcpSocket& socket) {
    for (unsigned i = 0; i < messages; ++i) {
        const auto number = static_cast<std::byte>(i);
        co_await socket.send_all(std::span(&number, 1));
        if (i % 7 == 0) co_await sleep(1ms);
    }
    co_await socket.shutdown_send();
}

Task<void> take_numbers(TcpSocket& socket) {
    ReceiveStream incoming(socket, pool);
    unsigned expected = 0;
    for (unsigned round = 0;; ++round) {
        if (round % 5 == 0) co_await sleep(3ms);
        const auto buffer = co_await attempt(timeout(1ms, incoming.next()));
        if (!buffer) continue;
        if (buffer->empty()) break;
        for (const std::byte number : buffer->bytes()) {
            EXPECT_EQ(static_cast<unsigned>(number), expected);
            ++expected;
        }
    }
    EXPECT_EQ(expected, messages);
}

Task<void> converse() {
    auto ends = co_await connect_both();
    co_await gather(send_numbers(ends.client), take_numbers(ends.server));
}

}  // namespace

RINGLET_CASE_UNCUT(ReceiveStreams, give_every_byte_once_and_in_order) {
    const auto open = co_await pool.open();
    co_await gather(converse(), converse(), converse());
    EXPECT_EQ(pool.in_use(), 0u);
}

TEST(ReceiveStreams, give_every_byte_once_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        run_simulated(ReceiveStreams_give_every_byte_once_and_in_order,
                      {.seed = seed, .latency_max = Nanoseconds(2ms), .short_transfers = true});
    }
}
