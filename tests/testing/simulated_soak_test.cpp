// Many seeds of a random program against the simulated world: whatever order, latency, shortness,
// cancellation and fault a seed draws, nothing is lost, delivered twice, leaked or allocated.
#include <ringlet/run/run_loop.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace ringlet::testing {
namespace {

constexpr std::uint64_t anywhere = ~std::uint64_t{0};
constexpr std::size_t bytes_total = 20'000;

// While it is closed, an allocation fails the test (tests/support/seal.cpp).
void seal(bool closed) {
    if (seal_handler != nullptr) seal_handler(closed);
}

unsigned char pattern(std::size_t at) {
    return static_cast<unsigned char>(at * 31 + at / 251);
}

// One side writes a pattern, the other reads it. Both are cancelled at random, and go on.
class Program {
public:
    explicit Program(std::uint64_t seed)
        : world_({.seed = seed,
                  .latency_max = std::chrono::microseconds(seed % 3 * 100),
                  .short_transfers = seed % 2 == 1,
                  .socket_bytes = 700}),
          random_(seed * 77) {}

    // The trace of the whole run.
    std::uint64_t run(bool over_tcp) {
        open(over_tcp);
        seal(true);
        while (received_ < bytes_total || writing_ != 0)
            turn();
        seal(false);
        start(0, [&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, source_); });
        start(0, [&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, sink_); });
        while (ring_.in_flight() != 0 || ring_.unsubmitted() != 0)
            collect();
        EXPECT_FALSE(ring_.overflowed());
        EXPECT_EQ(world_.open_descriptors(), 3u);
        return ring_.trace();
    }

private:
    void open(bool over_tcp) {
        if (!over_tcp) {
            const auto ends = *system_.pipe();
            sink_ = ends[0];
            source_ = ends[1];
            return;
        }
        const int listener = *system_.socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_TRUE(system_.listen(listener, 1));
        const SocketAddress name = *system_.local_address(listener);
        source_ = *system_.socket(AF_INET, SOCK_STREAM, 0);
        start(1,
              [&](io_uring_sqe* sqe) { io_uring_prep_accept(sqe, listener, nullptr, nullptr, 0); });
        start(2, [&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, source_, name.get(), name.size);
        });
        for (int left = 2; left > 0;) {
            ring_.enter(Ring::Wait::for_one, Nanoseconds::max());
            Completion completion{};
            for (; ring_.reap({&completion, 1}) == 1; --left) {
                ASSERT_GE(completion.result, 0);
                if (completion.user_data == 1) sink_ = completion.result;
            }
        }
        system_.close(listener);
    }

    template <class Prepare>
    void start(std::uint64_t id, Prepare prepare) {
        io_uring_sqe& sqe = ring_.next_sqe();
        prepare(&sqe);
        sqe.user_data = id;
    }

    void turn() {
        if (writing_ == 0 && sent_ < bytes_total) start_writing();
        if (reading_ == 0) start_reading();
        const auto chance = random_.between(0, 9);
        if (chance == 0) start_cancel(reading_);
        if (chance == 1) start_cancel(writing_);
        if (chance == 2) world_.fail_next(IORING_OP_READ, EINTR);
        collect();
    }

    void start_writing() {
        const std::size_t size =
            std::min<std::size_t>(random_.size_between(1, 900), bytes_total - sent_);
        for (std::size_t i = 0; i < size; ++i)
            out_[i] = pattern(sent_ + i);
        start(writing_ = ++last_id_, [&](io_uring_sqe* sqe) {
            io_uring_prep_write(sqe, source_, out_.data(), static_cast<unsigned>(size), anywhere);
        });
    }

    void start_reading() {
        const auto size = static_cast<unsigned>(random_.between(1, in_.size()));
        start(reading_ = ++last_id_, [&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, sink_, in_.data(), size, anywhere);
        });
    }

    void start_cancel(std::uint64_t target) {
        start(0, [&](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, target, 0); });
    }

    void collect() {
        ring_.enter(Ring::Wait::for_one, std::chrono::milliseconds(1));
        Completion completion{};
        while (ring_.reap({&completion, 1}) == 1) {
            if (completion.user_data == 0) continue;
            if (completion.user_data == writing_)
                wrote(completion.result);
            else if (completion.user_data == reading_)
                read(completion.result);
            else
                ADD_FAILURE() << "completed twice";
        }
    }

    void wrote(int result) {
        writing_ = 0;
        if (result > 0)
            sent_ += static_cast<std::size_t>(result);
        else
            EXPECT_EQ(result, -ECANCELED);
    }

    void read(int result) {
        reading_ = 0;
        for (int i = 0; i < result; ++i) {
            ASSERT_EQ(in_[static_cast<std::size_t>(i)], pattern(received_++));
        }
        if (result <= 0 && received_ < bytes_total) {
            EXPECT_TRUE(result == -ECANCELED || result == -EINTR) << result;
        }
    }

    World world_;
    SimulatedSystem system_{world_};
    SimulatedRing ring_{world_, {8, 16}};
    Random random_;
    int source_ = -1;
    int sink_ = -1;
    std::uint64_t last_id_ = 0;
    std::uint64_t writing_ = 0;  // the operation under way, or 0
    std::uint64_t reading_ = 0;
    std::size_t sent_ = 0;
    std::size_t received_ = 0;
    std::array<unsigned char, 900> out_{};
    std::array<unsigned char, 900> in_{};
};

TEST(SimulatedSoak, every_byte_arrives_once_and_in_order_under_every_seed) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE(seed);
        Program first(seed);
        Program again(seed);
        EXPECT_EQ(first.run(seed % 4 < 2), again.run(seed % 4 < 2));
    }
}

}  // namespace
}  // namespace ringlet::testing
