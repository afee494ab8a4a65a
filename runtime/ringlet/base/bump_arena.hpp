// BumpArena: memory for a library that allocates through hooks, and is then done with all of it.
//
//   storage: | given | given | newest | free ...          release(newest) makes it free again
//
// Memory of any other allocation comes back only with clear().
#pragma once

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

namespace ringlet {

// `alignment`, in bytes, is that of all it gives.
template <std::size_t alignment>
class BumpArena {
    static_assert(std::has_single_bit(alignment));

public:
    // The storage outlives it, and is aligned as it says. Nothing of it is written.
    explicit constexpr BumpArena(std::span<std::byte> storage) : storage_(storage) {}
    BumpArena(const BumpArena&) = delete;
    BumpArena& operator=(const BumpArena&) = delete;

    // Makes all of it free, and forgets that it was full.
    void clear() {
        used_ = newest_ = 0;
        is_full_ = false;
    }

    // Null if there is no room: then it is_full(), although less might still fit. Each allocation
    // has a place of its own, even one of no bytes.
    void* allocate(std::size_t bytes) {
        bytes = std::max<std::size_t>(bytes, 1);
        const std::size_t room = storage_.size() - used_;
        if (bytes > room) {
            is_full_ = true;
            return nullptr;
        }
        newest_ = used_;
        used_ += std::min(room, (bytes + alignment - 1) / alignment * alignment);
        used_max_ = std::max(used_max_, used_);
        return storage_.data() + newest_;
    }

    // `pointer` is one that it gave, or null.
    void release(void* pointer) {
        if (pointer == storage_.data() + newest_) used_ = newest_;
    }

    // Copies what `pointer` holds, or as much as fits, to an allocation of `bytes`; the old one
    // stays as it is. A null pointer holds nothing.
    void* reallocate(void* pointer, std::size_t bytes) {
        void* const moved = allocate(bytes);
        if (moved == nullptr || pointer == nullptr) return moved;
        // How much it holds is not known. What stands behind it is copied, too, and means nothing.
        const auto apart = static_cast<std::byte*>(moved) - static_cast<std::byte*>(pointer);
        RINGLET_ASSERT(apart > 0);
        std::memcpy(moved, pointer, std::min(bytes, static_cast<std::size_t>(apart)));
        return moved;
    }

    // Whether an allocation has failed since the last clear().
    bool is_full() const { return is_full_; }
    std::size_t capacity_bytes() const { return storage_.size(); }
    // The most that was ever in use.
    std::size_t high_water_bytes() const { return used_max_; }

private:
    std::span<std::byte> storage_;
    std::size_t used_ = 0;
    std::size_t newest_ = 0;  // its offset
    std::size_t used_max_ = 0;
    bool is_full_ = false;
};

}  // namespace ringlet
