// FramePool: dividing the storage, once.
#include <ringlet/base/log.hpp>
#include <ringlet/task/frame_pool.hpp>

namespace ringlet {

FramePool::FramePool(const Limits& limits, std::span<std::byte> storage) : storage_(storage) {
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
        slots.use.bytes = each.bytes;
        slots.use.count = each.count;
        slots.fresh = at;
        at += std::size_t{each.bytes} * each.count;
        slots.end = at;
        for (; covered <= each.bytes / step; ++covered) {
            class_of_[covered] = static_cast<std::uint8_t>(count_);
        }
        ++count_;
    }
}

void FramePool::note_oversized(std::size_t bytes) {
    if (oversized_++ > 0) return;
    const unsigned largest = classes_[count_ - 1].use.bytes;
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
