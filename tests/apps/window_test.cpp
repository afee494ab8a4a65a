// Windows, and the batches made of them.
#include <window.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <limits>
#include <string>

namespace station {
namespace {

std::array<char, batch_bytes_max> memory;

std::string channel(unsigned number) {
    char name[channel_bytes_max + 1];
    std::snprintf(name, sizeof name, "channel-%015u", number);
    return name;
}

TEST(Window, has_count_least_most_sum_and_last_of_each_channel) {
    Window window;
    for (const double value : {2.0, -1.0, 4.0}) EXPECT_TRUE(window.add(Reading("a", value)));
    EXPECT_TRUE(window.add(Reading("b", 7)));
    ASSERT_EQ(window.channels().size(), 2u);
    const Channel& a = window.channels()[0];
    EXPECT_EQ(a.name.view(), "a");
    EXPECT_EQ(a.count, 3u);
    EXPECT_EQ(a.min, -1);
    EXPECT_EQ(a.max, 4);
    EXPECT_EQ(a.sum, 5);
    EXPECT_EQ(a.last, 4);
    EXPECT_EQ(window.channels()[1].min, 7);
    window.clear();
    EXPECT_TRUE(window.is_empty());
}

TEST(Window, has_so_many_channels_and_no_more) {
    Window window;
    for (unsigned i = 0; i < channels_max; ++i) EXPECT_TRUE(window.add(Reading(channel(i), i)));
    EXPECT_FALSE(window.add(Reading("one-more", 1)));
    EXPECT_TRUE(window.add(Reading(channel(3), 1)));
    EXPECT_EQ(window.channels().size(), channels_max);
}

TEST(Window, takes_up_an_earlier_one) {
    Window earlier;
    for (const double value : {1.0, 9.0, 5.0}) earlier.add(Reading("a", value));
    earlier.add(Reading("b", 3));
    Window window;
    window.add(Reading("a", 4));
    EXPECT_EQ(window.add_earlier(earlier), 0u);
    const Channel& a = window.channels()[0];
    EXPECT_EQ(a.count, 4u);
    EXPECT_EQ(a.min, 1);
    EXPECT_EQ(a.max, 9);
    EXPECT_EQ(a.sum, 19);
    EXPECT_EQ(a.last, 4) << "the later one's";
    EXPECT_EQ(window.channels()[1].last, 3);
}

TEST(Window, tells_what_of_an_earlier_one_it_has_no_room_for) {
    Window earlier;
    earlier.add(Reading("old", 1));
    earlier.add(Reading("old", 2));
    Window window;
    for (unsigned i = 0; i < channels_max; ++i) window.add(Reading(channel(i), i));
    EXPECT_EQ(window.add_earlier(earlier), 2u);
}

TEST(Batch, is_a_line_of_json) {
    Window window;
    window.add(Reading("temperature", 20.5));
    window.add(Reading("temperature", 21));
    const BatchHead head{.station = "attic",
                         .sequence = 7,
                         .ended = 1'764'000'000'123'456'789,
                         .length = std::chrono::milliseconds(10'002),
                         .condition = "ill: can"};
    EXPECT_EQ(write_batch(memory, head, window, {.bad_lines = 2}),
              R"({"station":"attic","sequence":7,"time_ms":1764000000123,"seconds":10.002,)"
              R"("condition":"ill: can","channels":{"temperature":{"count":2,"min":20.5,"max":21,)"
              R"("mean":20.75,"last":21}},"lost":{"bad_lines":2,"line_errors":0,"bad_frames":0,)"
              R"("can_frames":0,"edges":0,"channels":0,"batches":0,"refused":0}})"
              "\n");
}

TEST(Batch, has_room_for_the_most_channels_with_the_longest_numbers) {
    constexpr std::uint64_t many = std::numeric_limits<std::uint64_t>::max();
    constexpr double longest = -1.2345678901234567e-300;
    Window window;
    for (unsigned i = 0; i < channels_max; ++i) {
        for (int n = 0; n < 3; ++n) window.add(Reading(channel(i), longest));
    }
    const std::string name(name_bytes_max, '\x01');
    const std::string condition(127, 'x');
    const Losses losses{many, many, many, many, many, many, many, many};
    const BatchHead head{.station = name, .sequence = many, .ended = 0, .condition = condition};
    const auto text = write_batch(memory, head, window, losses);
    std::printf("%zu bytes of %zu\n", text.size(), batch_bytes_max);
    // Counts in it may be longer by 19 digits each.
    EXPECT_LE(text.size() + channels_max * 19, batch_bytes_max);
}

}  // namespace
}  // namespace station
