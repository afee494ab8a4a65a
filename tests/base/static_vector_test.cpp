#include <ringlet/base/static_vector.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

namespace ringlet {
namespace {

struct Counted {
    explicit Counted(int its_number) : number(its_number) { ++alive; }
    Counted(Counted&& other) noexcept : number(other.number) { ++alive; }
    Counted(const Counted&) = delete;
    ~Counted() {
        --alive;
        last_destroyed = number;
    }
    int number;
    static inline int alive = 0;
    static inline int last_destroyed = -1;
};

TEST(StaticVector, is_empty_at_first_and_knows_its_capacity) {
    StaticVector<int, 3> vector;
    EXPECT_TRUE(vector.empty());
    EXPECT_FALSE(vector.full());
    EXPECT_EQ(vector.capacity(), 3u);
    EXPECT_EQ(vector.begin(), vector.end());
}

TEST(StaticVector, keeps_items_in_their_order) {
    StaticVector<int, 3> vector;
    EXPECT_EQ(vector.push_back(5), 5);
    vector.push_back(6);
    vector.push_back(7);
    EXPECT_TRUE(vector.full());
    EXPECT_EQ(vector[0], 5);
    EXPECT_EQ(vector[2], 7);
    const StaticVector<int, 3>& constant = vector;
    EXPECT_EQ(std::accumulate(constant.begin(), constant.end(), 0), 18);
    vector[1] = 9;
    EXPECT_EQ(std::vector<int>(vector.begin(), vector.end()), (std::vector<int>{5, 9, 7}));
}

TEST(StaticVector, a_moved_one_leaves_nothing_behind) {
    StaticVector<std::unique_ptr<int>, 4> from;
    from.push_back(std::make_unique<int>(1));
    from.push_back(std::make_unique<int>(2));
    StaticVector<std::unique_ptr<int>, 4> to(std::move(from));
    EXPECT_TRUE(from.empty());
    ASSERT_EQ(to.size(), 2u);
    EXPECT_EQ(*to[1], 2);
    from.push_back(nullptr);
    EXPECT_EQ(from.size(), 1u);
}

TEST(StaticVector, destroys_each_item_once_the_last_first) {
    {
        StaticVector<Counted, 4> vector;
        for (int i = 0; i < 3; ++i) vector.push_back(i);
        EXPECT_EQ(Counted::alive, 3);
        vector.clear();
        EXPECT_EQ(Counted::alive, 0);
        EXPECT_EQ(Counted::last_destroyed, 0);
        vector.push_back(8);
    }
    EXPECT_EQ(Counted::alive, 0);
}

TEST(StaticVector, keeps_the_alignment_of_its_items) {
    struct alignas(32) Wide {
        char bytes[32];
    };
    StaticVector<Wide, 2> vector;
    vector.push_back();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(vector.begin()) % 32, 0u);
}

TEST(StaticVectorDeathTest, refuses_one_too_many_and_what_is_not_there) {
    StaticVector<int, 1> vector;
    EXPECT_DEATH(static_cast<void>(vector[0]), "assertion failed");
    vector.push_back(1);
    EXPECT_DEATH(vector.push_back(2), "assertion failed");
}

}  // namespace
}  // namespace ringlet
