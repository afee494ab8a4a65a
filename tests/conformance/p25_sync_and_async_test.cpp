// P25: synchronous code and tasks in one program: post() from other threads, block_on().
#include "work/work_cases.hpp"

#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace ringlet::conformance {
namespace {

using support::Gate;
using support::SimulatedRuntime;
using support::Unsealed;
using support::until_true;
using support::work_limits;
using support::work_runtime;

// --- post, from threads

constexpr Limits post_limits{.posts = 8};
Runtime<post_limits> posted_to;

// Threads of the test's own; they and the loop are told apart by their seals.
class Threads {
public:
    template <class F>
    void start(F body) {
        const Unsealed for_the_thread;
        threads_.emplace_back(body);
    }
    void join() {
        const Unsealed for_the_thread;
        for (std::thread& each : threads_) each.join();
        threads_.clear();
    }

private:
    std::vector<std::thread> threads_;
};

TEST(KernelPost, from_several_threads_loses_nothing_and_keeps_the_order_of_each) {
    static constexpr int threads = 4;
    static constexpr int posts = 5000;
    const auto main = []() -> Task<void> {
        std::array<int, threads> last{};
        int came = 0;
        std::atomic<int> refused = 0;
        Threads posters;
        for (int thread = 0; thread < threads; ++thread) {
            posters.start([&, thread] {
                for (int number = 1; number <= posts;) {
                    const auto posted = posted_to.post([&last, &came, thread, number] {
                        EXPECT_EQ(last[thread], number - 1);
                        last[thread] = number;
                        ++came;
                    });
                    if (posted) {
                        ++number;
                    } else {
                        EXPECT_TRUE(posted.error() == RuntimeDetail::posts);
                        ++refused;
                        std::this_thread::yield();
                    }
                }
            });
        }
        co_await until_true([&] { return came == threads * posts; });
        posters.join();
        for (const int each : last) EXPECT_EQ(each, posts);
    };
    RINGLET_RUN_ON_KERNEL(posted_to, main);
    EXPECT_LE(posted_to.report().high_water.posts, post_limits.posts);
    EXPECT_LE(posted_to.report().loop_wakes, threads * posts + 1u);
}

// The way that the documentation shows: post, try_put, and a task that reads the queue.
TEST(KernelPost, feeds_a_queue_that_a_task_reads) {
    static constexpr int items = 1000;
    const auto main = []() -> Task<void> {
        Queue<int, 16> queue;
        Threads producer;
        producer.start([&] {
            for (int item = 0; item < items;) {
                std::atomic<int> taken = -1;
                const auto put = [&queue, &taken, item] { taken = queue.try_put(item) ? 1 : 0; };
                while (!posted_to.post(put)) std::this_thread::yield();
                while (taken < 0) std::this_thread::yield();
                item += taken;
            }
        });
        for (int expected = 0; expected < items; ++expected) {
            const auto item = co_await queue.get();
            EXPECT_EQ(item, expected);
        }
        producer.join();
    };
    RINGLET_RUN_ON_KERNEL(posted_to, main);
}

TEST(KernelPost, to_a_full_mailbox_is_refused_and_taken_again_later) {
    const auto main = []() -> Task<void> {
        std::atomic<int> accepted = 0;
        std::atomic<bool> was_full = false;
        int ran = 0;
        Threads poster;
        poster.start([&] {
            while (posted_to.post([&ran] { ++ran; })) ++accepted;
            was_full = true;
        });
        while (!was_full) {}  // the loop is held up, so nothing is taken out
        EXPECT_EQ(accepted.load(), static_cast<int>(post_limits.posts));
        EXPECT_EQ(ran, 0);
        co_await sleep(1ms);
        EXPECT_EQ(ran, accepted.load());
        poster.join();
    };
    RINGLET_RUN_ON_KERNEL(posted_to, main);
}

TEST(KernelPost, wakes_a_loop_that_waits_with_one_call_for_a_batch) {
    const auto main = []() -> Task<void> {
        Event event;
        std::atomic<bool> posted = false;
        Threads poster;
        poster.start([&] {
            for (unsigned i = 1; i < post_limits.posts; ++i) EXPECT_TRUE(posted_to.post([] {}));
            EXPECT_TRUE(posted_to.post([&] { event.set(); }));
            posted = true;
        });
        while (!posted) {}
        co_await event.wait();
        poster.join();
    };
    RINGLET_RUN_ON_KERNEL(posted_to, main);
    EXPECT_EQ(posted_to.report().loop_wakes, 1u);
}

// Runs begin and end while others post: each post is either refused, or called, or destroyed.
TEST(KernelPost, and_the_end_of_a_run_may_come_together) {
    struct Counted {
        explicit Counted(std::atomic<long>& whose) : alive(&whose) { ++*alive; }
        Counted(const Counted& other) : alive(other.alive) { ++*alive; }
        ~Counted() { --*alive; }
        void operator()() const { EXPECT_GT(alive->load(), 0); }
        std::atomic<long>* alive;
    };
    std::atomic<long> alive = 0;
    std::atomic<bool> over = false;
    std::atomic<long> accepted = 0;
    bool available = true;
    {
        std::vector<std::thread> posters;
        for (int i = 0; i < 3; ++i) {
            posters.emplace_back([&] {
                while (!over) {
                    const auto posted = posted_to.post(Counted(alive));
                    if (posted) ++accepted;
                    else std::this_thread::yield();
                }
            });
        }
        const auto main = []() -> Task<void> {
            for (int i = 0; i < 20; ++i) co_await yield();
        };
        for (int round = 0; round < 200 && available; ++round) {
            available = posted_to.run(main) != exit_unavailable;
        }
        over = true;
        for (std::thread& each : posters) each.join();
    }
    if (!available) GTEST_SKIP() << "no io_uring";
    EXPECT_EQ(alive.load(), 0);
}

TEST(KernelPost, from_a_job_reaches_the_loop) {
    const auto main = []() -> Task<void> {
        int progress = 0;
        const int value = co_await offload([&] {
            for (int i = 0; i < 3; ++i) EXPECT_TRUE(work_runtime.post([&] { ++progress; }));
            return 4;
        });
        EXPECT_EQ(value, 4);
        co_await until_true([&] { return progress == 3; });
    };
    RINGLET_RUN_ON_KERNEL(work_runtime, main);
}

// --- block_on

TEST(BlockOn, gives_the_value_or_the_error_kernel) {
    static Runtime<Limits{}> runtime;
    const auto value = runtime.block_on(value_after, 1ms, 7);
    if (!value && value.error() == RuntimeDetail::ring_denied) GTEST_SKIP() << "no io_uring";
    EXPECT_TRUE(value && *value == 7);
    const auto bad = runtime.block_on(error_after, 1ms, std::errc::io_error);
    EXPECT_TRUE(failed_with(bad, std::errc::io_error));
    const Result<void> done = runtime.block_on([]() -> Task<void> { co_await sleep(1ms); });
    EXPECT_TRUE(done.has_value());
}

TEST(BlockOn, from_two_threads_at_once_runs_or_is_refused_kernel) {
    static constexpr int rounds = 50;
    static Runtime<Limits{}> runtimes[2];
    std::atomic<int> ran = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (auto& runtime : runtimes) {
        threads.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                const auto value = runtime.block_on(at_once, 1);
                if (value) ++ran;
                else if (value.error() == RuntimeDetail::nested_run) ++refused;
                else if (value.error() == RuntimeDetail::ring_denied) ++ran;
            }
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(ran + refused, 2 * rounds);
    EXPECT_GT(ran, 0);
}

TEST(BlockOn, logs_nothing_by_itself_kernel) {
    SimulatedRuntime<work_limits> simulated;
    ::testing::internal::CaptureStderr();
    const auto bad = simulated.block_on(error_after, 1ms, std::errc::io_error);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(simulated.world().written(2), "");
    EXPECT_TRUE(failed_with(bad, std::errc::io_error));
}

TEST(BlockOn, gives_what_can_only_be_moved) {
    SimulatedRuntime<work_limits> simulated;
    Census census;
    const auto make = [&]() -> Task<Owned> {
        co_await yield();
        Owned owned(census, 8);
        co_return std::move(owned);
    };
    {
        const auto owned = simulated.block_on(make);
        EXPECT_TRUE(owned && owned->number() == 8);
    }
    EXPECT_EQ(census.alive, 0);
}

TEST(BlockOn, may_be_called_again_and_again_and_uses_workers_too) {
    SimulatedRuntime<work_limits> simulated;
    for (int i = 0; i < 20; ++i) {
        const auto value = simulated.block_on([](int number) -> Task<int> {
            const int doubled = co_await offload([number] { return 2 * number; });
            co_return doubled;
        }, i);
        EXPECT_TRUE(value && *value == 2 * i);
    }
}

TEST(BlockOn, gives_operation_canceled_when_a_signal_stops_it) {
    SimulatedRuntime<work_limits> simulated;
    const auto stopped = simulated.block_on([&]() -> Task<int> {
        simulated.world().raise(SIGTERM);
        co_await sleep(1h);
        co_return 1;
    });
    EXPECT_TRUE(failed_with(stopped, std::errc::operation_canceled));
    EXPECT_EQ(simulated.report().stop_signal, SIGTERM);
    const auto kept = simulated.block_on([&]() -> Task<int> {
        simulated.world().raise(SIGINT);
        const int value = co_await shield(value_after(1ms, 3));
        co_return value;
    });
    EXPECT_TRUE(kept && *kept == 3);
    EXPECT_EQ(simulated.report().stop_signal, SIGINT);
    EXPECT_TRUE(simulated.block_on(at_once, 1).has_value());
    EXPECT_EQ(simulated.report().stop_signal, 0);
}

TEST(BlockOn, inside_a_run_is_an_error_and_the_run_goes_on) {
    SimulatedRuntime<work_limits> simulated;
    static Runtime<Limits{}> other;
    const auto main = []() -> Task<int> {
        const auto nested = other.block_on(at_once, 1);
        EXPECT_TRUE(failed_with(nested, RuntimeDetail::nested_run));
        co_await yield();
        co_return 6;
    };
    EXPECT_EQ(simulated.run(main), 6);
}

TEST(BlockOn, gives_the_reason_why_threads_cannot_be_had) {
    SimulatedRuntime<work_limits> simulated;
    simulated.world().refuse_threads(EAGAIN);
    const auto refused = simulated.block_on(at_once, 1);
    EXPECT_TRUE(failed_with(refused, std::errc::resource_unavailable_try_again));
}

TEST(BlockOn, without_a_frame_gives_that_error) {
    static constexpr Limits tiny{.frames = {{16, 1}}};
    SimulatedRuntime<tiny> simulated;
    const auto refused = simulated.block_on(at_once, 1);
    EXPECT_TRUE(failed_with(refused, RuntimeDetail::frames));
}

}  // namespace
}  // namespace ringlet::conformance
