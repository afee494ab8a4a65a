// FramePool: where coroutine frames live.
//
// Each size class has its own fixed part of the storage. A request goes to the smallest class that
// is large enough, and to no other: no carving, no merging, no borrowing. So whether a frame fits
// depends only on the frames alive now, never on history. Both ways are O(1).
//
// A slot never used is taken only while none that was given back is free. So those used once are
// the high-water mark, and nothing is counted as frames come and go: use() looks at the lists.
#pragma once

#include <ringlet/base/panic.hpp>
#include <ringlet/task/limits.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#if defined(__SANITIZE_ADDRESS__)
#define RINGLET_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGLET_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef RINGLET_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace ringlet {

// What a size class has seen.
struct FrameClassUse {
    unsigned bytes = 0;
    unsigned count = 0;
    unsigned live = 0;
    unsigned live_max = 0;     // high-water mark
    unsigned largest = 0;      // largest request served, in bytes
    std::uint64_t refused = 0;  // requests that found the class full
};

class FramePool {
public:
    static constexpr std::size_t alignment = 16;

    // `storage` has limits.frame_storage_bytes(), is aligned to `alignment`, and outlives the pool.
    FramePool(const Limits& limits, std::span<std::byte> storage);
    FramePool(const FramePool&) = delete;
    FramePool& operator=(const FramePool&) = delete;

    // Null if no slot is free in the class that `bytes` belongs to, or if no class is that large.
    void* allocate(std::size_t bytes) {
        Class& slots = class_of(bytes);
        Slot* const slot = slots.free;
        if (slot == nullptr) return allocate_fresh(bytes);
        unpoison(slot, slots.bytes);
        slots.free = slot->next;
        if (bytes > slots.largest) slots.largest = static_cast<unsigned>(bytes);
        return slot;
    }

    // `bytes` as at allocate().
    void release(void* slot, std::size_t bytes) {
        Class& slots = class_of(bytes);
        slots.free = ::new (slot) Slot{slots.free};
        poison(slot, slots.bytes);
    }

    // Frames alive. Walks through the free slots, as use() does.
    std::size_t live() const;
    // Bytes that the classes needed at most, each at its own time.
    std::size_t bytes_max() const;
    // Requests that were larger than the largest class.
    std::uint64_t oversized() const { return oversized_; }
    unsigned classes() const { return count_; }
    FrameClassUse use(unsigned index) const;

    // Touches every page of the storage, so that none is missing later.
    void prefault();

private:
    struct Slot {
        Slot* next;
    };
    struct alignas(8 * sizeof(void*)) Class {  // its size, rounded up to what a shift can find
        Slot* free = nullptr;
        std::byte* fresh = nullptr;  // the first slot never used: its page may be untouched
        std::byte* end = nullptr;
        unsigned bytes = 0;
        unsigned count = 0;
        unsigned largest = 0;
        std::uint64_t refused = 0;

        unsigned used_once() const {
            return count - static_cast<unsigned>(end - fresh) / bytes;
        }
        unsigned given_back() const;
    };

    static constexpr unsigned no_class = frame_classes_max;
    static constexpr std::size_t step = 16;

    // Where no slot was given back: one never used, or null.
    [[gnu::noinline]] void* allocate_fresh(std::size_t bytes);
    // Logs the first: a full class is a matter of load, this one of the source.
    void note_oversized(std::size_t bytes);

    Class& class_of(std::size_t bytes) {
        if (bytes > frame_class_bytes_max) return classes_[no_class];
        return classes_[class_of_[(bytes + step - 1) / step]];
    }

    static void poison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t bytes) {
#ifdef RINGLET_ADDRESS_SANITIZER
        __asan_poison_memory_region(slot, bytes);
#endif
    }
    static void unpoison([[maybe_unused]] void* slot, [[maybe_unused]] std::size_t bytes) {
#ifdef RINGLET_ADDRESS_SANITIZER
        __asan_unpoison_memory_region(slot, bytes);
#endif
    }

    std::array<Class, frame_classes_max + 1> classes_{};  // the last, no_class, has no slots
    unsigned count_ = 0;
    std::uint64_t oversized_ = 0;
    std::span<std::byte> storage_;
    std::array<std::uint8_t, frame_class_bytes_max / step + 1> class_of_{};
};

}  // namespace ringlet
