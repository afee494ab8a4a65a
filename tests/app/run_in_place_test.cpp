#include "support/cases.hpp"

#include <ringlet/app/run_in_place.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

// Notes whether it was destroyed while the runtime ran.
class Program {
public:
    Program(const int& status, Nanoseconds span) : status_(status), span_(span) { ++alive; }
    Program(const Program&) = delete;
    ~Program() {
        --alive;
        EXPECT_GE(scheduler().now(), 0);
    }

    Task<int> run() {
        co_await sleep(span_);
        if (status_ < 0) co_await fail(std::errc::io_error);
        co_return status_;
    }

    static inline int alive = 0;

private:
    const int& status_;
    Nanoseconds span_;
};

constinit std::optional<Program> place;

RINGLET_CASE(RunInPlace, gives_what_run_gives_and_empties_the_place) {
    int status = 0;
    for (const int wanted : {0, 7}) {
        status = wanted;
        const int given = co_await run_in_place(place, status, Nanoseconds(1ms));
        EXPECT_EQ(given, wanted);
        EXPECT_FALSE(place.has_value());
        EXPECT_EQ(Program::alive, 0);
    }
}

RINGLET_CASE(RunInPlace, hands_an_error_on_and_empties_the_place) {
    const int status = -1;
    const auto given = co_await attempt(run_in_place(place, status, Nanoseconds(1ms)));
    EXPECT_FALSE(given.has_value());
    EXPECT_FALSE(place.has_value());
}

RINGLET_CASE(RunInPlace, destroys_the_program_in_the_turn_in_which_it_is_cancelled) {
    co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
        auto running = group.spawn([]() -> Task<int> {
            const int status = 0;
            co_return co_await run_in_place(place, status, Nanoseconds(1h));
        });
        co_await sleep(1ms);
        EXPECT_EQ(Program::alive, 1);
        running.cancel();
        const auto ended = co_await attempt(running.join());
        EXPECT_FALSE(ended.has_value());
        EXPECT_FALSE(place.has_value());
        EXPECT_EQ(Program::alive, 0);
    });
}

}  // namespace
}  // namespace ringlet
