// Pipes and poll.
#include <io/io_cases.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/stream.hpp>

using namespace ringlet;
using namespace ringlet::support;

RINGLET_CASE_WHOLE(Pipes, carry_bytes_and_end_when_the_writer_closes) {
    auto pipe = co_await Pipe::open();
    co_await pipe.writer.write_all(bytes_of("hello"));
    std::array<std::byte, 16> buffer;
    const auto count = co_await pipe.reader.read(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(count)), "hello");
    co_await pipe.writer.close();
    const auto end = co_await pipe.reader.read(buffer);
    EXPECT_EQ(end, 0u);
    co_await pipe.reader.close();
    EXPECT_EQ(scheduler().descriptors(), 0u);
}

RINGLET_CASE(Pipes, without_a_reader_are_broken) {
    auto pipe = co_await Pipe::open();
    co_await pipe.reader.close();
    const auto written = co_await attempt(pipe.writer.write_all(bytes_of("x")));
    EXPECT_EQ(error_of(written), std::errc::broken_pipe);
}

RINGLET_CASE(Pipes, make_the_writer_wait_for_the_reader) {
    auto pipe = co_await Pipe::open();
    static std::array<std::byte, 200'000> sent;
    static std::array<std::byte, 200'000> received;
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 7);
    received.fill({});
    co_await gather(pipe.writer.write_all(sent), read_exactly(pipe.reader, received));
    EXPECT_TRUE(sent == received);
}

RINGLET_CASE(Pipes, that_end_too_early_say_so) {
    auto pipe = co_await Pipe::open();
    co_await pipe.writer.write_all(bytes_of("abc"));
    co_await pipe.writer.close();
    std::array<std::byte, 4> buffer;
    const auto read = co_await attempt(read_exactly(pipe.reader, buffer));
    EXPECT_EQ(error_of(read), unexpected_end);
}

RINGLET_CASE(Pipes, over_the_limit_are_refused_without_a_leak) {
    for (unsigned spare = 0; spare < 2; ++spare) {
        const FullDescriptors full(spare);
        const auto refused = Pipe::open();
        expect_descriptor_limit(error_of(refused));
    }
    EXPECT_EQ(scheduler().descriptors(), 0u);
    const FullDescriptors full(2);
    auto fits = Pipe::open();
    EXPECT_TRUE(fits);
    co_await yield();
}

RINGLET_CASE_WHOLE(Pipes, stay_usable_after_a_read_that_timed_out) {
    auto pipe = co_await Pipe::open();
    std::array<std::byte, 16> buffer;
    const auto late = co_await attempt(timeout(5ms, pipe.reader.read(buffer)));
    EXPECT_EQ(error_of(late), std::errc::timed_out);
    co_await pipe.writer.write_all(bytes_of("now"));
    const auto count = co_await pipe.reader.read(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(count)), "now");
}

RINGLET_CASE(Pipes, leak_nothing_when_a_call_is_cancelled_in_flight) {
    {
        auto pipe = co_await Pipe::open();
        std::array<std::byte, 16> buffer;
        auto read = [&]() -> Task<void> { co_await pipe.reader.read(buffer); };
        const bool read_value = co_await cancel_in_flight(read);
        EXPECT_FALSE(read_value);
        auto wait = [&]() -> Task<void> { co_await poll(pipe.reader.descriptor(), POLLIN); };
        const bool wait_value = co_await cancel_in_flight(wait);
        EXPECT_FALSE(wait_value);
        static std::array<std::byte, 200'000> much;
        auto write = [&]() -> Task<void> { co_await pipe.writer.write_all(much); };
        const bool write_value = co_await cancel_in_flight(write);
        EXPECT_FALSE(write_value);
        auto close = [&]() -> Task<void> { co_await pipe.writer.close(); };
        co_await cancel_in_flight(close);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Polls, tell_what_a_descriptor_is_ready_for) {
    auto pipe = co_await Pipe::open();
    const auto writable = co_await poll(pipe.writer.descriptor(), POLLOUT);
    EXPECT_TRUE((writable & POLLOUT) != 0);
    const auto early = co_await attempt(timeout(5ms, poll(pipe.reader.descriptor(), POLLIN)));
    EXPECT_FALSE(early);
    co_await pipe.writer.write_all(bytes_of("x"));
    const auto readable = co_await poll(pipe.reader.descriptor(), POLLIN);
    EXPECT_TRUE((readable & POLLIN) != 0);
    std::array<std::byte, 1> buffer;
    co_await pipe.reader.read(buffer);
    co_await pipe.writer.close();
    const auto hung_up = co_await poll(pipe.reader.descriptor(), POLLIN);
    EXPECT_TRUE((hung_up & POLLHUP) != 0);
    const auto bad = co_await attempt(poll(999, POLLIN));
    EXPECT_EQ(error_of(bad), std::errc::bad_file_descriptor);
}

TEST(Pipes, move_everything_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        run_simulated(Pipes_make_the_writer_wait_for_the_reader,
                      {.seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true});
    }
}

// All credits are taken, so the close waits in line; cancelled there, it happens in the background.
RINGLET_CASE(Pipes, are_closed_if_their_close_is_cancelled_in_line) {
    {
        auto pipe = co_await Pipe::open();
        auto other = co_await Pipe::open();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto wait = [&]() -> Task<void> { co_await poll(other.reader.descriptor(), POLLIN); };
            for (unsigned i = 0; i < case_limits.operations; ++i) (void)group.spawn(std::ref(wait));
            co_await yield();
            auto close = [&]() -> Task<void> { co_await pipe.writer.close(); };
            const bool closed = co_await cancel_in_flight(close);
            EXPECT_FALSE(closed);
            EXPECT_FALSE(pipe.writer.is_open());
            group.cancel_tasks();
        });
        std::array<std::byte, 1> buffer;
        const auto end = co_await pipe.reader.read(buffer);
        EXPECT_EQ(end, 0u);
    }
    co_await expect_descriptors(0);
}
