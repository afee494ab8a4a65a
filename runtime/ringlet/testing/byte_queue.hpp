// Bytes on their way: first in, first out, at most as many as the queue was built for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace ringlet::testing {

class ByteQueue {
public:
    // The storage is left untouched, so that a large world costs no time to build.
    explicit ByteQueue(std::size_t capacity)
        : bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    std::size_t room() const { return capacity_ - size_; }
    bool empty() const { return size_ == 0; }
    void clear() { head_ = size_ = 0; }

    // Appends what fits, and says how much that was.
    std::size_t put(std::span<const std::byte> in) {
        const std::size_t count = std::min(in.size(), room());
        const std::size_t tail = (head_ + size_) % capacity_;
        const std::size_t straight = std::min(count, capacity_ - tail);
        copy(&bytes_[tail], in.data(), straight);
        copy(&bytes_[0], in.data() + straight, count - straight);
        size_ += count;
        return count;
    }

    // Takes out what there is, up to the size of `out`, and says how much that was.
    std::size_t take(std::span<std::byte> out) {
        const std::size_t count = std::min(out.size(), size_);
        const std::size_t straight = std::min(count, capacity_ - head_);
        copy(out.data(), &bytes_[head_], straight);
        copy(out.data() + straight, &bytes_[0], count - straight);
        head_ = (head_ + count) % capacity_;
        size_ -= count;
        return count;
    }

    // Throws away what there is, up to `size`, and says how much that was.
    std::size_t discard(std::size_t size) {
        const std::size_t count = std::min(size, size_);
        head_ = (head_ + count) % capacity_;
        size_ -= count;
        return count;
    }

private:
    // memcpy(3) may not be given a null pointer, not even for no bytes.
    static void copy(std::byte* to, const std::byte* from, std::size_t count) {
        if (count != 0) std::memcpy(to, from, count);
    }

    std::unique_ptr<std::byte[]> bytes_;
    std::size_t capacity_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace ringlet::testing
