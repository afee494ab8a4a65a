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

// Both run `main(raise)`, where `raise` raises the signal that it is given.
struct OnKernel {
    template <class Main>
    static void expect_status(int expected, Main main) {
        const auto raise = [](int number) { ::raise(number); };
        const int status = kernel_runtime.run(main, raise);
        if (status == exit_unavailable) GTEST_SKIP() << "no io_uring";
        EXPECT_EQ(status, expected);
    }
};

struct InSimulation {
    template <class Main>
    static void expect_status(int expected, Main main) {
        Simulation simulation;
        const auto raise = [&](int number) { simulation.world().raise(number); };
        EXPECT_EQ(simulation.run(main, raise), expected) << simulation.world().written(2);
        EXPECT_FALSE(simulation.deadlocked());
    }
};

// The tests GracefulStop.<name>_kernel and GracefulStop.<name>_simulated.
#define STOP_TEST(name)                                                \
    template <class Where>                                             \
    void name();                                                       \
    TEST(GracefulStop, name##_kernel) { name<OnKernel>(); }            \
    TEST(GracefulStop, name##_simulated) { name<InSimulation>(); }     \
    template <class Where>                                             \
    void name()

STOP_TEST(sigint_and_sigterm_cancel_main_and_give_their_status) {
    for (const int number : {SIGINT, SIGTERM}) {
        Where::expect_status(128 + number, [=](auto raise) -> Task<void> {
            raise(number);
            co_await sleep(1h);
            ADD_FAILURE() << "main went on";
        });
    }
}

// Expects to be destroyed as number `number`.
struct Guard {
    Guard(int& which, int its_number) : next(which), number(its_number) {}
    ~Guard() { EXPECT_EQ(next++, number); }
    int& next;
    int number;
};

STOP_TEST(everything_in_flight_unwinds_the_innermost_first) {
    Where::expect_status(143, [](auto raise) -> Task<void> {
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

STOP_TEST(reaches_a_main_that_never_waits) {
    Where::expect_status(130, [](auto raise) -> Task<void> {
        raise(SIGINT);
        for (;;) co_await yield();
    });
}

STOP_TEST(a_clean_up_that_waits_is_finished) {
    struct Resource {
        explicit Resource(int& count) : closed(count) {}
        Task<void> close() {
            co_await sleep(20ms);
            ++closed;
        }
        int& closed;
    };
    int closed = 0;
    Where::expect_status(143, [&](auto raise) -> Task<void> {
        const auto open = [&]() -> Task<Resource> { co_return Resource(closed); };
        const auto body = [&](Resource&) -> Task<void> {
            raise(SIGTERM);
            co_await sleep(1h);
        };
        co_await with(open(), body);
    });
    EXPECT_TRUE(::testing::Test::IsSkipped() || closed == 1);
}

STOP_TEST(cannot_be_swallowed_by_an_attempt) {
    Where::expect_status(143, [](auto raise) -> Task<void> {
        raise(SIGTERM);
        for (;;) {
            const auto slept = co_await attempt(sleep(1h));
            EXPECT_TRUE(slept);
        }
    });
}

STOP_TEST(stops_a_group_and_all_of_its_tasks) {
    Where::expect_status(143, [](auto raise) -> Task<void> {
        const auto child = []() -> Task<void> { co_await sleep(1h); };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 20; ++i) group.spawn(child);
            co_await yield();
            raise(SIGTERM);
        });
        ADD_FAILURE() << "main went on after a group that was cut short";
    });
}

STOP_TEST(a_status_that_main_still_gives_is_kept) {
    Where::expect_status(3, [](auto raise) -> Task<int> {
        raise(SIGTERM);
        co_await shield(sleep(10ms));
        co_return 3;
    });
}

STOP_TEST(the_next_run_starts_unstopped) {
    Where::expect_status(130, [](auto raise) -> Task<void> {
        raise(SIGINT);
        co_await sleep(1h);
    });
    Where::expect_status(0, [](auto) -> Task<void> { co_await sleep(1ms); });
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
