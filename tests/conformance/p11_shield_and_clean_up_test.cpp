// P11: shield finishes; with's close is awaited on success, error and cancellation, under a limit.
#include "support/cases.hpp"

#include "conformance/pool_hog.hpp"

#include <ringlet/ringlet.hpp>

#include <array>
#include <memory>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using support::PoolHog;
using testing::Simulation;

Task<int> slow_value(Nanoseconds span, int value) {
    co_await sleep(span);
    co_return value;
}
Task<int> slow_failure(Nanoseconds span) {
    co_await sleep(span);
    co_await fail(std::errc::io_error);
}

// --- shield

RINGLET_CASE(Shield, gives_the_value_of_its_work) {
    const int value = co_await shield(slow_value(1ms, 7));
    EXPECT_EQ(value, 7);
}

RINGLET_CASE(Shield, gives_the_error_of_its_work) {
    const auto failed = co_await attempt(shield(slow_failure(1ms)));
    EXPECT_TRUE(!failed && failed.error() == std::errc::io_error);
}

RINGLET_CASE(Shield, takes_any_awaitable) {
    co_await shield(sleep(1ms));
    const auto both = co_await shield(gather(slow_value(1ms, 1), slow_value(0ms, 2)));
    EXPECT_EQ(std::get<1>(both), 2);
    const auto late = co_await attempt(shield(timeout(1ms, sleep(1h))));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
}

// Work that must be finished once it was begun.
struct Accounts {
    int begun = 0;
    int finished = 0;
    ~Accounts() { EXPECT_EQ(begun, finished); }
    Task<int> transfer() {
        ++begun;
        co_await sleep(1ms);
        co_await yield();
        ++finished;
        co_return finished;
    }
};

RINGLET_CASE(Shield, finishes_its_work_wherever_the_caller_is_cancelled) {
    Accounts accounts;
    co_await sleep(0s);
    co_await shield(accounts.transfer());
    co_await shield(shield(accounts.transfer()));
    co_await gather(shield(accounts.transfer()), shield(accounts.transfer()), sleep(500us));
}

RINGLET_CASE(Shield, delivers_its_value_to_a_cancelled_caller_whose_next_await_unwinds) {
    int delivered = 0;
    bool went_on = false;
    const auto caller = [&]() -> Task<void> {
        delivered = co_await shield(slow_value(1ms, 5));
        co_await yield();
        went_on = true;
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(caller);
        co_await yield();
        task.cancel();
        const auto end = co_await attempt(task.join());
        EXPECT_TRUE(!end && end.error() == std::errc::operation_canceled);
        EXPECT_EQ(delivered, 5);
    });
    EXPECT_FALSE(went_on);
}

RINGLET_CASE(Shield, starts_and_finishes_in_a_scope_that_was_cancelled) {
    bool seen = false;
    const auto caller = [&](TaskGroup& group) -> Task<void> {
        group.cancel_tasks();  // this task, too
        const int value = co_await shield(slow_value(1ms, 9));
        EXPECT_EQ(value, 9);
        const int again = co_await shield(slow_value(0ms, 8));
        EXPECT_EQ(again, 8);
        seen = true;
        co_await yield();
        ADD_FAILURE() << "a cancelled task went on";
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(caller, std::ref(group));
        const auto end = co_await attempt(task.join());
        EXPECT_FALSE(end);
        EXPECT_TRUE(seen);
    });
}

RINGLET_CASE(Shield, an_error_of_its_work_is_seen_by_a_cancelled_caller) {
    bool seen = false;
    const auto caller = [&]() -> Task<void> {
        const auto failed = co_await attempt(shield(slow_failure(1ms)));
        EXPECT_TRUE(!failed && failed.error() == std::errc::io_error);
        seen = true;
        co_await yield();
        ADD_FAILURE() << "a cancelled task went on";
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(caller);
        co_await yield();
        task.cancel();
        const auto end = co_await attempt(task.join());
        EXPECT_TRUE(!end && end.error() == std::errc::operation_canceled);
        EXPECT_TRUE(seen);
    });
}

RINGLET_CASE(Shield, makes_a_timeout_wait_for_it) {
    const Instant start = scheduler().now();
    bool finished = false;
    const auto work = [&]() -> Task<void> {
        co_await shield(sleep(3ms));
        finished = true;
        co_await sleep(1h);
    };
    const auto late = co_await attempt(timeout(1ms, work()));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_TRUE(finished);
    EXPECT_GE(scheduler().now() - start, 3'000'000);
}

RINGLET_CASE(Shield, whose_value_is_the_last_thing_makes_a_late_timeout_succeed) {
    const auto work = []() -> Task<int> { co_return co_await shield(slow_value(3ms, 4)); };
    const auto kept = co_await attempt(timeout(1ms, work()));
    EXPECT_TRUE(kept && *kept == 4);
}

TEST(ShieldMemory, without_a_frame_the_await_fails) {
    Simulation simulation;
    const int status = simulation.run<support::scarce_limits>([]() -> Task<void> {
        for (unsigned spare = 0; spare < 4; ++spare) {
            PoolHog hog(spare);
            auto work = sleep(1ms);
            const auto end = co_await attempt(shield(std::move(work)));
            EXPECT_TRUE(end || end.error() == std::errc::not_enough_memory);
            EXPECT_TRUE(spare != 0 || !end);
            EXPECT_TRUE(spare != 3 || end);
        }
    });
    EXPECT_EQ(status, 0);
}

// --- with

// A resource whose opening and closing wait. Each that was opened must have been closed at the end.
struct Ledger {
    int opened = 0;
    int closed = 0;
    int close_begun = 0;
    int dropped = 0;  // destroyed while open
    ~Ledger() {
        EXPECT_EQ(opened, closed);
        EXPECT_EQ(dropped, 0);
    }
};

class Door {
public:
    Door(Ledger& ledger, Nanoseconds close_span, std::errc close_error)
        : ledger_(&ledger), close_span_(close_span), close_error_(close_error) {
        ++ledger.opened;
    }
    Door(Door&& other) noexcept
        : ledger_(std::exchange(other.ledger_, nullptr)),
          close_span_(other.close_span_),
          close_error_(other.close_error_) {}
    ~Door() {
        if (ledger_ != nullptr) ++ledger_->dropped;
    }

    Task<void> close() {
        ++ledger_->close_begun;
        co_await sleep(close_span_);
        co_await yield();
        ++std::exchange(ledger_, nullptr)->closed;
        if (close_error_ != std::errc()) co_await fail(close_error_);
    }
    int number() const { return 42; }

private:
    Ledger* ledger_;
    Nanoseconds close_span_;
    std::errc close_error_;
};

Task<Door> open_door(Ledger& ledger, Nanoseconds close_span = 1ms,
                     std::errc close_error = std::errc()) {
    co_await sleep(1ms);
    co_return Door(ledger, close_span, close_error);
}
Task<Door> open_nothing() {
    co_await sleep(1ms);
    co_await fail(std::errc::no_such_file_or_directory);
}

RINGLET_CASE(With, closes_after_success_and_gives_the_body_s_value) {
    Ledger ledger;
    const int value = co_await with(open_door(ledger), [&](Door& door) -> Task<int> {
        co_await sleep(1ms);
        EXPECT_EQ(ledger.closed, 0);
        co_return door.number();
    });
    EXPECT_EQ(value, 42);
    EXPECT_EQ(ledger.closed, 1);
}

RINGLET_CASE(With, closes_after_an_error_and_then_gives_the_error) {
    Ledger ledger;
    const auto body = [&](Door&) -> Task<void> {
        co_await sleep(1ms);
        co_await fail(std::errc::bad_message);
    };
    const auto failed = co_await attempt(with(open_door(ledger), body));
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
    EXPECT_EQ(ledger.closed, 1);
}

RINGLET_CASE(With, closes_after_a_cancellation_before_the_task_has_ended) {
    Ledger ledger;
    const auto task = [&]() -> Task<void> {
        co_await with(open_door(ledger), [](Door&) -> Task<void> { co_await sleep(1h); });
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto handle = group.spawn(task);
        co_await sleep(3ms);
        handle.cancel();
        const auto end = co_await attempt(handle.join());
        EXPECT_FALSE(end);
        EXPECT_EQ(ledger.opened, ledger.closed);
    });
}

RINGLET_CASE(With, closes_nothing_if_opening_fails) {
    bool ran = false;
    const auto body = [&](Door&) -> Task<void> {
        ran = true;
        co_return;
    };
    const auto failed = co_await attempt(with(open_nothing(), body));
    EXPECT_TRUE(!failed && failed.error() == std::errc::no_such_file_or_directory);
    EXPECT_FALSE(ran);
}

RINGLET_CASE(With, reports_the_close_s_error_if_the_body_succeeded) {
    Ledger ledger;
    const auto body = [](Door&) -> Task<int> { co_return 1; };
    const auto failed =
        co_await attempt(with(open_door(ledger, 1ms, std::errc::no_space_on_device), body));
    EXPECT_TRUE(!failed && failed.error() == std::errc::no_space_on_device);
}

RINGLET_CASE(With, reports_the_body_s_error_rather_than_the_close_s) {
    Ledger ledger;
    const auto body = [](Door&) -> Task<int> { co_await fail(std::errc::bad_message); };
    const auto failed =
        co_await attempt(with(open_door(ledger, 1ms, std::errc::no_space_on_device), body));
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
}

RINGLET_CASE(With, closes_nested_resources_the_inner_first) {
    Ledger outer, inner;
    co_await with(open_door(outer), [&](Door&) -> Task<void> {
        co_await with(open_door(inner), [&](Door&) -> Task<void> { co_await sleep(1ms); });
        EXPECT_EQ(inner.closed, 1);
        EXPECT_EQ(outer.close_begun, 0);
    });
    EXPECT_EQ(outer.closed, 1);
}

RINGLET_CASE(With, hands_over_what_can_only_be_moved) {
    Ledger ledger;
    static int number = 6;
    struct NoDelete {
        void operator()(int*) const {}
    };
    using Pointer = std::unique_ptr<int, NoDelete>;
    const Pointer value = co_await with(open_door(ledger), [](Door&) -> Task<Pointer> {
        co_await yield();
        co_return Pointer(&number);
    });
    EXPECT_EQ(value.get(), &number);
}

RINGLET_CASE(With, is_waited_for_by_a_timeout_round_it) {
    Ledger ledger;
    const auto body = [](Door&) -> Task<void> { co_await sleep(1h); };
    const auto late = co_await attempt(timeout(2ms, with(open_door(ledger, 2ms), body)));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_EQ(ledger.opened, ledger.closed);
}

RINGLET_CASE(With, in_each_branch_of_a_gather_closes_all) {
    Ledger ledger;
    const auto branch = [&](int number) -> Task<void> {
        co_await with(open_door(ledger), [&](Door&) -> Task<void> {
            co_await sleep(1ms);
            if (number == 1) co_await fail(std::errc::bad_message);
            co_await sleep(1h);
        });
    };
    const auto failed = co_await attempt(gather(branch(0), branch(1), branch(2)));
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
}

TEST(VirtualWith, gives_a_close_that_hangs_its_limit_and_no_more) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ledger ledger;
        const Instant start = scheduler().now();
        const auto body = [](Door&) -> Task<int> { co_return 3; };
        const auto hangs = co_await attempt(with(open_door(ledger, 1h), body, 50ms));
        EXPECT_TRUE(!hangs && hangs.error() == std::errc::timed_out);
        EXPECT_EQ(scheduler().now() - start, Nanoseconds(51ms).count());
        EXPECT_EQ(ledger.close_begun, 1);
        EXPECT_EQ(ledger.dropped, 1);  // its destructor had to do
        ledger.closed = std::exchange(ledger.dropped, 0);
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualWith, limits_a_close_after_an_error_and_a_cancellation_too) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ledger ledger;
        const auto fails = [](Door&) -> Task<int> { co_await fail(std::errc::bad_message); };
        const auto hangs = co_await attempt(with(open_door(ledger, 1h), fails, 50ms));
        EXPECT_TRUE(!hangs && hangs.error() == std::errc::bad_message);

        const Instant start = scheduler().now();
        const auto waits = [](Door&) -> Task<int> { co_await sleep(1h); co_return 0; };
        const auto late =
            co_await attempt(timeout(10ms, with(open_door(ledger, 1h), waits, 50ms)));
        EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
        EXPECT_EQ(scheduler().now() - start, Nanoseconds(60ms).count());
        ledger.closed = 2;
        ledger.dropped = 0;
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualWith, has_five_seconds_to_close_by_default) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ledger ledger;
        const auto body = [](Door&) -> Task<int> { co_return 3; };
        const auto in_time = co_await attempt(with(open_door(ledger, 4999ms), body));
        EXPECT_TRUE(in_time && *in_time == 3);
        const auto late = co_await attempt(with(open_door(ledger, 5001ms), body));
        EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
        ledger.closed = 2;
        ledger.dropped = 0;
    });
    EXPECT_EQ(status, 0);
}

TEST(VirtualWith, a_cancellation_during_the_close_does_not_cut_it_short) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        Ledger ledger;
        int value = 0;
        const auto task = [&]() -> Task<void> {
            value = co_await with(open_door(ledger, 10ms), [](Door&) -> Task<int> { co_return 3; });
            co_await yield();
            ADD_FAILURE() << "a cancelled task went on";
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto handle = group.spawn(task);
            co_await sleep(5ms);
            EXPECT_EQ(ledger.close_begun, 1);
            handle.cancel();
            const auto end = co_await attempt(handle.join());
            EXPECT_FALSE(end);
        });
        EXPECT_EQ(ledger.closed, 1);
        EXPECT_EQ(value, 3);  // what was there before the cancellation is delivered
    });
    EXPECT_EQ(status, 0);
}

TEST(WithMemory, without_frames_it_fails_or_closes_and_leaks_nothing) {
    Simulation simulation;
    const int status = simulation.run<support::scarce_limits>([]() -> Task<void> {
        unsigned succeeded = 0;
        for (unsigned spare = 0; spare < 12; ++spare) {
            Ledger ledger;
            {
                PoolHog hog(spare);
                const auto body = [](Door&) -> Task<int> { co_return 1; };
                const auto end = co_await attempt(with(open_door(ledger), body));
                EXPECT_TRUE(end || end.error() == std::errc::not_enough_memory);
                succeeded += end ? 1 : 0;
            }
            // Where there was no frame for the close, the destructor did it.
            ledger.closed += std::exchange(ledger.dropped, 0);
        }
        EXPECT_GT(succeeded, 0u);
        EXPECT_LT(succeeded, 12u);
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ringlet
