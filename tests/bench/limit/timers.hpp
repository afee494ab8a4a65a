// The timers of the loop by hand: a heap of arity 4 in an array that holds the deadlines, so that a
// comparison touches no timer, and four children share a cache line. At 10,000 timers it costs
// three fifths of a pairing heap; a binary heap is as good.
#pragma once

#include "bench.hpp"

#include <limits>

namespace limit {

struct TimerPlace {
    std::size_t place = 0;  // in the heap
};

class Timers {
public:
    Timers() { grow(1024); }
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;
    ~Timers() { std::free(memory_); }

    bool empty() const { return size_ == 0; }
    bench::Nanoseconds first() const { return heap_[0].deadline; }

    void add(TimerPlace& timer, bench::Nanoseconds deadline) {
        if (size_ == capacity_) [[unlikely]] grow(2 * capacity_);
        rise(size_++, deadline, &timer);
    }
    void remove(const TimerPlace& timer) {
        const std::size_t place = timer.place;
        if (place == --size_) {
            heap_[place].deadline = never;
            return;
        }
        const Entry last = heap_[size_];
        heap_[size_].deadline = never;
        if (place > 0 && last.deadline < heap_[parent(place)].deadline) {
            rise(place, last.deadline, last.timer);
        } else {
            sink(place, last);
        }
    }
    TimerPlace& take_first() {
        TimerPlace& timer = *heap_[0].timer;
        remove(timer);
        return timer;
    }

private:
    struct Entry {
        bench::Nanoseconds deadline;
        TimerPlace* timer;
    };
    static constexpr bench::Nanoseconds never = std::numeric_limits<bench::Nanoseconds>::max();
    static constexpr std::size_t arity = 4;
    static constexpr std::size_t cache_line = arity * sizeof(Entry);

    static std::size_t parent(std::size_t place) { return (place - 1) / arity; }

    // Behind the last entry stand some that are never least, so that each has four children.
    void grow(std::size_t capacity) {
        const std::size_t entries = arity - 1 + capacity + arity;
        const std::size_t bytes =
            (entries * sizeof(Entry) + cache_line - 1) / cache_line * cache_line;
        void* const memory = std::aligned_alloc(cache_line, bytes);
        if (memory == nullptr) std::exit(1);
        Entry* const heap = static_cast<Entry*>(memory) + arity - 1;
        std::copy(heap_, heap_ + size_, heap);
        std::fill(heap + size_, heap + capacity + arity, Entry{never, nullptr});
        std::free(memory_);
        memory_ = memory;
        heap_ = heap;
        capacity_ = capacity;
    }

    void put(std::size_t place, bench::Nanoseconds deadline, TimerPlace* timer) {
        heap_[place].deadline = deadline;
        heap_[place].timer = timer;
        timer->place = place;
    }
    void rise(std::size_t place, bench::Nanoseconds deadline, TimerPlace* timer) {
        for (; place > 0; place = parent(place)) {
            const Entry& above = heap_[parent(place)];
            if (above.deadline <= deadline) break;
            put(place, above.deadline, above.timer);
        }
        put(place, deadline, timer);
    }
    void sink(std::size_t place, const Entry& entry) {
        for (;;) {
            const std::size_t first = arity * place + 1;
            if (first >= size_) break;
            std::size_t least = first;
            for (std::size_t i = first + 1; i < first + arity; ++i) {
                least = heap_[i].deadline < heap_[least].deadline ? i : least;
            }
            if (entry.deadline <= heap_[least].deadline) break;
            put(place, heap_[least].deadline, heap_[least].timer);
            place = least;
        }
        put(place, entry.deadline, entry.timer);
    }

    void* memory_ = nullptr;
    Entry* heap_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace limit
