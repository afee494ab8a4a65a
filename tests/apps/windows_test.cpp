#include <windows.hpp>

#include <output.hpp>

#include <apps/model.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pipeline {
namespace {

constexpr double largest = std::numeric_limits<double>::max();

Record record(std::string_view sensor, double value, double t = 0) {
    Record made;
    made.sensor = SensorName(sensor);
    made.value = value;
    made.t = t;
    return made;
}

void expect_same(const WindowResult& found, const model::Window& expected) {
    EXPECT_EQ(found.sensor.view(), expected.sensor);
    EXPECT_EQ(found.count, expected.values.size());
    EXPECT_EQ(found.min, expected.min());
    EXPECT_EQ(found.max, expected.max());
    EXPECT_EQ(found.mean, expected.mean());
    EXPECT_EQ(found.last_value, expected.values.back());
    EXPECT_EQ(found.last_t, expected.last_t);
}

// The result of one window of `values`.
WindowResult window_of(std::initializer_list<double> values) {
    Windows windows(values.size());
    WindowResult result;
    auto added = Windows::Added::open;
    for (const double value : values) {
        EXPECT_EQ(added, Windows::Added::open);
        added = windows.add(record("a", value), result);
    }
    EXPECT_EQ(added, Windows::Added::complete);
    EXPECT_EQ(windows.pending(), 0u);
    return result;
}

TEST(Windows, agree_with_a_plain_model) {
    unsigned results = 0;
    for (unsigned seed = 1; seed <= 60; ++seed) {
        const std::size_t size = 1 + seed % 7;
        const auto items = model::items(seed * 20, 1 + seed * seed % 50, seed);
        const auto expected = model::windows(items, size);
        Windows windows(size);
        std::size_t complete = 0;
        std::size_t held = 0;
        for (const model::Item& item : items) {
            WindowResult result;
            const auto added = windows.add(record(item.sensor, item.value, item.t), result);
            ++held;
            if (added == Windows::Added::complete) {
                ASSERT_LT(complete, expected.complete.size());
                expect_same(result, expected.complete[complete++]);
                held -= size;
            }
            ASSERT_EQ(windows.pending(), held);
        }
        EXPECT_EQ(complete, expected.complete.size());
        for (const model::Window& left : expected.incomplete) {
            const auto taken = windows.take_incomplete();
            ASSERT_TRUE(taken);
            expect_same(*taken, left);
        }
        EXPECT_FALSE(windows.take_incomplete());
        EXPECT_FALSE(windows.take_incomplete());
        EXPECT_EQ(windows.pending(), 0u);
        results += static_cast<unsigned>(complete + expected.incomplete.size());
    }
    std::printf("%u windows compared\n", results);
}

TEST(Windows, refuse_the_sensor_over_the_limit_and_keep_the_others) {
    Windows windows(2);
    WindowResult result;
    for (std::size_t i = 0; i < sensors_max; ++i) {
        EXPECT_EQ(windows.add(record(std::to_string(i), 1), result), Windows::Added::open);
    }
    EXPECT_EQ(windows.sensors(), sensors_max);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(windows.add(record("one more", 1), result), Windows::Added::no_room);
    }
    EXPECT_EQ(windows.pending(), sensors_max);  // what was refused is not held
    for (std::size_t i = 0; i < sensors_max; ++i) {
        EXPECT_EQ(windows.add(record(std::to_string(i), 1), result), Windows::Added::complete);
        EXPECT_EQ(result.sensor.view(), std::to_string(i));
    }
    EXPECT_EQ(windows.add(record("one more", 1), result), Windows::Added::no_room);
}

TEST(Windows, tell_names_apart_that_share_a_beginning_or_a_zero_byte) {
    Windows windows(2);
    WindowResult result;
    const std::string_view names[] = {"a", "aa", std::string_view("a\0", 2), ""};
    for (const std::string_view name : names) {
        EXPECT_EQ(windows.add(record(name, 1), result), Windows::Added::open);
    }
    EXPECT_EQ(windows.sensors(), 4u);
}

TEST(Windows, hold_huge_values_without_overflow) {
    const auto same = window_of({largest, largest, largest, largest, largest});
    EXPECT_EQ(same.mean, largest);
    const auto both = window_of({largest, -largest, largest, -largest});
    EXPECT_TRUE(std::isfinite(both.mean));
    EXPECT_NEAR(both.mean / largest, 0, 1e-15);
    EXPECT_EQ(both.min, -largest);
    EXPECT_EQ(both.max, largest);
    const auto small = window_of({-1e-300, -3e-300});
    EXPECT_DOUBLE_EQ(small.mean, -2e-300);
}

TEST(Windows, take_minimum_and_maximum_of_negative_values) {
    const auto result = window_of({-5, -7, -6});
    EXPECT_EQ(result.min, -7);
    EXPECT_EQ(result.max, -5);
    EXPECT_DOUBLE_EQ(result.mean, -6);
    EXPECT_EQ(result.last_value, -6);
}

TEST(Windows, keep_the_mean_exact_enough_over_a_million_values) {
    Windows windows(1'000'000);
    WindowResult result;
    long double sum = 0;
    std::mt19937 random(3);
    auto added = Windows::Added::open;
    for (int i = 0; i < 1'000'000; ++i) {
        const auto value = static_cast<double>(random()) / 1e6;
        sum += value;
        added = windows.add(record("a", value), result);
    }
    EXPECT_EQ(added, Windows::Added::complete);
    EXPECT_NEAR(result.mean / static_cast<double>(sum / 1'000'000), 1, 1e-12);
}

// Rows are in memory until they are flushed, so the widest must fit where is_full() says so.
TEST(Output, has_room_for_the_widest_row) {
    WindowResult widest;
    widest.sensor = SensorName(std::string(sensor_bytes_max, '\x01'));
    widest.count = std::numeric_limits<std::uint64_t>::max();
    widest.min = widest.max = widest.mean = widest.last_value = widest.last_t =
        -2.2250738585072014e-308;
    for (const bool jsonl : {true, false}) {
        const auto output = std::make_unique<Output>(jsonl);
        std::uint64_t rows = 0;
        for (; !output->is_full(); ++rows) output->add(widest);
        output->add(widest);  // asserts if it does not fit
        EXPECT_EQ(output->rows(), rows + 1);
        EXPECT_GT(rows, 40u);
    }
}

}  // namespace
}  // namespace pipeline
