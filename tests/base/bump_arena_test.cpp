#include <ringlet/base/bump_arena.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet {
namespace {

constexpr std::size_t alignment = 16;

template <std::size_t bytes>
struct Storage {
    alignas(alignment) std::array<std::byte, bytes> memory{};
    BumpArena<alignment> arena{memory};
};

void write(void* pointer, std::string_view words) {
    std::memcpy(pointer, words.data(), words.size());
}

std::string_view read(const void* pointer, std::size_t size) {
    return {static_cast<const char*>(pointer), size};
}

TEST(BumpArena, gives_aligned_memory_until_it_is_full) {
    Storage<48> storage;
    for (const std::size_t bytes : {1u, 16u, 9u}) {
        void* const pointer = storage.arena.allocate(bytes);
        ASSERT_NE(pointer, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pointer) % alignment, 0u);
        EXPECT_FALSE(storage.arena.is_full());
    }
    EXPECT_EQ(storage.arena.allocate(1), nullptr);
    EXPECT_TRUE(storage.arena.is_full());
    EXPECT_EQ(storage.arena.capacity_bytes(), 48u);
}

TEST(BumpArena, uses_storage_to_its_last_byte_whatever_the_alignment) {
    Storage<40> storage;
    EXPECT_NE(storage.arena.allocate(32), nullptr);
    EXPECT_NE(storage.arena.allocate(8), nullptr);
    EXPECT_EQ(storage.arena.high_water_bytes(), 40u);
    EXPECT_FALSE(storage.arena.is_full());
}

TEST(BumpArena, that_is_full_still_gives_what_fits_but_stays_full_until_it_is_cleared) {
    Storage<32> storage;
    EXPECT_EQ(storage.arena.allocate(33), nullptr);
    EXPECT_EQ(storage.arena.allocate(SIZE_MAX), nullptr);
    EXPECT_NE(storage.arena.allocate(32), nullptr);
    EXPECT_TRUE(storage.arena.is_full());
    storage.arena.clear();
    EXPECT_FALSE(storage.arena.is_full());
    EXPECT_NE(storage.arena.allocate(32), nullptr);
}

TEST(BumpArena, takes_back_the_newest_allocation_only) {
    Storage<64> storage;
    void* const first = storage.arena.allocate(16);
    void* const second = storage.arena.allocate(16);
    storage.arena.release(first);
    void* const third = storage.arena.allocate(16);
    EXPECT_NE(third, first);
    storage.arena.release(third);
    EXPECT_EQ(storage.arena.allocate(16), third);
    storage.arena.release(nullptr);
    storage.arena.release(second);
    EXPECT_EQ(storage.arena.allocate(17), nullptr);
    EXPECT_EQ(storage.arena.high_water_bytes(), 48u);
}

TEST(BumpArena, gives_no_two_allocations_one_place_so_that_none_is_taken_back_for_another) {
    Storage<64> storage;
    void* const nothing = storage.arena.allocate(0);
    void* const something = storage.arena.allocate(16);
    EXPECT_NE(nothing, something);
    storage.arena.release(nothing);
    EXPECT_NE(storage.arena.allocate(16), something);
}

TEST(BumpArena, copies_what_is_reallocated) {
    Storage<128> storage;
    void* const pointer = storage.arena.reallocate(nullptr, 5);
    write(pointer, "hello");
    void* const next = storage.arena.allocate(5);
    write(next, "other");
    void* const longer = storage.arena.reallocate(pointer, 40);
    EXPECT_EQ(read(longer, 5), "hello");
    void* const shorter = storage.arena.reallocate(longer, 4);
    EXPECT_EQ(read(shorter, 4), "hell");
    EXPECT_EQ(read(pointer, 5), "hello");
    EXPECT_EQ(read(next, 5), "other");
    EXPECT_EQ(storage.arena.reallocate(shorter, 1000), nullptr);
    EXPECT_EQ(read(shorter, 4), "hell");
}

// What is given never overlaps, and keeps its bytes.
TEST(BumpArena, keeps_apart_what_it_gives) {
    struct Given {
        void* pointer;
        std::size_t size;
        char letter;
    };
    Storage<4096> storage;
    std::mt19937 random(4);
    for (int round = 0; round < 200; ++round) {
        storage.arena.clear();
        std::vector<Given> given;
        while (!storage.arena.is_full()) {
            const std::size_t size = random() % 100;
            const char letter = static_cast<char>('a' + given.size() % 26);
            void* pointer = nullptr;
            if (!given.empty() && random() % 4 == 0) {
                Given& old = given[random() % given.size()];
                pointer = storage.arena.reallocate(old.pointer, size);
                if (pointer == nullptr) break;
                const std::size_t both = std::min(size, old.size);
                EXPECT_EQ(read(pointer, both), std::string(both, old.letter));
            } else if (!given.empty() && random() % 4 == 0) {
                storage.arena.release(given.back().pointer);
                given.pop_back();
                continue;
            } else {
                pointer = storage.arena.allocate(size);
            }
            if (pointer == nullptr) break;
            std::memset(pointer, letter, size);
            given.push_back({pointer, size, letter});
        }
        for (const Given& each : given) {
            EXPECT_EQ(read(each.pointer, each.size), std::string(each.size, each.letter));
        }
    }
}

}  // namespace
}  // namespace ringlet
