// FramePool: where coroutine frames live.
//
// Each size class has its own fixed part of the storage. A request goes to the smallest class that
// is large enough, and to no other: no carving, no merging, no borrowing. So whether a frame fits
// depends only on the frames alive now, never on history. Both ways are O(1).
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
        const unsigned index = class_of(bytes);
        if (index == no_class) {
            note_oversized(bytes);
            return nullptr;
        }
        Class& slots = classes_[index];
        void* slot = slots.take();
        if (slot == nullptr) {
            ++slots.use.refused;
            return nullptr;
        }
        slots.use.live_max = std::max(slots.use.live_max, ++slots.use.live);
        slots.use.largest = std::max(slots.use.largest, static_cast<unsigned>(bytes));
        ++live_;
        unpoison(slot, slots.use.bytes);
        return slot;
    }

    // `bytes` as at allocate().
    void release(void* slot, std::size_t bytes) {
        Class& slots = classes_[class_of(bytes)];
        RINGLET_ASSERT(slots.use.live > 0);
        --slots.use.live;
        --live_;
        slots.free = ::new (slot) Slot{slots.free};
        poison(slot, slots.use.bytes);
    }

    // Frames alive.
    std::size_t live() const { return live_; }
    // Requests that were larger than the largest class.
    std::uint64_t oversized() const { return oversized_; }
    unsigned classes() const { return count_; }
    const FrameClassUse& use(unsigned index) const { return classes_[index].use; }

    // Touches every page of the storage, so that none is missing later.
    void prefault();

private:
    struct Slot {
        Slot* next;
    };
    struct Class {
        Slot* free = nullptr;
        std::byte* fresh = nullptr;  // the first slot never used: its page may be untouched
        std::byte* end = nullptr;
        FrameClassUse use;

        void* take() {
            if (free != nullptr) {
                Slot* slot = free;
                unpoison(slot, sizeof(Slot));
                free = slot->next;
                return slot;
            }
            if (fresh == end) return nullptr;
            void* slot = fresh;
            fresh += use.bytes;
            return slot;
        }
    };

    static constexpr unsigned no_class = frame_classes_max;
    static constexpr std::size_t step = 16;

    // Logs the first: a full class is a matter of load, this one of the source.
    [[gnu::cold]] void note_oversized(std::size_t bytes);

    unsigned class_of(std::size_t bytes) const {
        if (bytes > frame_class_bytes_max) return no_class;
        return class_of_[(bytes + step - 1) / step];
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

    std::array<Class, frame_classes_max> classes_{};
    unsigned count_ = 0;
    std::size_t live_ = 0;
    std::uint64_t oversized_ = 0;
    std::span<std::byte> storage_;
    std::array<std::uint8_t, frame_class_bytes_max / step + 1> class_of_{};
};

}  // namespace ringlet
