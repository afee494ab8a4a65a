#include "work/work_cases.hpp"

#include <deque>

namespace ringlet::support {
namespace {

using namespace std::chrono_literals;

using conformance::Census;
using conformance::failed_with;
using conformance::Owned;

constexpr Limits four_posts{.posts = 4};

TEST(Mailbox, holds_as_many_as_it_has_slots_and_says_when_it_is_full) {
    SimulatedRuntime<four_posts> simulated;
    int ran = 0;
    const auto main = [&]() -> Task<void> {
        for (int i = 0; i < 4; ++i) EXPECT_TRUE(simulated.post([&ran] { ++ran; }).has_value());
        const auto full = simulated.post([] { ADD_FAILURE(); });
        EXPECT_TRUE(failed_with(full, RuntimeDetail::posts));
        EXPECT_TRUE(failed_with(full, std::errc::no_buffer_space));
        EXPECT_EQ(ran, 0);  // not inside a task
        co_await sleep(1ms);
        EXPECT_EQ(ran, 4);
        EXPECT_TRUE(simulated.post([&ran] { ++ran; }).has_value());
        co_await sleep(1ms);
        EXPECT_EQ(ran, 5);
    };
    EXPECT_EQ(simulated.run(main), 0);
    EXPECT_EQ(simulated.report().high_water.posts, 4u);
}

TEST(Mailbox, with_one_slot_works_too) {
    static constexpr Limits one{.posts = 1};
    SimulatedRuntime<one> simulated;
    int ran = 0;
    const auto main = [&]() -> Task<void> {
        for (int i = 0; i < 10; ++i) {
            EXPECT_TRUE(simulated.post([&ran] { ++ran; }).has_value());
            EXPECT_FALSE(simulated.post([] { ADD_FAILURE(); }).has_value());
            co_await sleep(1ms);
            EXPECT_EQ(ran, i + 1);
        }
    };
    EXPECT_EQ(simulated.run(main), 0);
}

TEST(Mailbox, refuses_before_and_after_a_run_and_leaves_the_callable_alone) {
    SimulatedRuntime<four_posts> simulated;
    Census census;
    auto callable = [owned = Owned(census, 1)] { EXPECT_EQ(owned.number(), 1); };
    const auto before = simulated.post(std::move(callable));
    EXPECT_TRUE(failed_with(before, RuntimeDetail::not_running));
    EXPECT_TRUE(failed_with(before, std::errc::not_connected));
    const auto main = [&]() -> Task<void> {
        EXPECT_TRUE(simulated.post(std::move(callable)).has_value());
        co_await sleep(1ms);
        EXPECT_EQ(census.alive, 0);
    };
    EXPECT_EQ(simulated.run(main), 0);
    EXPECT_TRUE(failed_with(simulated.post([] {}), RuntimeDetail::not_running));
}

TEST(Mailbox, destroys_what_was_not_called_when_the_run_ends) {
    SimulatedRuntime<four_posts> simulated;
    Census census;
    const auto main = [&]() -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            auto callable = [owned = Owned(census, 1)] { ADD_FAILURE() << owned.number(); };
            EXPECT_TRUE(simulated.post(std::move(callable)).has_value());
        }
        EXPECT_EQ(census.alive, 3);
        co_return;
    };
    EXPECT_EQ(simulated.run(main), 0);
    EXPECT_EQ(census.alive, 0);
}

TEST(Mailbox, a_post_may_post_and_that_one_comes_in_a_later_turn) {
    SimulatedRuntime<four_posts> simulated;
    int turns = 0;
    std::function<void()> again = [&] {
        if (++turns == 100) return;
        EXPECT_TRUE(simulated.post(std::ref(again)).has_value());
    };
    const auto main = [&]() -> Task<void> {
        EXPECT_TRUE(simulated.post(std::ref(again)).has_value());
        co_await yield();
        co_await yield();
        EXPECT_LT(turns, 5);
        co_await sleep(1ms);
        EXPECT_EQ(turns, 100);
    };
    EXPECT_EQ(simulated.run(main), 0);
}

TEST(Mailbox, what_is_posted_may_do_what_the_loop_s_thread_may) {
    SimulatedRuntime<four_posts> simulated;
    const auto main = [&]() -> Task<void> {
        Event event;
        Queue<int, 4> queue;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto sleeper = group.spawn([]() -> Task<void> { co_await sleep(1h); });
            EXPECT_TRUE(simulated.post([&] {
                event.set();
                EXPECT_TRUE(queue.try_put(5));
                sleeper.cancel();
                log::info("posted");
            }).has_value());
            co_await event.wait();
            const auto item = co_await queue.get();
            EXPECT_EQ(item, 5);
            const auto ended = co_await attempt(sleeper.join());
            EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        });
    };
    EXPECT_EQ(simulated.run(main), 0);
    EXPECT_EQ(simulated.world().written(2), "info: posted\n");
}

// Posts and turns at random, beside a queue that cannot be wrong.
TEST(Mailbox, behaves_as_its_model_under_random_use) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimulatedRuntime<four_posts> simulated;
        const auto main = [&]() -> Task<void> {
            testing::Random random(seed);
            std::array<int, 4> posted{};  // the model: what is in the mailbox, oldest first
            std::size_t size = 0;
            int number = 0;
            for (int step = 0; step < 300; ++step) {
                if (random.between(0, 2) != 0) {
                    const auto result = simulated.post([&, mine = ++number] {
                        EXPECT_GT(size, 0u);
                        EXPECT_EQ(posted[0], mine);
                        std::shift_left(posted.begin(), posted.end(), 1);
                        --size;
                    });
                    EXPECT_EQ(result.has_value(), size < 4);
                    if (result) posted[size++] = number;
                } else {
                    co_await sleep(1us);
                    EXPECT_EQ(size, 0u);
                }
            }
        };
        EXPECT_EQ(simulated.run(main), 0);
    }
}

TEST(Mailbox, that_is_open_keeps_a_run_from_being_called_deadlocked) {
    SimulatedRuntime<four_posts> open;
    SimulatedRuntime<Limits{}> shut;
    const auto main = [](testing::World& world) -> Task<void> {
        world.on_deadlock([](void* it) { static_cast<testing::World*>(it)->raise(15); }, &world);
        co_await sleep_until(Deadline::none());
    };
    EXPECT_EQ(open.run(main, std::ref(open.world())), 143);
    EXPECT_EQ(open.world().written(2), "");
    EXPECT_EQ(shut.run(main, std::ref(shut.world())), 143);
    EXPECT_NE(shut.world().written(2).find("nothing can wake"), std::string_view::npos);
}

}  // namespace
}  // namespace ringlet::support
