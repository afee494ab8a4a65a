// P1: the entry point.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/shield.hpp>

#include <dirent.h>

#include <string>

namespace ringlet::conformance {
namespace {

using support::case_limits;
using support::case_runtime;
using testing::Simulation;

struct OnKernel {
    template <class F, class... Arguments>
    static void expect_status(int expected, F main, Arguments... arguments) {
        const int status = case_runtime.run(main, arguments...);
        if (status == exit_unavailable) GTEST_SKIP() << "no io_uring";
        EXPECT_EQ(status, expected);
    }
};

struct InSimulation {
    template <class F, class... Arguments>
    static void expect_status(int expected, F main, Arguments... arguments) {
        Simulation simulation;
        EXPECT_EQ(simulation.run<case_limits>(main, arguments...), expected);
        EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    }
};

// The tests Run.<name>_kernel and Run.<name>_simulated: the status must be the same.
#define STATUS_TEST(name)                                      \
    template <class Where>                                     \
    void name();                                               \
    TEST(Run, name##_kernel) { name<OnKernel>(); }             \
    TEST(Run, name##_simulated) { name<InSimulation>(); }      \
    template <class Where>                                     \
    void name()

// What a run in a simulated world logs: while it runs, to the world; after its end, to the process.
template <Limits limits = case_limits, class F, class... Arguments>
std::string log_of(F main, Arguments... arguments) {
    Simulation simulation;
    ::testing::internal::CaptureStderr();
    simulation.run<limits>(main, arguments...);
    return std::string(simulation.world().written(2)) + ::testing::internal::GetCapturedStderr();
}

int open_files() {
    int count = 0;
    DIR* const folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
}

Task<int> give(int value) {
    co_await yield();
    co_return value;
}

STATUS_TEST(gives_the_value_of_an_int_main_as_exit_status) {
    Where::expect_status(0, give, 0);
    Where::expect_status(7, give, 7);
    Where::expect_status(255, give, 255);
}

STATUS_TEST(gives_zero_for_a_void_main) {
    Where::expect_status(0, []() -> Task<void> { co_await yield(); });
    Where::expect_status(0, nothing);
}

Task<int> fails_with_no_such_device() {
    co_await fail(std::errc::no_such_device);
    co_return 5;
}

STATUS_TEST(gives_one_for_an_error) {
    Where::expect_status(1, fails_with_no_such_device);
    Where::expect_status(1, []() -> Task<void> { co_await fail(std::errc::io_error); });
}

TEST(Run, logs_the_error_that_ends_it_kernel) {
    const std::string log = log_of(fails_with_no_such_device);
    EXPECT_NE(log.find(text(Error(std::errc::no_such_device))), std::string::npos) << log;
}

TEST(Run, gives_the_signal_s_number_when_one_stopped_it) {
    Simulation simulation;
    simulation.world().call_at(simulation.world().now() + 5'000'000,
        [](void* world) { static_cast<testing::World*>(world)->raise(SIGTERM); },
        &simulation.world());
    EXPECT_EQ(simulation.run<case_limits>([]() -> Task<void> { co_await sleep(1h); }), 128 + 15);
    EXPECT_FALSE(simulation.deadlocked());
}

TEST(Run, gives_the_value_of_a_main_that_ended_well_in_spite_of_a_signal_unless_it_is_zero) {
    for (const int value : {0, 9}) {
        Simulation simulation;
        simulation.world().call_at(simulation.world().now() + 5'000'000,
            [](void* world) { static_cast<testing::World*>(world)->raise(SIGINT); },
            &simulation.world());
        const auto main = [value]() -> Task<int> {
            const int given = co_await shield(value_after(20ms, value));
            co_return given;
        };
        EXPECT_EQ(simulation.run<case_limits>(main), value != 0 ? value : 128 + 2);
    }
}

Task<int> runs_inside_a_run() {
    co_await yield();
    const int refused = run(nothing);
    co_await yield();
    co_return refused == exit_nested_run ? 3 : 4;
}

STATUS_TEST(inside_a_run_is_refused_and_the_outer_one_goes_on) {
    Where::expect_status(3, runs_inside_a_run);
}

TEST(Run, inside_a_run_is_refused_in_one_sentence_kernel) {
    const std::string log = log_of(runs_inside_a_run);
    const char* const sentence = text(Error(std::errc::operation_not_permitted,
                                            RuntimeDetail::nested_run));
    EXPECT_NE(log.find(sentence), std::string::npos) << log;
    EXPECT_NE(log.find("run()"), std::string::npos) << log;
    EXPECT_EQ(exit_nested_run, 70);
}

STATUS_TEST(inside_a_run_is_refused_by_another_runtime_too) {
    static Runtime<Limits{}> other;
    Where::expect_status(70, []() -> Task<int> {
        const int status = other.run(nothing);
        co_return status;
    });
}

TEST(Run, works_again_after_one_has_ended_however_it_ended_kernel) {
    static Runtime<case_limits> runtime;
    for (int round = 0; round < 20; ++round) {
        const int value = runtime.run(give, round);
        if (value == exit_unavailable) GTEST_SKIP() << "no io_uring";
        EXPECT_EQ(value, round);
        EXPECT_EQ(runtime.run([]() -> Task<void> { co_await fail(std::errc::io_error); }), 1);
    }
}

TEST(Run, works_again_in_a_simulated_world) {
    Simulation simulation;
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(simulation.run<case_limits>(give, round), round);
    }
}

TEST(Run, leaves_no_descriptor_open_kernel) {
    const int before = open_files();
    case_runtime.run(give, 0);
    EXPECT_EQ(open_files(), before);
    case_runtime.run([]() -> Task<void> { co_await fail(std::errc::io_error); });
    EXPECT_EQ(open_files(), before);
}

TEST(Run, leaves_no_frame_alive_and_says_what_it_used) {
    Simulation simulation;
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 5; ++i) (void)group.spawn(value_after, 1ms, 1);
            co_await yield();
        });
    };
    EXPECT_EQ(simulation.run<case_limits>(main), 0);
    const RunReport& report = simulation.report();
    unsigned live_max = 0;
    for (unsigned i = 0; i < report.frame_classes; ++i) {
        EXPECT_EQ(report.frames[i].live, 0u);
        EXPECT_EQ(report.frames[i].refused, 0u);
        live_max += report.frames[i].live_max;
    }
    EXPECT_GE(live_max, 10u);
    EXPECT_EQ(report.high_water.tasks, 5u);
    EXPECT_EQ(report.oversized_frames, 0u);
}

TEST(Run, takes_a_function_with_its_arguments_and_a_lambda_with_its_captures) {
    Census census;
    const auto function = [](Owned owned, int& seen) -> Task<void> {
        co_await yield();
        seen = owned.number();
    };
    int seen = 0;
    Simulation simulation;
    EXPECT_EQ(simulation.run<case_limits>(function, Owned(census, 8), std::ref(seen)), 0);
    EXPECT_EQ(seen, 8);
    const Alive captured(census);
    EXPECT_EQ(simulation.run<case_limits>([captured, &seen]() -> Task<void> {
        co_await yield();
        seen = 9;
    }), 0);
    EXPECT_EQ(seen, 9);
}

TEST(Run, without_a_frame_for_main_fails_and_says_why_kernel) {
    static constexpr Limits tiny{.frames = {{16, 1}}};
    Simulation simulation;
    EXPECT_EQ(simulation.run<tiny>(give, 0), 1);
    EXPECT_NE(log_of<tiny>(give, 0).find(text(no_frame_error)), std::string::npos);
    EXPECT_EQ(simulation.run<case_limits>(give, 4), 4);
}

TEST(Run, is_stopped_as_by_a_signal_when_nothing_can_ever_wake_it_and_says_who_waits) {
    Simulation simulation;
    const auto main = []() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto waits_for_itself = [](TaskHandle<void>*& self) -> Task<void> {
                co_await yield();
                co_await self->join();
            };
            TaskHandle<void>* self = nullptr;
            auto handle = group.spawn(waits_for_itself, std::ref(self)).named("narcissus");
            self = &handle;
            co_await handle.join();
        });
    };
    simulation.expect_deadlock();
    EXPECT_EQ(simulation.run<case_limits>(main), testing::deadlock_status);
    EXPECT_TRUE(simulation.deadlocked());
    EXPECT_NE(simulation.world().written(2).find("narcissus: join"), std::string_view::npos)
        << simulation.world().written(2);
}

}  // namespace
}  // namespace ringlet::conformance
