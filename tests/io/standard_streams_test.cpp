// Standard input and output; and streams that somebody made O_NONBLOCK.
#include <io/io_cases.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/io/stream.hpp>

#include <fcntl.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

Task<void> copy_to_output() {
    auto input = standard_input();
    auto output = standard_output();
    std::array<std::byte, 5> buffer;
    for (;;) {
        const auto count = co_await input.read(buffer);
        if (count == 0) break;
        co_await output.write_all(std::span(buffer).first(count));
    }
    EXPECT_EQ(scheduler().descriptors(), 0u);
}

struct RawPipe {
    RawPipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }
    ~RawPipe() {
        ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    int ends[2];
};

}  // namespace

TEST(StandardStreams, copy_input_to_output_to_the_end) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        ringlet::testing::Simulation simulation({.seed = seed, .short_transfers = seed != 0});
        simulation.world().feed("some words and more");
        simulation.world().end_input();
        EXPECT_EQ(simulation.run<case_limits>(copy_to_output), 0);
        EXPECT_EQ(simulation.world().written(1), "some words and more");
    }
}

TEST(StandardStreams, wait_for_data_on_a_descriptor_that_does_not_block_kernel) {
    RawPipe pipe;
    const auto body = [](RawPipe& raw) -> Task<void> {
        InputStream input(raw.ends[0]);
        OutputStream output(raw.ends[1]);
        std::array<std::byte, 8> buffer;
        auto later = [&]() -> Task<void> {
            co_await sleep(5ms);
            co_await output.write_all(bytes_of("late"));
        };
        const auto both = co_await gather(input.read(buffer), later());
        EXPECT_EQ(std::get<0>(both), 4u);
        const auto nothing = co_await attempt(timeout(5ms, input.read(buffer)));
        EXPECT_EQ(error_of(nothing), std::errc::timed_out);
    };
    RINGLET_RUN_ON_KERNEL(case_runtime, body, pipe);
}

TEST(StandardStreams, wait_for_room_on_a_descriptor_that_does_not_block_kernel) {
    RawPipe pipe;
    const auto body = [](RawPipe& raw) -> Task<void> {
        InputStream input(raw.ends[0]);
        OutputStream output(raw.ends[1]);
        static std::array<std::byte, 300'000> sent;
        static std::array<std::byte, 300'000> received;
        for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 3);
        co_await gather(output.write_all(sent), read_exactly(input, received));
        EXPECT_TRUE(sent == received);
    };
    RINGLET_RUN_ON_KERNEL(case_runtime, body, pipe);
}

TEST(StandardStreams, are_broken_without_a_reader_and_end_without_a_writer_kernel) {
    const auto body = []() -> Task<void> {
        RawPipe no_writer;
        ::close(no_writer.ends[1]);
        no_writer.ends[1] = -1;
        InputStream input(no_writer.ends[0]);
        std::array<std::byte, 8> buffer;
        const auto end = co_await input.read(buffer);
        EXPECT_EQ(end, 0u);
        RawPipe other;
        std::swap(other.ends[0], no_writer.ends[0]);
        ::close(no_writer.ends[0]);
        no_writer.ends[0] = -1;
        OutputStream output(other.ends[1]);
        const auto written = co_await attempt(output.write_all(bytes_of("x")));
        EXPECT_EQ(error_of(written), std::errc::broken_pipe);
    };
    RINGLET_RUN_ON_KERNEL(case_runtime, body);
}
