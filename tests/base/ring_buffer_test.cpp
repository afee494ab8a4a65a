#include <ringlet/base/ring_buffer.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>

namespace ringlet {
namespace {

// Counts those alive; a moved-from one is still alive.
struct Counted {
    explicit Counted(int its_number) : number(its_number) { ++alive; }
    Counted(Counted&& other) noexcept : number(other.number) { ++alive; }
    Counted(const Counted&) = delete;
    ~Counted() { --alive; }
    int number;
    static inline int alive = 0;
};

TEST(RingBuffer, is_empty_at_first_and_knows_its_capacity) {
    RingBuffer<int, 3> buffer;
    EXPECT_TRUE(buffer.empty());
    EXPECT_FALSE(buffer.full());
    EXPECT_EQ(buffer.size(), 0u);
    EXPECT_EQ(buffer.capacity(), 3u);
}

TEST(RingBuffer, gives_items_back_in_their_order) {
    RingBuffer<int, 3> buffer;
    for (int i : {1, 2, 3}) buffer.push_back(i);
    EXPECT_TRUE(buffer.full());
    EXPECT_EQ(buffer.pop_front(), 1);
    EXPECT_EQ(buffer.pop_front(), 2);
    EXPECT_EQ(buffer.pop_front(), 3);
    EXPECT_TRUE(buffer.empty());
}

TEST(RingBuffer, goes_round_its_end) {
    RingBuffer<int, 4> buffer;
    std::deque<int> model;
    std::mt19937 random(3);
    for (int step = 0; step < 100'000; ++step) {
        if (random() % 2 == 0 ? !buffer.full() : buffer.empty()) {
            buffer.push_back(step);
            model.push_back(step);
        } else {
            ASSERT_EQ(buffer.pop_front(), model.front());
            model.pop_front();
        }
        ASSERT_EQ(buffer.size(), model.size());
        for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(buffer[i], model[i]);
    }
}

TEST(RingBuffer, a_buffer_of_one_works) {
    RingBuffer<int, 1> buffer;
    for (int i = 0; i < 5; ++i) {
        buffer.push_back(i);
        EXPECT_TRUE(buffer.full());
        EXPECT_EQ(buffer.pop_front(), i);
    }
}

TEST(RingBuffer, holds_what_can_only_be_moved) {
    RingBuffer<std::unique_ptr<int>, 2> buffer;
    buffer.push_back(std::make_unique<int>(7));
    const std::unique_ptr<int> out = buffer.pop_front();
    EXPECT_EQ(*out, 7);
}

TEST(RingBuffer, destroys_each_item_once) {
    {
        RingBuffer<Counted, 4> buffer;
        for (int i = 0; i < 4; ++i) buffer.push_back(i);
        EXPECT_EQ(Counted::alive, 4);
        { const Counted out = buffer.pop_front(); }
        EXPECT_EQ(Counted::alive, 3);
        buffer.drop_front();
        EXPECT_EQ(Counted::alive, 2);
        buffer.push_back(4);
        buffer.clear();
        EXPECT_EQ(Counted::alive, 0);
        buffer.push_back(5);
    }
    EXPECT_EQ(Counted::alive, 0);
}

TEST(RingBuffer, keeps_the_alignment_of_its_items) {
    struct alignas(64) Line {
        char bytes[64];
    };
    RingBuffer<Line, 3> buffer;
    for (int i = 0; i < 3; ++i) buffer.push_back();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&buffer[i]) % 64, 0u);
    }
}

TEST(RingBufferDeathTest, refuses_one_too_many_and_one_too_few) {
    RingBuffer<int, 1> buffer;
    EXPECT_DEATH(buffer.pop_front(), "assertion failed");
    EXPECT_DEATH(buffer.drop_front(), "assertion failed");
    EXPECT_DEATH(static_cast<void>(buffer[0]), "assertion failed");
    buffer.push_back(1);
    EXPECT_DEATH(buffer.push_back(2), "assertion failed");
}

}  // namespace
}  // namespace ringlet
