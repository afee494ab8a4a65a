#include <ringlet/work/job_queue.hpp>

#include <ringlet/testing/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

namespace ringlet {
namespace {

constexpr JobHooks no_hooks{{.reason = "job", .catches = false, .cancel = nullptr}, nullptr,
                            nullptr};

struct Numbered : Job {
    Numbered(Lane& its_lane, int its_number)
        : Job(no_hooks, nullptr, &its_lane), number(its_number) {}
    int number;
};

int number_of(Job* job) {
    return job != nullptr ? static_cast<Numbered*>(job)->number : -1;
}

TEST(JobQueue, gives_nothing_when_it_is_empty) {
    JobQueue queue;
    EXPECT_EQ(queue.take(), nullptr);
}

TEST(JobQueue, gives_jobs_without_a_lane_in_order_and_side_by_side) {
    JobQueue queue;
    Numbered a(queue.any(), 1);
    Numbered b(queue.any(), 2);
    queue.push(a);
    queue.push(b);
    EXPECT_EQ(number_of(queue.take()), 1);
    EXPECT_EQ(number_of(queue.take()), 2);
    EXPECT_EQ(queue.take(), nullptr);
    queue.ended(b);
    queue.ended(a);
    EXPECT_EQ(queue.take(), nullptr);
}

TEST(JobQueue, gives_a_lane_s_next_job_after_the_one_before_has_ended) {
    JobQueue queue;
    Lane lane;
    Numbered a(lane, 1);
    Numbered b(lane, 2);
    queue.push(a);
    queue.push(b);
    EXPECT_TRUE(a.has_not_begun());
    EXPECT_EQ(number_of(queue.take()), 1);
    EXPECT_TRUE(a.runs());
    EXPECT_EQ(queue.take(), nullptr);
    queue.ended(a);
    EXPECT_EQ(number_of(queue.take()), 2);
    queue.ended(b);
}

TEST(JobQueue, serves_lanes_in_turn) {
    JobQueue queue;
    Lane first;
    Lane second;
    Numbered a(first, 1), b(first, 2), c(second, 3), d(second, 4);
    for (Numbered* each : {&a, &b, &c, &d}) queue.push(*each);
    for (const int expected : {1, 3, 2, 4}) {
        Job* const job = queue.take();
        EXPECT_EQ(number_of(job), expected);
        queue.ended(*job);
    }
}

TEST(JobQueue, a_lane_keeps_its_place_when_its_first_job_is_removed) {
    JobQueue queue;
    Lane first;
    Lane second;
    Numbered a(first, 1), b(first, 2), c(second, 3);
    for (Numbered* each : {&a, &b, &c}) queue.push(*each);
    queue.remove(a);
    for (const int expected : {2, 3}) {
        Job* const job = queue.take();
        EXPECT_EQ(number_of(job), expected);
        queue.ended(*job);
    }
}

TEST(JobQueue, forgets_a_lane_that_dies_while_its_job_runs) {
    JobQueue queue;
    auto lane = std::make_unique<Lane>();
    Numbered job(*lane, 1);
    queue.push(job);
    EXPECT_EQ(queue.take(), &job);
    queue.forget(*lane);
    lane.reset();
    queue.ended(job);
    EXPECT_EQ(queue.take(), nullptr);
}

// Jobs come, are taken, end and are removed at random. What must hold: a lane's jobs in order, one
// at a time; a job is given whenever one may run; no lane is passed over while all others are
// served.
class Model {
public:
    static constexpr unsigned lane_count = 4;  // the last stands for "none"

    explicit Model(std::uint64_t seed) : random_(seed) {}
    ~Model() {
        while (!running_.empty()) end(0);
        while (Job* const job = queue_.take()) queue_.ended(*job);
    }

    void step() {
        switch (random_.between(0, 5)) {
            case 0:
            case 1: push(); break;
            case 2:
            case 3: take(); break;
            case 4:
                if (!running_.empty()) end(random_.size_between(0, running_.size() - 1));
                break;
            case 5: remove(); break;
        }
    }

private:
    struct Entry {
        std::unique_ptr<Numbered> job;
        unsigned lane;
    };

    Lane& lane_at(unsigned index) { return index + 1 == lane_count ? queue_.any() : lanes_[index]; }
    bool is_busy(unsigned lane) const {
        return lane + 1 != lane_count &&
               std::ranges::any_of(running_, [&](const Entry& each) { return each.lane == lane; });
    }
    bool may_run(unsigned lane) const { return !lines_[lane].empty() && !is_busy(lane); }

    void push() {
        const auto lane = static_cast<unsigned>(random_.between(0, lane_count - 1));
        auto job = std::make_unique<Numbered>(lane_at(lane), ++pushed_);
        queue_.push(*job);
        lines_[lane].push_back({std::move(job), lane});
    }
    void take() {
        Job* const job = queue_.take();
        bool any = false;
        for (unsigned lane = 0; lane < lane_count; ++lane) any |= may_run(lane);
        ASSERT_EQ(job != nullptr, any);
        if (job == nullptr) return;
        const auto from = std::ranges::find_if(lines_, [&](const std::deque<Entry>& line) {
            return !line.empty() && line.front().job.get() == job;
        });
        ASSERT_NE(from, std::end(lines_)) << "not the first of its lane";
        const auto lane = static_cast<unsigned>(from - std::begin(lines_));
        ASSERT_FALSE(is_busy(lane));
        for (unsigned other = 0; other < lane_count; ++other) {
            passed_over_[other] = may_run(other) && other != lane ? passed_over_[other] + 1 : 0;
            ASSERT_LT(passed_over_[other], static_cast<int>(lane_count));
        }
        running_.push_back(std::move(from->front()));
        from->pop_front();
    }
    void end(std::size_t index) {
        queue_.ended(*running_[index].job);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    }
    void remove() {
        const auto lane = static_cast<unsigned>(random_.between(0, lane_count - 1));
        auto& line = lines_[lane];
        if (line.empty()) return;
        const auto at = static_cast<std::ptrdiff_t>(random_.between(0, line.size() - 1));
        queue_.remove(*line[static_cast<std::size_t>(at)].job);
        line.erase(line.begin() + at);
        if (line.empty()) passed_over_[lane] = 0;  // it comes back at the end of the turn
    }

    testing::Random random_;
    Lane lanes_[lane_count - 1];
    JobQueue queue_;
    std::deque<Entry> lines_[lane_count];
    std::vector<Entry> running_;
    int passed_over_[lane_count]{};
    int pushed_ = 0;
};

TEST(JobQueue, behaves_as_its_model_under_random_use) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Model model(seed);
        for (int i = 0; i < 500 && !::testing::Test::HasFatalFailure(); ++i) model.step();
        ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace ringlet
