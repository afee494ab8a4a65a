// FramePool: dividing the storage, the rare cases of allocating, and the accounts.
#include <ringlet/base/log.hpp>
#include <ringlet/task/frame_pool.hpp>

#include <utility>

namespace ringlet {

[[gnu::cold]] FramePool::FramePool(const Limits& limits, std::span<std::byte> storage)
    : storage_(storage) {
    RINGLET_ASSERT(limits.are_valid());
    RINGLET_ASSERT(storage.size() >= limits.frame_storage_bytes());
    RINGLET_ASSERT(reinterpret_cast<std::uintptr_t>(storage.data()) % alignment == 0);
    unpoison(storage.data(), storage.size());  // a pool may have lived here before
    class_of_.fill(no_class);
    std::byte* at = storage.data();
    std::size_t covered = 0;
    for (const FrameClass& each : limits.frames) {
        if (each.count == 0) break;
        Class& slots = classes_[count_];
        slots.bytes = each.bytes;
        slots.count = each.count;
        slots.fresh = at;
        at += std::size_t{each.bytes} * each.count;
        slots.end = at;
        for (; covered <= each.bytes / step; ++covered) {
            class_of_[covered] = static_cast<std::uint8_t>(count_);
        }
        ++count_;
    }
}

void* FramePool::allocate_fresh(std::size_t bytes) {
    Class& slots = class_of(bytes);
    if (&slots == &classes_[no_class]) {
        note_oversized(bytes);
        return nullptr;
    }
    if (slots.fresh == slots.end) {
        ++slots.refused;
        return nullptr;
    }
    if (bytes > slots.largest) slots.largest = static_cast<unsigned>(bytes);
    return std::exchange(slots.fresh, slots.fresh + slots.bytes);
}

// The links are in poisoned memory.
[[gnu::no_sanitize_address]] unsigned FramePool::Class::given_back() const {
    const unsigned most = used_once();
    unsigned found = 0;
    for (const Slot* slot = free; slot != nullptr; slot = slot->next) {
        RINGLET_ASSERT(found < most);  // else one was given back twice
        ++found;
    }
    return found;
}

FrameClassUse FramePool::use(unsigned index) const {
    const Class& slots = classes_[index];
    const unsigned used = slots.used_once();
    return {.bytes = slots.bytes,
            .count = slots.count,
            .live = used - slots.given_back(),
            .live_max = used,
            .largest = slots.largest,
            .refused = slots.refused};
}

std::size_t FramePool::live() const {
    std::size_t sum = 0;
    for (unsigned i = 0; i < count_; ++i) sum += use(i).live;
    return sum;
}

std::size_t FramePool::bytes_max() const {
    std::size_t sum = 0;
    for (unsigned i = 0; i < count_; ++i) {
        sum += std::size_t{classes_[i].used_once()} * classes_[i].bytes;
    }
    return sum;
}

void FramePool::note_oversized(std::size_t bytes) {
    if (oversized_++ > 0) return;
    const unsigned largest = classes_[count_ - 1].bytes;
    log::warning("a coroutine frame or block of %zu bytes is larger than the largest frame class "
                 "of Limits (%u bytes)%s",
                 bytes, largest,
                 bytes > frame_bytes_max ? " and than the build allows (frame_bytes_max)" : "");
}

void FramePool::prefault() {
    constexpr std::size_t page = 4096;
    for (std::size_t at = 0; at < storage_.size(); at += page) {
        volatile std::byte* byte = &storage_[at];
        *byte = *byte;
    }
}

}  // namespace ringlet
