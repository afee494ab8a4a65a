// P13: values produced lazily, at the consumer's pace; leaving early destroys the producer's
// locals; errors reach the consumer.
#include "support/cases.hpp"

#include "conformance/pool_hog.hpp"

#include <ringlet/ringlet.hpp>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using support::PoolHog;
using testing::Simulation;

// What a producer has done, and whether its locals are gone in the end.
struct Producer {
    int begun = 0;
    int produced = 0;
    int alive = 0;
    ~Producer() { EXPECT_EQ(alive, 0); }
};

struct Local {
    explicit Local(Producer& whose) : producer(whose) { ++producer.alive; }
    Local(const Local&) = delete;
    ~Local() { --producer.alive; }
    Producer& producer;
};

Generator<int> count(Producer& producer, int last, Nanoseconds pace = 100us) {
    ++producer.begun;
    const Local local(producer);
    for (int i = 1; i <= last; ++i) {
        co_await sleep(pace);
        ++producer.produced;
        co_yield i;
    }
}

RINGLET_CASE(Generator, gives_its_values_in_order_and_then_nothing) {
    Producer producer;
    auto numbers = count(producer, 3);
    for (int i = 1; i <= 3; ++i) {
        const auto number = co_await numbers.next();
        EXPECT_EQ(number, i);
    }
    for (int i = 0; i < 3; ++i) {
        const auto none = co_await numbers.next();
        EXPECT_EQ(none, std::nullopt);
        EXPECT_EQ(producer.alive, 0);
    }
}

RINGLET_CASE(Generator, runs_only_when_it_is_asked) {
    Producer producer;
    auto numbers = count(producer, 10);
    co_await sleep(1ms);
    EXPECT_EQ(producer.begun, 0);
    for (int i = 1; i <= 4; ++i) {
        const auto number = co_await numbers.next();
        EXPECT_EQ(number, i);
        co_await sleep(300us);
        EXPECT_EQ(producer.produced, i);
    }
}

RINGLET_CASE(Generator, that_nobody_asks_runs_nothing) {
    Producer producer;
    {
        auto numbers = count(producer, 10);
        co_await sleep(0s);
    }
    EXPECT_EQ(producer.begun, 0);
}

RINGLET_CASE(Generator, left_early_destroys_its_locals) {
    Producer producer;
    {
        auto numbers = count(producer, 10);
        const auto first = co_await numbers.next();
        EXPECT_EQ(first, 1);
        EXPECT_EQ(producer.alive, 1);
    }
    EXPECT_EQ(producer.alive, 0);
    EXPECT_EQ(producer.produced, 1);
    co_await sleep(0s);
}

Generator<int> fails_after(Producer& producer, int last) {
    const Local local(producer);
    for (int i = 1; i <= last; ++i) co_yield i;
    co_await sleep(100us);
    co_await fail(std::errc::bad_message);
}

RINGLET_CASE(Generator, hands_its_error_to_the_consumer_and_has_ended) {
    Producer producer;
    auto numbers = fails_after(producer, 1);
    const auto first = co_await attempt(numbers.next());
    EXPECT_TRUE(first && *first == 1);
    const auto failed = co_await attempt(numbers.next());
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
    EXPECT_EQ(producer.alive, 0);
    const auto none = co_await attempt(numbers.next());
    EXPECT_TRUE(none && !*none);
}

RINGLET_CASE(Generator, s_error_leaves_through_a_consumer_that_does_not_look) {
    Producer producer;
    const auto consume = [&]() -> Task<int> {
        auto numbers = fails_after(producer, 3);
        int sum = 0;
        for (;;) {
            const auto number = co_await numbers.next();
            if (!number) co_return sum;
            sum += *number;
        }
    };
    const auto failed = co_await attempt(consume());
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
}

RINGLET_CASE(Generator, is_destroyed_with_a_consumer_that_fails) {
    Producer producer;
    const auto consume = [&]() -> Task<void> {
        auto numbers = count(producer, 10);
        const auto first = co_await numbers.next();
        EXPECT_EQ(first, 1);
        co_await fail(std::errc::io_error);
    };
    const auto failed = co_await attempt(consume());
    EXPECT_FALSE(failed);
    EXPECT_EQ(producer.alive, 0);
}

RINGLET_CASE(Generator, whose_next_was_timed_out_says_that_it_was_cut) {
    Producer producer;
    auto numbers = count(producer, 10, 1h);
    const auto late = co_await attempt(timeout(500us, numbers.next()));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_EQ(producer.alive, 0);
    for (int i = 0; i < 2; ++i) {
        const auto cut = co_await attempt(numbers.next());
        EXPECT_TRUE(!cut && cut.error() == std::errc::operation_canceled);
    }
}

RINGLET_CASE(Generator, whose_next_was_cancelled_says_that_it_was_cut) {
    Producer producer;
    auto numbers = count(producer, 10, 1h);
    const auto consumer = [&]() -> Task<void> {
        const auto none = co_await numbers.next();
        ADD_FAILURE() << none.has_value();
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(consumer);
        co_await sleep(100us);
        task.cancel();
        const auto end = co_await attempt(task.join());
        EXPECT_FALSE(end);
        const auto cut = co_await attempt(numbers.next());
        EXPECT_TRUE(!cut && cut.error() == std::errc::operation_canceled);
    });
}

RINGLET_CASE(Generator, whose_next_came_in_time_goes_on_under_the_next_timeout) {
    Producer producer;
    auto numbers = count(producer, 3);
    for (int i = 1; i <= 3; ++i) {
        const auto number = co_await attempt(timeout(1h, numbers.next()));
        EXPECT_TRUE(number && **number == i);
    }
    const auto none = co_await attempt(timeout(1h, numbers.next()));
    EXPECT_TRUE(none && !*none);
}

// The block in which next() ran is gone when the generator is left.
RINGLET_CASE(Generator, may_be_left_after_its_last_consumer_has_ended) {
    Producer producer;
    {
        auto numbers = count(producer, 3);
        const auto first = co_await attempt(timeout(1h, numbers.next()));
        EXPECT_TRUE(first && **first == 1);
    }
    EXPECT_EQ(producer.alive, 0);
    co_await sleep(0s);
}

RINGLET_CASE(Generator, may_be_asked_by_one_task_after_another) {
    Producer producer;
    auto numbers = count(producer, 4);
    const auto consumer = [&](int expected) -> Task<void> {
        const auto number = co_await numbers.next();
        EXPECT_EQ(number, expected);
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 1; i <= 3; ++i) {
            auto task = group.spawn(consumer, i);
            const auto end = co_await attempt(task.join());
            EXPECT_TRUE(end);
        }
    });
    const auto fourth = co_await numbers.next();
    EXPECT_EQ(fourth, 4);
}

Generator<int> doubled(Producer& producer, Generator<int>& source) {
    const Local local(producer);
    for (;;) {
        const auto number = co_await source.next();
        if (!number) co_return;
        co_yield *number * 2;
        co_await sleep(50us);
        co_yield *number * 2 + 1;
    }
}

RINGLET_CASE(Generator, takes_from_another_one) {
    Producer inner, outer;
    auto numbers = count(inner, 3);
    auto twice = doubled(outer, numbers);
    auto four_times = doubled(outer, twice);
    int expected = 4;
    for (;;) {
        const auto number = co_await four_times.next();
        if (!number) break;
        EXPECT_EQ(*number, expected++);
    }
    EXPECT_EQ(expected, 16);
}

RINGLET_CASE(Generator, hands_on_the_error_of_another_one) {
    Producer inner, outer;
    auto numbers = fails_after(inner, 1);
    auto twice = doubled(outer, numbers);
    co_await twice.next();
    co_await twice.next();
    const auto failed = co_await attempt(twice.next());
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
    EXPECT_EQ(outer.alive, 0);
    EXPECT_EQ(inner.alive, 0);
}

Task<int> slow(int value) {
    co_await sleep(100us);
    co_return value;
}

Generator<int> composes() {
    const auto both = co_await gather(slow(1), slow(2));
    co_yield std::get<0>(both) + std::get<1>(both);
    const auto late = co_await attempt(timeout(100us, sleep(1h)));
    co_yield late ? 0 : 4;
    int sum = 0;
    const auto add = [&](int value) -> Task<void> { sum += co_await slow(value); };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 1; i <= 3; ++i) group.spawn(add, i);
        co_return;
    });
    co_yield sum;
    co_yield co_await shield(slow(7));
}

RINGLET_CASE(Generator, awaits_everything_that_a_task_does) {
    auto values = composes();
    for (const int expected : {3, 4, 6, 7}) {
        const auto value = co_await values.next();
        EXPECT_EQ(value, expected);
    }
    const auto none = co_await values.next();
    EXPECT_FALSE(none);
}

// A value that counts those alive, and can only be moved.
struct Page {
    explicit Page(Producer& whose) : producer(&whose) { ++producer->alive; }
    Page(Page&& other) noexcept : producer(other.producer) { ++producer->alive; }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    ~Page() { --producer->alive; }
    Producer* producer;
};

Generator<Page> pages(Producer& producer) {
    for (int i = 0; i < 3; ++i) {
        co_await sleep(50us);
        Page page(producer);
        ++producer.produced;
        co_yield std::move(page);
    }
}

RINGLET_CASE(Generator, gives_what_can_only_be_moved_and_keeps_none_of_it) {
    Producer producer;
    {
        auto all = pages(producer);
        for (int i = 1; i <= 3; ++i) {
            const auto page = co_await all.next();
            EXPECT_TRUE(page.has_value());
            EXPECT_EQ(producer.produced, i);
            EXPECT_EQ(producer.alive, 2);  // here, and parked in the producer
        }
        const auto none = co_await all.next();
        EXPECT_FALSE(none);
        EXPECT_EQ(producer.alive, 0);
    }
}

RINGLET_CASE(Generator, in_a_timeout_that_expires_between_two_values_is_left_in_order) {
    Producer producer;
    const auto consume = [&]() -> Task<void> {
        auto numbers = count(producer, 1000, 100us);
        for (;;) {
            const auto number = co_await numbers.next();
            EXPECT_TRUE(number);
            co_await sleep(100us);
        }
    };
    const auto late = co_await attempt(timeout(1ms, consume()));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_EQ(producer.alive, 0);
}

Generator<int> endless() {
    for (int i = 0;; ++i) co_yield i;
}

RINGLET_CASE_UNCUT(Generator, gives_a_hundred_thousand_values_in_constant_memory) {
    auto numbers = endless();
    const std::size_t frames = scheduler().frames().live();
    for (int i = 0; i < 100'000; ++i) {
        const auto number = co_await numbers.next();
        EXPECT_EQ(number, i);
    }
    EXPECT_EQ(scheduler().frames().live(), frames);
}

TEST(GeneratorFairness, an_endless_one_does_not_starve_a_timeout) {
    Simulation simulation;
    const int status = simulation.run([]() -> Task<void> {
        bool others = false;
        const auto consume = [&]() -> Task<void> {
            auto numbers = endless();
            while (!others) co_await numbers.next();
        };
        const auto other = [&]() -> Task<void> {
            co_await yield();
            others = true;
        };
        co_await gather(consume(), other());
    });
    EXPECT_EQ(status, 0);
}

TEST(GeneratorMemory, without_a_frame_its_next_fails) {
    Simulation simulation;
    const int status = simulation.run<support::scarce_limits>([]() -> Task<void> {
        Producer producer;
        const PoolHog hog;
        auto numbers = count(producer, 3);
        for (int i = 0; i < 2; ++i) {
            const auto failed = co_await attempt(numbers.next());
            EXPECT_TRUE(!failed && failed.error() == std::errc::not_enough_memory);
        }
        EXPECT_EQ(producer.begun, 0);
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ringlet
