// Signals as something to await.
#include <io/io_cases.hpp>

#include <ringlet/io/signals.hpp>

using namespace ringlet;
using namespace ringlet::support;

namespace {

// Raised by the test, from inside on the kernel, by the world's agenda in the simulation.
Task<void> take_two(void (*raise)(int)) {
    auto signals = co_await Signals::open(SIGHUP, SIGUSR2);
    EXPECT_EQ(scheduler().descriptors(), 1u);
    if (raise != nullptr) raise(SIGHUP);
    const int first = co_await signals.next();
    EXPECT_EQ(first, SIGHUP);
    if (raise != nullptr) raise(SIGUSR2);
    const int second = co_await signals.next();
    EXPECT_EQ(second, SIGUSR2);
    const auto none = co_await attempt(timeout(5ms, signals.next()));
    EXPECT_EQ(error_of(none), std::errc::timed_out);
}

}  // namespace

TEST(SignalStreams, give_the_numbers_that_came_kernel) {
    RINGLET_RUN_ON_KERNEL(case_runtime, take_two, [](int number) { ::raise(number); });
}

TEST(SignalStreams, give_the_numbers_that_came_simulated) {
    ringlet::testing::Simulation simulation;
    auto& world = simulation.world();
    world.call_at(world.now() + 1'000'000, [](void* where) {
        static_cast<ringlet::testing::World*>(where)->raise(SIGHUP);
    }, &world);
    world.call_at(world.now() + 2'000'000, [](void* where) {
        static_cast<ringlet::testing::World*>(where)->raise(SIGUSR2);
    }, &world);
    EXPECT_EQ(simulation.run<case_limits>(take_two, nullptr), 0);
    EXPECT_EQ(world.open_descriptors(), 3u);
}

RINGLET_CASE(SignalStreams, refuse_what_is_not_theirs) {
    EXPECT_EQ(error_of(Signals::open(SIGINT)), std::errc::invalid_argument);
    EXPECT_EQ(error_of(Signals::open(SIGHUP, SIGTERM)), std::errc::invalid_argument);
    EXPECT_EQ(error_of(Signals::open(scheduler().limits().await_tree_signal)),
              std::errc::invalid_argument);
    for (const int number : {0, -1, 65, SIGKILL, SIGSTOP, SIGSEGV}) {
        EXPECT_EQ(error_of(Signals::open(number)), std::errc::invalid_argument) << number;
    }
    EXPECT_EQ(scheduler().descriptors(), 0u);
    const FullDescriptors full;
    expect_descriptor_limit(error_of(Signals::open(SIGHUP)));
    co_await yield();
}

RINGLET_CASE(SignalStreams, leak_nothing_when_cancelled_in_flight) {
    {
        auto signals = co_await Signals::open(SIGHUP);
        auto next = [&]() -> Task<void> { (void)co_await signals.next(); };
        const bool came = co_await cancel_in_flight(next);
        EXPECT_FALSE(came);
    }
    co_await expect_descriptors(0);
}
