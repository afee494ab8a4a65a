// P24: a stream in chunks of N, in memory that does not depend on its length.
#include "support/cases.hpp"

#include "conformance/pool_hog.hpp"

#include <ringlet/ringlet.hpp>

#include <array>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using support::PoolHog;
using testing::Simulation;

Generator<int> numbers_to(int last, Nanoseconds pace = 0ns) {
    for (int i = 1; i <= last; ++i) {
        if (pace > 0ns) co_await sleep(pace);
        co_yield i;
    }
}

// The sizes of all batches of a source; and that their items are 1, 2, 3...
struct Sizes {
    std::array<std::size_t, 16> of{};
    std::size_t count = 0;
};
template <std::size_t N>
Task<Sizes> sizes(Generator<int>& source) {
    Sizes all;
    int expected = 1;
    auto chunks = batches<N>(source);
    for (;;) {
        auto batch = co_await chunks.next();
        if (!batch) break;
        for (const int item : *batch) EXPECT_EQ(item, expected++);
        all.of[all.count++] = batch->size();
    }
    co_return all;
}

RINGLET_CASE(Batches, the_last_may_be_smaller) {
    auto source = numbers_to(10, 10us);
    const Sizes all = co_await sizes<4>(source);
    EXPECT_EQ(all.count, 3u);
    EXPECT_EQ(all.of, (std::array<std::size_t, 16>{4, 4, 2}));
}

RINGLET_CASE(Batches, none_is_empty) {
    auto exact = numbers_to(8, 10us);
    const Sizes all = co_await sizes<4>(exact);
    EXPECT_EQ(all.count, 2u);
    EXPECT_EQ(all.of, (std::array<std::size_t, 16>{4, 4}));
    auto nothing = numbers_to(0);
    const Sizes none = co_await sizes<4>(nothing);
    EXPECT_EQ(none.count, 0u);
}

RINGLET_CASE(Batches, of_one_are_the_items) {
    auto source = numbers_to(3, 10us);
    const Sizes all = co_await sizes<1>(source);
    EXPECT_EQ(all.of, (std::array<std::size_t, 16>{1, 1, 1}));
}

RINGLET_CASE(Batches, larger_than_the_stream_are_one) {
    auto source = numbers_to(3, 10us);
    const Sizes all = co_await sizes<100>(source);
    EXPECT_EQ(all.of, (std::array<std::size_t, 16>{3}));
}

Generator<int> fails_after(int last) {
    for (int i = 1; i <= last; ++i) {
        co_await sleep(10us);
        co_yield i;
    }
    co_await fail(std::errc::bad_message);
}

RINGLET_CASE(Batches, an_error_comes_after_the_items_before_it) {
    auto source = fails_after(5);
    auto chunks = batches<4>(source);
    const auto first = co_await attempt(chunks.next());
    EXPECT_TRUE(first && *first && (*first)->size() == 4);
    const auto second = co_await attempt(chunks.next());
    EXPECT_TRUE(second && *second && (*second)->size() == 1 && *(*second)->begin() == 5);
    const auto failed = co_await attempt(chunks.next());
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
    const auto none = co_await attempt(chunks.next());
    EXPECT_TRUE(none && !*none);
}

RINGLET_CASE(Batches, an_error_at_once_makes_no_batch) {
    auto source = fails_after(0);
    auto chunks = batches<4>(source);
    co_await sleep(0s);
    const auto failed = co_await attempt(chunks.next());
    EXPECT_TRUE(!failed && failed.error() == std::errc::bad_message);
}

RINGLET_CASE(Batches, take_no_more_than_they_give) {
    int produced = 0;
    const auto producer = [&]() -> Generator<int> {
        for (int i = 1;; ++i) {
            co_await sleep(10us);
            ++produced;
            co_yield i;
        }
    };
    auto source = producer();
    {
        auto chunks = batches<4>(source);
        const auto first = co_await chunks.next();
        EXPECT_EQ(first->size(), 4u);
    }
    EXPECT_EQ(produced, 4);
    const auto fifth = co_await source.next();
    EXPECT_EQ(fifth, 5);
}

// Items that can only be moved, and count those alive.
struct Record {
    explicit Record(int& count) : alive(&count) { ++*alive; }
    Record(Record&& other) noexcept : alive(other.alive) { ++*alive; }
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;
    ~Record() { --*alive; }
    int* alive;
};
struct Alive {
    int count = 0;
    ~Alive() { EXPECT_EQ(count, 0); }
};

Generator<Record> records(int& alive, int last) {
    for (int i = 0; i < last; ++i) {
        co_await sleep(10us);
        Record record(alive);
        co_yield std::move(record);
    }
}

RINGLET_CASE(Batches, carry_what_can_only_be_moved_and_keep_none_of_it) {
    Alive alive;
    {
        auto source = records(alive.count, 7);
        auto chunks = batches<3>(source);
        for (;;) {
            const auto batch = co_await chunks.next();
            if (!batch) break;
            co_await sleep(10us);
        }
        EXPECT_EQ(alive.count, 0);
    }
}

RINGLET_CASE_UNCUT(Batches, of_a_hundred_thousand_items_need_no_more_memory_than_of_ten) {
    auto source = numbers_to(100'000);
    auto chunks = batches<64>(source);
    const std::size_t frames = scheduler().frames().live();
    int items = 0;
    for (;;) {
        const auto batch = co_await chunks.next();
        if (!batch) break;
        items += static_cast<int>(batch->size());
        EXPECT_LE(scheduler().frames().live(), frames);
    }
    EXPECT_EQ(items, 100'000);
}

TEST(BatchesMemory, without_a_frame_their_next_fails) {
    Simulation simulation;
    const int status = simulation.run<support::scarce_limits>([]() -> Task<void> {
        auto source = numbers_to(3);
        const PoolHog hog;
        auto chunks = batches<2>(source);
        const auto failed = co_await attempt(chunks.next());
        EXPECT_TRUE(!failed && failed.error() == std::errc::not_enough_memory);
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ringlet
