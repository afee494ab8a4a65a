// FramePool: whether a frame fits depends on the frames alive now, never on history.
#include <ringlet/task/frame_pool.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

namespace ringlet {
namespace {

constexpr Limits limits{.frames = {{32, 3}, {64, 5}, {128, 40}, {256, 20}, {1024, 4}}};

// A pool with its storage.
class Pool {
public:
    explicit Pool(const Limits& bounds)
        : storage_(bounds.frame_storage_bytes() / sizeof(Line)),
          pool(bounds, std::as_writable_bytes(std::span(storage_))) {}

private:
    struct alignas(FramePool::alignment) Line {
        std::byte bytes[FramePool::alignment];
    };
    std::vector<Line> storage_;

public:
    FramePool pool;
};

unsigned class_for(std::size_t bytes) {
    unsigned index = 0;
    while (limits.frames[index].bytes < bytes) ++index;
    return index;
}

TEST(FramePool, serves_from_the_smallest_class_that_is_large_enough) {
    Pool own(limits);
    for (const std::size_t bytes : {1u, 16u, 31u, 32u, 33u, 64u, 65u, 128u, 129u, 1023u, 1024u}) {
        void* const slot = own.pool.allocate(bytes);
        ASSERT_NE(slot, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slot) % FramePool::alignment, 0u);
        const unsigned expected = class_for(bytes);
        for (unsigned i = 0; i < own.pool.classes(); ++i) {
            EXPECT_EQ(own.pool.use(i).live, i == expected ? 1u : 0u) << bytes << " bytes";
        }
        std::memset(slot, 0x5A, bytes);
        own.pool.release(slot, bytes);
        EXPECT_EQ(own.pool.live(), 0u);
    }
}

TEST(FramePool, knows_how_many_bytes_its_classes_needed_at_most) {
    Pool own(limits);
    EXPECT_EQ(own.pool.bytes_max(), 0u);
    void* const small = own.pool.allocate(20);
    void* const large = own.pool.allocate(1000);
    EXPECT_EQ(own.pool.bytes_max(), 32u + 1024u);
    own.pool.release(large, 1000);
    void* const other = own.pool.allocate(65);
    EXPECT_EQ(own.pool.allocate(1025), nullptr);
    EXPECT_EQ(own.pool.bytes_max(), 32u + 1024u + 128u);
    own.pool.release(small, 20);
    own.pool.release(other, 65);
    EXPECT_EQ(own.pool.live(), 0u);
}

TEST(FramePool, refuses_when_the_class_is_full_and_borrows_from_no_other) {
    Pool own(limits);
    void* slots[3];
    for (void*& slot : slots) slot = own.pool.allocate(20);
    EXPECT_EQ(own.pool.allocate(20), nullptr);
    EXPECT_EQ(own.pool.use(0).refused, 1u);
    void* const larger = own.pool.allocate(40);
    EXPECT_NE(larger, nullptr);
    own.pool.release(slots[1], 20);
    void* const again = own.pool.allocate(32);
    EXPECT_EQ(again, slots[1]);
    own.pool.release(slots[0], 20);
    own.pool.release(slots[2], 20);
    own.pool.release(again, 32);
    own.pool.release(larger, 40);
    EXPECT_EQ(own.pool.live(), 0u);
}

TEST(FramePool, counts_what_is_larger_than_every_class) {
    Pool own(limits);
    EXPECT_EQ(own.pool.allocate(1025), nullptr);
    EXPECT_EQ(own.pool.allocate(frame_bytes_max), nullptr);
    EXPECT_EQ(own.pool.allocate(frame_bytes_max + 1), nullptr);
    EXPECT_EQ(own.pool.allocate(std::numeric_limits<std::size_t>::max() / 2), nullptr);
    EXPECT_EQ(own.pool.oversized(), 4u);
    EXPECT_EQ(own.pool.live(), 0u);
}

TEST(FramePool, keeps_the_high_water_of_each_class_and_its_largest_request) {
    Pool own(limits);
    std::vector<void*> slots;
    for (int i = 0; i < 7; ++i) slots.push_back(own.pool.allocate(100));
    slots.push_back(own.pool.allocate(111));
    for (std::size_t i = 0; i < 7; ++i) own.pool.release(slots[i], 100);
    own.pool.release(slots[7], 111);
    void* const one = own.pool.allocate(90);
    const FrameClassUse& use = own.pool.use(class_for(100));
    EXPECT_EQ(use.live, 1u);
    EXPECT_EQ(use.live_max, 8u);
    EXPECT_EQ(use.largest, 111u);
    EXPECT_EQ(use.bytes, 128u);
    EXPECT_EQ(use.count, 40u);
    own.pool.release(one, 90);
}

TEST(FramePool, gives_out_its_whole_storage_and_no_byte_twice) {
    Pool own(limits);
    struct Held {
        unsigned char* at;
        std::size_t bytes;
    };
    std::vector<Held> held;
    for (const FrameClass& each : limits.frames) {
        for (unsigned i = 0; i < each.count; ++i) {
            auto* const at = static_cast<unsigned char*>(own.pool.allocate(each.bytes));
            ASSERT_NE(at, nullptr);
            std::memset(at, static_cast<int>(held.size()), each.bytes);
            held.push_back({at, each.bytes});
        }
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
        for (std::size_t byte = 0; byte < held[i].bytes; ++byte) {
            ASSERT_EQ(held[i].at[byte], static_cast<unsigned char>(i));
        }
    }
    own.pool.prefault();
    for (const Held& each : held) own.pool.release(each.at, each.bytes);
    EXPECT_EQ(own.pool.live(), 0u);
}

// Ten million steps, in phases that favour different sizes and fill levels, against a model that
// only counts the live frames of each class.
TEST(FramePool, never_lets_history_decide) {
    struct Held {
        unsigned char* at;
        std::size_t bytes;
        unsigned stamp;
    };
    Pool own(limits);
    std::vector<Held> held;
    held.reserve(256);
    std::array<unsigned, frame_classes_max> live{};
    std::array<unsigned, frame_classes_max> live_max{};
    std::array<std::uint64_t, frame_classes_max> refused{};
    std::mt19937 random(20'261'120);
    unsigned surprises = 0;
    unsigned damaged = 0;
    unsigned stamp = 0;
    for (unsigned step = 0; step < 10'000'000; ++step) {
        const unsigned phase = step / 50'000 % 8;
        const unsigned grows_of_16 = phase % 2 == 0 ? 11 : 6;
        if (held.empty() || random() % 16 < grows_of_16) {
            const std::size_t size_max = phase < 3 ? 64 : phase < 6 ? 300 : 1024;
            const std::size_t bytes = 8 + random() % (size_max - 7);
            const unsigned index = class_for(bytes);
            auto* const at = static_cast<unsigned char*>(own.pool.allocate(bytes));
            const bool fits = live[index] < limits.frames[index].count;
            if ((at != nullptr) != fits) ++surprises;
            if (at == nullptr) {
                ++refused[index];
                continue;
            }
            live_max[index] = std::max(live_max[index], ++live[index]);
            ++stamp;
            std::memcpy(at, &stamp, sizeof stamp);
            std::memcpy(at + bytes - sizeof stamp, &stamp, sizeof stamp);
            held.push_back({at, bytes, stamp});
        } else {
            const std::size_t which = random() % held.size();
            const Held gone = held[which];
            held[which] = held.back();
            held.pop_back();
            if (std::memcmp(gone.at, &gone.stamp, sizeof stamp) != 0 ||
                std::memcmp(gone.at + gone.bytes - sizeof stamp, &gone.stamp, sizeof stamp) != 0) {
                ++damaged;
            }
            --live[class_for(gone.bytes)];
            own.pool.release(gone.at, gone.bytes);
        }
    }
    EXPECT_EQ(surprises, 0u);
    EXPECT_EQ(damaged, 0u);
    EXPECT_EQ(own.pool.live(), held.size());
    for (unsigned i = 0; i < own.pool.classes(); ++i) {
        EXPECT_EQ(own.pool.use(i).live, live[i]);
        EXPECT_EQ(own.pool.use(i).live_max, live_max[i]);
        EXPECT_EQ(own.pool.use(i).refused, refused[i]);
        EXPECT_GT(refused[i], 0u) << "class " << i << " was never full";
    }
    for (const Held& each : held) own.pool.release(each.at, each.bytes);
    EXPECT_EQ(own.pool.live(), 0u);
}

TEST(FramePoolDeathTest, a_slot_that_was_given_back_twice_shows_when_the_live_ones_are_counted) {
    Pool own(limits);
    void* const slot = own.pool.allocate(20);
    own.pool.release(slot, 20);
    EXPECT_EQ(own.pool.live(), 0u);
    // AddressSanitizer says so at once, in words of its own.
    EXPECT_DEATH(
        {
            own.pool.release(slot, 20);
            static_cast<void>(own.pool.live());
        },
        "found < most|use-after-poison");
}

TEST(FramePool, may_be_made_anew_in_the_storage_of_one_that_is_gone) {
    alignas(FramePool::alignment) static std::byte storage[limits.frame_storage_bytes()];
    for (int round = 0; round < 3; ++round) {
        FramePool pool(limits, storage);
        void* const slot = pool.allocate(100);
        ASSERT_NE(slot, nullptr);
        std::memset(slot, round, 100);
        if (round != 1) pool.release(slot, 100);  // left behind: the next one starts afresh
    }
}

}  // namespace
}  // namespace ringlet
