// Mailbox: callables that other threads post to the loop, in a fixed number of slots.
//
//   any thread: post() --> [ slot | slot | slot ] --> run(), between two tasks, on the loop
//
// A short mutex guards it. Two things happen under it on purpose: a slot is filled, so that what
// comes later is not seen earlier; and the loop is told, so that it cannot close its waker
// meanwhile. A slot is run in its place, without the mutex, and is free after that.
//
// All its bytes are zero before the first run: it is part of a Runtime, which stands in .bss.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace ringlet {

class Waker;

class Mailbox {
public:
    static constexpr std::size_t alignment = alignof(std::max_align_t);

    constexpr Mailbox() = default;
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // What `posts` slots for callables of up to `post_bytes` take.
    static constexpr std::size_t storage_bytes(unsigned posts, unsigned post_bytes) {
        return posts * slot_bytes(post_bytes);
    }

    // From any thread: puts the callable into a slot, and tells the loop. Nothing of it is used up
    // on an error: not_connected (RuntimeDetail::not_running) while it is closed, no_buffer_space
    // (RuntimeDetail::posts) if no slot is free. F fits a slot.
    template <class F>
    Result<void> post(F&& callable) {
        using Callable = std::decay_t<F>;
        const std::lock_guard locked(mutex_);
        const auto slot = free_slot();
        if (!slot) return std::unexpected(slot.error());
        ::new (bytes_of(*slot)) Callable(std::forward<F>(callable));
        fill(*slot, hooks_of<Callable>);
        return {};
    }

    // For the loop.

    // From here to close() it takes posts. `storage` has storage_bytes(), aligned to `alignment`;
    // it and the waker, which is open, outlive close().
    void open(std::span<std::byte> storage, unsigned post_bytes, Waker& waker);
    // What is left is destroyed, not run. Harmless if it is closed.
    void close();
    // Only the loop's thread opens and closes, so there it needs no mutex.
    bool is_open() const { return waker_ != nullptr; }
    // Runs what is there now; what these post comes later.
    void run();

    // Slots filled at once, at most, since open().
    unsigned high_water() const { return high_water_; }

private:
    struct Hooks {
        void (*run)(void*);
        void (*destroy)(void*);
    };
    struct Slot {
        alignas(alignment) const Hooks* hooks;  // the callable follows
    };
    template <class C>
    static constexpr Hooks hooks_of{[](void* callable) { (*static_cast<C*>(callable))(); },
                                    [](void* callable) { static_cast<C*>(callable)->~C(); }};

    static constexpr std::size_t slot_bytes(unsigned post_bytes) {
        return sizeof(Slot) + (post_bytes + alignment - 1) / alignment * alignment;
    }
    static void* bytes_of(Slot* slot) { return slot + 1; }

    Result<Slot*> free_slot();
    void fill(Slot* slot, const Hooks& hooks);
    Slot* slot_at(unsigned index) const;
    unsigned filled();
    void empty_first();

    std::mutex mutex_;
    Waker* waker_ = nullptr;  // null: closed
    std::byte* slots_ = nullptr;
    std::size_t slot_bytes_ = 0;
    unsigned count_ = 0;  // slots
    unsigned head_ = 0;   // index of the oldest; only the loop's thread moves it
    unsigned filled_ = 0;
    unsigned high_water_ = 0;
};

}  // namespace ringlet
