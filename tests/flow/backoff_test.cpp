#include <ringlet/flow/backoff.hpp>

#include <ringlet/flow/transient.hpp>
#include <ringlet/testing/simulation.hpp>

#include <gtest/gtest.h>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

TEST(Doubled, doubles_up_to_the_most) {
    EXPECT_EQ(doubled(100ms, 0, 1s), 100ms);
    EXPECT_EQ(doubled(100ms, 1, 1s), 200ms);
    EXPECT_EQ(doubled(100ms, 3, 1s), 800ms);
    EXPECT_EQ(doubled(100ms, 4, 1s), 1s);
    EXPECT_EQ(doubled(250ms, 2, 1s), 1s);
    EXPECT_EQ(doubled(2s, 0, 1s), 1s);
}

TEST(Doubled, never_overflows) {
    constexpr Nanoseconds most = Nanoseconds::max();
    for (const unsigned times : {62u, 63u, 64u, 65u, 1000u, ~0u}) {
        EXPECT_EQ(doubled(1ns, times, 1h), Nanoseconds(1h)) << times;
        EXPECT_EQ(doubled(3ns, times, most), most) << times;
        EXPECT_EQ(doubled(most, times, most), most) << times;
        EXPECT_EQ(doubled(0ns, times, most), 0ns) << times;
        EXPECT_EQ(doubled(1h, times, 0ns), 0ns) << times;
    }
    EXPECT_EQ(doubled(1ns, 62, most), Nanoseconds(Instant{1} << 62));
    EXPECT_EQ(doubled(1ns, 63, most), most);
}

TEST(DoubledDeathTest, refuses_negative_spans) {
    EXPECT_DEATH((void)doubled(-1ns, 0, 1s), "first.count");
    EXPECT_DEATH((void)doubled(1ns, 0, -1s), "most.count");
}

// Runs `body` as a task, with the world's seed.
template <class Body>
void in_simulation(std::uint64_t seed, Body body) {
    testing::Simulation simulation({.seed = seed});
    const int status = simulation.run([&]() -> Task<void> {
        body();
        co_return;
    });
    EXPECT_EQ(status, 0);
}

TEST(Draws, fall_evenly_between_zero_and_the_most) {
    in_simulation(1, [] {
        constexpr int draws = 16'000;
        std::array<int, 16> sixteenths{};
        for (int i = 0; i < draws; ++i) {
            const Nanoseconds drawn = drawn_up_to(16ms - 1ns);
            EXPECT_GE(drawn, 0ns);
            EXPECT_LT(drawn, 16ms);
            ++sixteenths[static_cast<std::size_t>(drawn / 1ms)];
        }
        // 1000 expected in each; the standard deviation is 31.
        for (const int count : sixteenths)
            EXPECT_NEAR(count, 1000, 150);
    });
}

TEST(Draws, reach_both_ends) {
    in_simulation(2, [] {
        std::array<int, 4> seen{};
        for (int i = 0; i < 400; ++i) {
            ++seen[static_cast<std::size_t>(drawn_up_to(3ns).count())];
            EXPECT_EQ(drawn_up_to(0ns), 0ns);
            EXPECT_GE(drawn_up_to(Nanoseconds::max()), 0ns);
        }
        for (const int count : seen)
            EXPECT_GT(count, 50);
    });
}

TEST(Transient, is_what_may_be_over_soon) {
    for (const auto code :
         {std::errc::connection_refused, std::errc::connection_reset, std::errc::connection_aborted,
          std::errc::broken_pipe, std::errc::timed_out, std::errc::network_unreachable,
          std::errc::network_down, std::errc::host_unreachable,
          std::errc::resource_unavailable_try_again, std::errc::operation_would_block,
          std::errc::interrupted, std::errc::device_or_resource_busy}) {
        EXPECT_TRUE(is_transient(Error::kernel(static_cast<int>(code)))) << static_cast<int>(code);
        EXPECT_TRUE(is_transient(Error(code)));
        EXPECT_TRUE(is_transient(Error(code, driver_domain(7), 3)));
    }
}

TEST(Transient, is_not_what_trying_again_does_not_mend) {
    for (const auto code :
         {std::errc::invalid_argument, std::errc::permission_denied, std::errc::bad_message,
          std::errc::operation_not_permitted, std::errc::no_such_file_or_directory,
          std::errc::protocol_error, std::errc::message_size, std::errc::not_enough_memory,
          std::errc::no_space_on_device, std::errc::too_many_files_open, std::errc::io_error,
          std::errc::operation_canceled, std::errc::address_in_use}) {
        EXPECT_FALSE(is_transient(Error(code))) << static_cast<int>(code);
        EXPECT_FALSE(is_transient(Error(code, Domain::runtime))) << static_cast<int>(code);
    }
    EXPECT_FALSE(is_transient(Error()));
}

TEST(Transient, is_a_stream_that_broke_off) {
    constexpr auto code = std::errc::no_message_available;
    EXPECT_TRUE(is_transient(Error(code, RuntimeDetail::closed)));
    EXPECT_TRUE(is_transient(Error(code, driver_domain(7), 3)));
    // Of the kernel, ENODATA is said of an attribute that is not there, and the like.
    EXPECT_FALSE(is_transient(Error::kernel(ENODATA)));
    EXPECT_FALSE(is_transient(Error(code)));
}

TEST(Transient, of_the_runtime_are_only_time_limits_and_streams_that_broke_off) {
    EXPECT_TRUE(is_transient(Error(std::errc::timed_out, Domain::runtime)));
    EXPECT_FALSE(is_transient(Error(std::errc::broken_pipe, RuntimeDetail::closed)));
    EXPECT_FALSE(is_transient(Error(std::errc::not_enough_memory, RuntimeDetail::frames)));
    EXPECT_FALSE(is_transient(
        Error(std::errc::resource_unavailable_try_again, RuntimeDetail::circuit_open)));
}

}  // namespace
}  // namespace ringlet
