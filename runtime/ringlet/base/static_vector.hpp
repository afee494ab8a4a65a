// A vector whose capacity is fixed and whose items lie inside it.
#pragma once

#include <ringlet/base/panic.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace ringlet {

template <class T, std::size_t N>
class StaticVector {
public:
    StaticVector() = default;
    StaticVector(StaticVector&& other) noexcept {
        for (T& item : other) push_back(std::move(item));
        other.clear();
    }
    StaticVector& operator=(StaticVector&&) = delete;
    ~StaticVector() { clear(); }

    static constexpr std::size_t capacity() { return N; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool full() const { return size_ == N; }

    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    T& operator[](std::size_t index) {
        RINGLET_ASSERT(index < size_);
        return data()[index];
    }

    // Asserts that there is room.
    template <class... Arguments>
    T& push_back(Arguments&&... arguments) {
        RINGLET_ASSERT(!full());
        T* const place = data() + size_;
        ::new (static_cast<void*>(place)) T(std::forward<Arguments>(arguments)...);
        ++size_;
        return *place;
    }
    void clear() {
        while (size_ > 0) std::destroy_at(data() + --size_);
    }

private:
    T* data() { return reinterpret_cast<T*>(storage_); }
    const T* data() const { return reinterpret_cast<const T*>(storage_); }

    alignas(T) unsigned char storage_[sizeof(T) * N];
    std::size_t size_ = 0;
};

}  // namespace ringlet
