#include "support/cases.hpp"

#include <ringlet/ringlet.hpp>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

RINGLET_CASE(Deadline, counts_down_and_passes) {
    const Deadline deadline = Deadline::after(2ms);
    EXPECT_LE(deadline.left(), 2ms);
    co_await sleep(500us);
    EXPECT_LE(deadline.left(), 1500us);
    co_await sleep_until(deadline);
    EXPECT_TRUE(deadline.has_passed());
    EXPECT_EQ(deadline.left(), 0ns);
}

TEST(VirtualDeadline, tells_exactly_what_is_left) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Deadline deadline = Deadline::after(10s);
        EXPECT_EQ(deadline.left(), 10s);
        EXPECT_FALSE(deadline.has_passed());
        co_await sleep(9s);
        EXPECT_EQ(deadline.left(), 1s);
        co_await sleep(999'999'999ns);
        EXPECT_EQ(deadline.left(), 1ns);
        EXPECT_FALSE(deadline.has_passed());
        co_await sleep(1ns);
        EXPECT_EQ(deadline.left(), 0ns);
        EXPECT_TRUE(deadline.has_passed());
        co_await sleep(1h);
        EXPECT_EQ(deadline.left(), 0ns);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualDeadline, of_no_or_less_time_has_passed) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        EXPECT_TRUE(Deadline::after(0s).has_passed());
        EXPECT_TRUE(Deadline::after(-1h).has_passed());
        EXPECT_TRUE(Deadline::after(Nanoseconds::min()).has_passed());
        EXPECT_EQ(Deadline::after(std::chrono::hours::min()).left(), 0ns);
        co_return;
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualDeadline, of_centuries_never_passes) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        const Deadline huge = Deadline::after(std::chrono::years(1000));
        EXPECT_EQ(huge.at(), never);
        co_await sleep(24h * 36'500);
        EXPECT_FALSE(huge.has_passed());
        EXPECT_FALSE(Deadline::none().has_passed());
        EXPECT_GT(Deadline::none().left(), std::chrono::years(100));
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualDeadline, on_boottime_counts_the_time_of_a_suspension) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Deadline running = Deadline::after(1h);
        const Deadline always = Deadline::after(1h, Clock::boottime);
        EXPECT_EQ(always.clock(), Clock::boottime);
        simulation.world().suspend(59min);
        EXPECT_EQ(running.left(), 1h);
        EXPECT_EQ(always.left(), 1min);
        simulation.world().suspend(2min);
        EXPECT_TRUE(always.has_passed());
        EXPECT_FALSE(running.has_passed());
        co_return;
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualDeadline, on_boottime_limits_work_across_a_suspension) {
    Simulation simulation;
    const int status = simulation.run([&]() -> Task<void> {
        const Instant start = scheduler().now();
        simulation.world().call_at(
            start + Instant{1'000'000'000},
            [](void* world) { static_cast<testing::World*>(world)->suspend(1h); },
            &simulation.world());
        const auto work = []() -> Task<void> { co_await sleep(24h); };
        const auto late = co_await attempt(until(Deadline::after(1min, Clock::boottime), work()));
        EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
        EXPECT_EQ(scheduler().now() - start, Nanoseconds(1s).count());
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ringlet
