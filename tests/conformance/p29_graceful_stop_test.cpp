// P29: SIGINT and SIGTERM cancel main, in-flight work unwinds, the exit status tells. On the kernel
// with real signals to this thread, and in simulation. Whole processes: tests/run/stop_test.py.
#include "support/cases.hpp"

#include <ringlet/ringlet.hpp>

#include <csignal>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

Runtime<Limits{}> kernel_runtime;

// Runs `main(stop)` on both rings, where `stop` raises the signal that it is given.
template <class Main>
void expect_on_both(int expected, Main main) {
    Simulation simulation;
    const auto in_simulation = [&](int number) { simulation.world().raise(number); };
    EXPECT_EQ(simulation.run(main, in_simulation), expected) << simulation.world().written(2);
    EXPECT_FALSE(simulation.deadlocked());
    const auto on_kernel = [](int number) { ::raise(number); };
    const int status = kernel_runtime.run(main, on_kernel);
    if (status == exit_unavailable) GTEST_SKIP() << "no io_uring";
    EXPECT_EQ(status, expected);
}

TEST(GracefulStop, sigint_and_sigterm_cancel_main_and_give_their_status) {
    for (const int number : {SIGINT, SIGTERM}) {
        expect_on_both(128 + number, [=](auto raise) -> Task<void> {
            raise(number);
            co_await sleep(1h);
            ADD_FAILURE() << "main went on";
        });
    }
}

TEST(GracefulStop, everything_in_flight_unwinds_the_innermost_first) {
    expect_on_both(143, [](auto raise) -> Task<void> {
        struct Guard {
            Guard(int& which, int its_number) : next(which), number(its_number) {}
            ~Guard() { EXPECT_EQ(next++, number); }
            int& next;
            int number;
        };
        int next = 0;
        const auto inner = [&]() -> Task<void> {
            const Guard guard(next, 0);
            co_await sleep(1h);
        };
        const auto middle = [&]() -> Task<void> {
            const Guard guard(next, 1);
            co_await timeout(1h, inner());
        };
        const Guard guard(next, 2);
        const auto stopper = [&]() -> Task<void> {
            co_await yield();
            raise(SIGTERM);
        };
        co_await gather(middle(), stopper());
    });
}

TEST(GracefulStop, reaches_a_main_that_never_waits) {
    expect_on_both(130, [](auto raise) -> Task<void> {
        raise(SIGINT);
        for (;;) co_await yield();
    });
}

TEST(GracefulStop, a_clean_up_that_waits_is_finished) {
    struct Resource {
        explicit Resource(int& count) : closed(count) {}
        Task<void> close() {
            co_await sleep(20ms);
            ++closed;
        }
        int& closed;
    };
    int closed = 0;
    expect_on_both(143, [&](auto raise) -> Task<void> {
        const auto open = [&]() -> Task<Resource> { co_return Resource(closed); };
        const auto body = [&](Resource&) -> Task<void> {
            raise(SIGTERM);
            co_await sleep(1h);
        };
        co_await with(open(), body);
    });
    EXPECT_TRUE(::testing::Test::IsSkipped() || closed == 2);
}

TEST(GracefulStop, cannot_be_swallowed_by_an_attempt) {
    expect_on_both(143, [](auto raise) -> Task<void> {
        raise(SIGTERM);
        for (;;) {
            const auto slept = co_await attempt(sleep(1h));
            EXPECT_TRUE(slept);
        }
    });
}

TEST(GracefulStop, stops_a_group_and_all_of_its_tasks) {
    expect_on_both(143, [](auto raise) -> Task<void> {
        const auto child = []() -> Task<void> { co_await sleep(1h); };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 20; ++i) group.spawn(child);
            co_await yield();
            raise(SIGTERM);
        });
        ADD_FAILURE() << "main went on after a group that was cut short";
    });
}

TEST(GracefulStop, a_status_that_main_still_gives_is_kept) {
    expect_on_both(3, [](auto raise) -> Task<int> {
        raise(SIGTERM);
        co_await shield(sleep(10ms));
        co_return 3;
    });
}

TEST(GracefulStop, the_next_run_starts_unstopped) {
    expect_on_both(130, [](auto raise) -> Task<void> {
        raise(SIGINT);
        co_await sleep(1h);
    });
    expect_on_both(0, [](auto) -> Task<void> { co_await sleep(1ms); });
}

TEST(GracefulStop, the_await_tree_s_signal_does_not_stop) {
    Simulation simulation;
    const auto main = [&]() -> Task<int> {
        simulation.world().raise(SIGUSR1);
        co_await sleep(1s);
        co_return 2;
    };
    EXPECT_EQ(simulation.run(main), 2);
    const std::string_view words = simulation.world().written(2);
    EXPECT_TRUE(words.starts_with("info: main: sleep at p29_graceful_stop_test.cpp:")) << words;
}

}  // namespace
}  // namespace ringlet
