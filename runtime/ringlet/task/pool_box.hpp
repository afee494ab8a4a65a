// PoolBox: an object in the FramePool, for awaits that are too big for the awaiting frame.
#pragma once

#include <ringlet/task/scheduler.hpp>

#include <utility>

namespace ringlet {

inline constexpr Error no_frame_error{std::errc::not_enough_memory, RuntimeDetail::frames};

// Owns one T, or nothing: not yet made, or the pool was full.
template <class T>
class PoolBox {
    static_assert(alignof(T) <= FramePool::alignment);

public:
    PoolBox() = default;
    PoolBox(const PoolBox&) = delete;
    PoolBox& operator=(const PoolBox&) = delete;
    ~PoolBox() { destroy(std::exchange(object_, nullptr)); }

    // False if the pool has no room.
    template <class... Arguments>
    bool make(Arguments&&... arguments) {
        RINGLET_ASSERT(object_ == nullptr);
        object_ = make_raw(std::forward<Arguments>(arguments)...);
        return object_ != nullptr;
    }
    T& operator*() { return *object_; }
    T* operator->() { return object_; }

    // The same for objects with an owner of their own: null if the pool has no room.
    template <class... Arguments>
    static T* make_raw(Arguments&&... arguments) {
        void* const room = scheduler().frames().allocate(sizeof(T));
        if (room == nullptr) return nullptr;
        return ::new (room) T(std::forward<Arguments>(arguments)...);
    }
    static void destroy(T* object) {
        if (object == nullptr) return;
        object->~T();
        scheduler().frames().release(object, sizeof(T));
    }

private:
    T* object_ = nullptr;
};

}  // namespace ringlet
