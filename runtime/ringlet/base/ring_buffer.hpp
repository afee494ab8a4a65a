// A fixed-capacity first-in-first-out buffer of objects, the storage of queues.
#pragma once

#include <ringlet/base/panic.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace ringlet {

template <class T, std::size_t N>
class RingBuffer {
    static_assert(N > 0, "a ring buffer holds at least one item");

public:
    RingBuffer() = default;
    RingBuffer(const RingBuffer&) = delete;
    RingBuffer& operator=(const RingBuffer&) = delete;
    ~RingBuffer() { clear(); }

    static constexpr std::size_t capacity() { return N; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool full() const { return size_ == N; }

    // The item at `index` from the front.
    T& operator[](std::size_t index) {
        RINGLET_ASSERT(index < size_);
        return *slot(index);
    }

    template <class... Arguments>
    void push_back(Arguments&&... arguments) {
        RINGLET_ASSERT(!full());
        ::new (static_cast<void*>(slot(size_))) T(std::forward<Arguments>(arguments)...);
        ++size_;
    }

    T pop_front() {
        RINGLET_ASSERT(!empty());
        T* first = slot(0);
        T item(std::move(*first));
        drop_front();
        return item;
    }

    void drop_front() {
        RINGLET_ASSERT(!empty());
        std::destroy_at(slot(0));
        head_ = (head_ + 1) % N;
        --size_;
    }

    void clear() {
        while (!empty()) drop_front();
    }

private:
    T* slot(std::size_t index) {
        return reinterpret_cast<T*>(storage_) + (head_ + index) % N;
    }

    alignas(T) unsigned char storage_[sizeof(T) * N];
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace ringlet
