#include <ringlet/base/clock.hpp>

#include <gtest/gtest.h>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

constexpr Instant lowest = std::numeric_limits<Instant>::min();

TEST(Clock, later_adds) {
    EXPECT_EQ(later(5, 3ns), 8);
    EXPECT_EQ(later(5, -8ns), -3);
    EXPECT_EQ(later(0, 1s), 1'000'000'000);
}

TEST(Clock, later_holds_a_sum_within_the_range) {
    EXPECT_EQ(later(1, Nanoseconds::max()), never);
    EXPECT_EQ(later(never, 1ns), never);
    EXPECT_EQ(later(never - 1, 1ns), never);
    EXPECT_EQ(later(0, Nanoseconds::max()), never);
    EXPECT_EQ(later(-1, Nanoseconds::min()), lowest);
    EXPECT_EQ(later(lowest, -1ns), lowest);
    EXPECT_EQ(later(0, Nanoseconds::min()), lowest);
    EXPECT_EQ(later(never, Nanoseconds::min()), -1);
}

TEST(Clock, a_span_is_rounded_up_so_that_no_wait_is_shorter_than_asked) {
    using Picoseconds = std::chrono::duration<long long, std::pico>;
    EXPECT_EQ(to_nanoseconds(Picoseconds(1)), 1ns);
    EXPECT_EQ(to_nanoseconds(Picoseconds(1000)), 1ns);
    EXPECT_EQ(to_nanoseconds(Picoseconds(1001)), 2ns);
    EXPECT_EQ(to_nanoseconds(Picoseconds(0)), 0ns);
    EXPECT_EQ(to_nanoseconds(Picoseconds(-1)), 0ns);
    EXPECT_EQ(to_nanoseconds(Picoseconds(-1001)), -1ns);
    using Thirds = std::chrono::duration<int, std::ratio<1, 3>>;
    EXPECT_EQ(to_nanoseconds(Thirds(1)), 333'333'334ns);
    EXPECT_EQ(to_nanoseconds(Thirds(3)), 1s);
    EXPECT_EQ(to_nanoseconds(std::chrono::duration<double>(0.5)), 500ms);
    EXPECT_EQ(to_nanoseconds(std::chrono::duration<double, std::nano>(1.25)), 2ns);
}

TEST(Clock, whole_spans_are_exact) {
    EXPECT_EQ(to_nanoseconds(0s), 0ns);
    EXPECT_EQ(to_nanoseconds(3ms), 3'000'000ns);
    EXPECT_EQ(to_nanoseconds(-3ms), -3'000'000ns);
    EXPECT_EQ(to_nanoseconds(24h), std::chrono::nanoseconds(86'400'000'000'000));
    EXPECT_EQ(to_nanoseconds(Nanoseconds(17)), 17ns);
    // 285 years and a microsecond: more digits than a double has.
    EXPECT_EQ(to_nanoseconds(std::chrono::microseconds(9'000'000'000'000'001)).count(),
              9'000'000'000'000'001'000);
}

TEST(Clock, a_span_of_centuries_is_clamped) {
    EXPECT_EQ(to_nanoseconds(std::chrono::years(300)), Nanoseconds::max());
    EXPECT_EQ(to_nanoseconds(std::chrono::hours::max()), Nanoseconds::max());
    EXPECT_EQ(to_nanoseconds(std::chrono::hours::min()), Nanoseconds::min());
    EXPECT_EQ(to_nanoseconds(std::chrono::duration<double>(1e30)), Nanoseconds::max());
    EXPECT_EQ(to_nanoseconds(std::chrono::duration<double>(-1e30)), Nanoseconds::min());
    const std::chrono::duration<double> infinite(std::numeric_limits<double>::infinity());
    EXPECT_EQ(to_nanoseconds(infinite), Nanoseconds::max());
    EXPECT_EQ(to_nanoseconds(Nanoseconds::max()), Nanoseconds::max());
}

TEST(Clock, everything_is_a_constant_expression) {
    static_assert(to_nanoseconds(2ms) == 2'000'000ns);
    static_assert(later(never, 1h) == never);
}

}  // namespace
}  // namespace ringlet
