#include <ringlet/app/progress.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

std::string line(std::string_view label, std::size_t columns, const ProgressNumbers& numbers) {
    ProgressLine progress(label, columns);
    return std::string(progress.update(0, numbers));
}

TEST(ProgressLine, shows_what_is_known) {
    EXPECT_EQ(line("fetch", 80, {.done = 37, .total = 100, .failed = 2, .per_second = 12.3}),
              "\rfetch: 37/100 (37%), 12.3/s, 2 failed, 6s left\x1B[K");
    EXPECT_EQ(line("fetch", 80, {.done = 37}), "\rfetch: 37\x1B[K");
    EXPECT_EQ(line("fetch", 80, {.done = 1000, .per_second = 1234.5}),
              "\rfetch: 1000, 1234/s\x1B[K");
    EXPECT_EQ(line("fetch", 80, {.done = 100, .total = 100, .per_second = 5}),
              "\rfetch: 100/100 (100%), 5.0/s\x1B[K");
}

TEST(ProgressLine, survives_odd_numbers) {
    EXPECT_EQ(line("x", 80, {.done = 3, .total = 2, .per_second = std::nan("")}),
              "\rx: 3/2 (100%)\x1B[K");
    EXPECT_EQ(line("x", 80, {.done = 1, .total = 2, .per_second = HUGE_VAL}),
              "\rx: 1/2 (50%)\x1B[K");
    EXPECT_EQ(line("x", 80, {.done = 1, .total = 2, .per_second = -1}), "\rx: 1/2 (50%)\x1B[K");
    EXPECT_EQ(line("x", 80, {.done = 0, .total = ~std::uint64_t{0}, .per_second = 1e-300}),
              "\rx: 0/18446744073709551615 (0%), 0.0/s\x1B[K");
}

TEST(ProgressLine, is_cut_one_column_before_the_edge) {
    EXPECT_EQ(line("fetch", 10, {.done = 37, .total = 100}), "\rfetch: 37\x1B[K");
    EXPECT_EQ(line("caf\xC3\xA9", 5, {.done = 37}), "\rcaf\xC3\xA9\x1B[K");
    EXPECT_EQ(line("x", 1, {.done = 37}), "\r\x1B[K");
    const std::string label(4000, 'x');
    EXPECT_EQ(line(label, 10'000, {}).size(), 1 + progress_columns_max - 1 + 3);
}

TEST(ProgressLine, is_nothing_without_a_terminal) {
    ProgressLine progress("fetch", 0);
    EXPECT_EQ(progress.update(0, {.done = 1}), "");
    EXPECT_EQ(progress.erase(), "");
}

TEST(ProgressLine, comes_at_most_five_times_a_second) {
    ProgressLine progress("fetch", 80);
    int printed = 0;
    for (Instant now = 0; now < 10'000'000'000; now += 1'000'000) {
        printed += progress.update(now, {.done = 1}).empty() ? 0 : 1;
    }
    EXPECT_EQ(printed, 50);
}

TEST(ProgressLine, is_erased_once_and_does_not_come_back_sooner) {
    ProgressLine progress("fetch", 80);
    EXPECT_EQ(progress.erase(), "");
    EXPECT_NE(progress.update(0, {.done = 1}), "");
    EXPECT_EQ(progress.erase(), "\r\x1B[K");
    EXPECT_EQ(progress.erase(), "");
    EXPECT_EQ(progress.update(1, {.done = 1}), "");
    EXPECT_NE(progress.update(Nanoseconds{200ms}.count(), {.done = 1}), "");
}

TEST(ProgressLine, takes_any_instant) {
    ProgressLine progress("fetch", 80);
    EXPECT_NE(progress.update(std::numeric_limits<Instant>::min(), {}), "");
    EXPECT_NE(progress.update(never - 1, {}), "");
    EXPECT_EQ(progress.update(never - 1, {}), "");
}

}  // namespace
}  // namespace ringlet
