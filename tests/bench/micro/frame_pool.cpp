// The frame pool alone, beside malloc: a frame that is taken and given back at once, and frames
// that are taken in one order and given back in another.
#include "bench.hpp"

#include <ringlet/task/frame_pool.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>

using ringlet::FramePool;
using ringlet::Limits;

namespace {

constexpr unsigned frames = 1024;
constexpr Limits limits{.frames = {{128, frames}, {256, frames}, {512, frames}}};
alignas(FramePool::alignment) std::byte storage[limits.frame_storage_bytes()];

struct Pool {
    void* allocate(std::size_t bytes) { return pool.allocate(bytes); }
    void release(void* frame, std::size_t bytes) { pool.release(frame, bytes); }
    FramePool pool{limits, storage};
};

struct Heap {
    void* allocate(std::size_t bytes) { return std::malloc(bytes); }
    void release(void* frame, std::size_t) { std::free(frame); }
};

template <class From>
void take_and_give(benchmark::State& state) {
    From from;
    for (auto _ : state) {
        void* const frame = from.allocate(200);
        benchmark::DoNotOptimize(frame);
        from.release(frame, 200);
    }
}
BENCHMARK(take_and_give<Pool>);
BENCHMARK(take_and_give<Heap>);

// Each step gives a random one back, and takes another in its place.
template <class From>
void exchange(benchmark::State& state) {
    From from;
    bench::Random random(1);
    void* taken[frames];
    for (void*& frame : taken) frame = from.allocate(200);
    for (auto _ : state) {
        void*& frame = taken[random.next() % frames];
        from.release(frame, 200);
        frame = from.allocate(200);
        benchmark::DoNotOptimize(frame);
    }
    for (void* frame : taken) from.release(frame, 200);
}
BENCHMARK(exchange<Pool>);
BENCHMARK(exchange<Heap>);

}  // namespace

BENCHMARK_MAIN();
