// Against a sorted list of what was recorded.
#include <ringlet/app/histogram.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

constexpr Instant unit = Histogram::resolution.count();

class Model {
public:
    void record(Nanoseconds span) {
        histogram.record(span);
        spans_.push_back(std::max(span, 0ns));
    }
    // The least span that a share q of all does not exceed.
    Nanoseconds quantile(double q) {
        std::ranges::sort(spans_);
        for (std::size_t i = 0; i < spans_.size(); ++i) {
            if (static_cast<double>(i + 1) / static_cast<double>(spans_.size()) >= q) {
                return spans_[i];
            }
        }
        return spans_.back();
    }
    void check(double q) {
        const Instant exact = quantile(q).count();
        const Instant given = histogram.quantile(q).count();
        EXPECT_GE(given, exact) << q;
        if (exact <= Histogram::span_max.count()) {
            EXPECT_LE(given, exact + std::max(exact / 32, unit)) << q;
        }
        EXPECT_LE(given, spans_.back().count()) << q;
    }
    void check_all() {
        for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999}) {
            check(q);
        }
        EXPECT_EQ(histogram.count(), spans_.size());
        EXPECT_EQ(histogram.max(), quantile(1));
        EXPECT_EQ(histogram.quantile(1), quantile(1));
    }
    Histogram histogram;

private:
    std::vector<Nanoseconds> spans_;
};

TEST(Histogram, has_no_quantiles_while_it_is_empty) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.max(), 0ns);
    for (const double q : {0.0, 0.5, 1.0})
        EXPECT_EQ(histogram.quantile(q), 0ns);
}

TEST(Histogram, of_one_span_gives_it_for_every_quantile) {
    for (const Nanoseconds span : std::initializer_list<Nanoseconds>{
             0ns, 1ns, 1023ns, 1024ns, 1ms, 1234567ns, 1h, Histogram::span_max,
             Histogram::span_max + 1ns, 100h, Nanoseconds::max()}) {
        Histogram histogram;
        histogram.record(span);
        for (const double q : {0.0, 0.5, 1.0})
            EXPECT_EQ(histogram.quantile(q), span);
    }
}

TEST(Histogram, is_near_a_sorted_list_of_spans_of_every_size) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 30; ++round) {
        Model model;
        for (int i = 0; i < 1000; ++i) {
            const auto bits = static_cast<unsigned>(random() % 43);
            model.record(Nanoseconds(static_cast<Instant>(random() & ((1ull << bits) - 1))));
        }
        model.check_all();
    }
}

TEST(Histogram, is_near_a_sorted_list_of_spans_that_lie_together) {
    std::mt19937_64 random(2);
    for (const Nanoseconds middle : std::initializer_list<Nanoseconds>{5us, 300us, 20ms, 3s}) {
        std::normal_distribution<double> spread(static_cast<double>(middle.count()),
                                                static_cast<double>(middle.count()) / 10);
        Model model;
        for (int i = 0; i < 5000; ++i) {
            model.record(Nanoseconds(static_cast<Instant>(spread(random))));
        }
        model.check_all();
    }
}

TEST(Histogram, keeps_its_promise_at_every_bucket_s_edges) {
    for (unsigned bit = 0; bit < 42; ++bit) {
        for (Instant part = 32; part < 64; ++part) {
            const Instant edge = bit < 5 ? part << bit : (part << bit) >> 5;
            if (edge > Histogram::span_max.count()) continue;
            for (const Instant span : {edge - 1, edge, edge + 1}) {
                Histogram histogram;
                histogram.record(Nanoseconds(span));
                histogram.record(1000h);  // so that the maximum does not hold it back
                const Instant given = histogram.quantile(0.5).count();
                EXPECT_GE(given, span);
                if (span <= Histogram::span_max.count()) {
                    EXPECT_LE(given, span + std::max(span / 32, unit));
                }
            }
        }
    }
}

TEST(Histogram, counts_spans_that_are_too_long_and_knows_the_longest) {
    Model model;
    for (int i = 0; i < 98; ++i)
        model.record(1ms);
    model.record(100h);
    model.record(200h);
    model.check(0.5);
    model.check(0.98);
    EXPECT_EQ(model.histogram.quantile(0.99), Nanoseconds(200h));
    EXPECT_EQ(model.histogram.max(), Nanoseconds(200h));
    EXPECT_EQ(model.histogram.count(), 100u);
}

TEST(Histogram, takes_a_negative_span_as_zero) {
    Model model;
    model.record(-1ns);
    model.record(Nanoseconds::min());
    EXPECT_EQ(model.histogram.quantile(1), 0ns);
    model.record(1ms);
    model.check_all();
}

TEST(Histogram, does_not_miss_a_rank_by_rounding) {
    // 0.07 * 100 is more than 7 in binary; yet 7 of 100 are a share of 0.07.
    for (int percent = 1; percent <= 100; ++percent) {
        Histogram histogram;
        for (int i = 0; i < percent; ++i)
            histogram.record(1ms);
        for (int i = percent; i < 100; ++i)
            histogram.record(1s);
        EXPECT_LT(histogram.quantile(percent / 100.0), Nanoseconds(2ms)) << percent;
        if (percent == 100) continue;
        EXPECT_GE(histogram.quantile((percent + 1) / 100.0), Nanoseconds(1s));
    }
}

TEST(Histogram, has_nothing_in_it_after_clear) {
    Histogram histogram;
    histogram.record(1h);
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.quantile(1), 0ns);
    histogram.record(1ms);
    EXPECT_EQ(histogram.quantile(0.5), Nanoseconds(1ms));
}

TEST(Histogram, is_of_a_size_that_a_board_can_afford) {
    static_assert(sizeof(Histogram) < 8 * 1024);
}

TEST(HistogramDeathTest, refuses_shares_that_are_none) {
    Histogram histogram;
    EXPECT_DEATH((void)histogram.quantile(-0.1), "q >= 0");
    EXPECT_DEATH((void)histogram.quantile(1.1), "q <= 1");
    EXPECT_DEATH((void)histogram.quantile(std::nan("")), "q >= 0");
}

}  // namespace
}  // namespace ringlet
