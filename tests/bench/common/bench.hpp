// What every benchmark program shares: arguments, the measured stretch, the result's line, and the
// numbers that workloads draw.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <vector>

namespace bench {

using Nanoseconds = std::int64_t;

inline Nanoseconds clock_now(clockid_t clock) {
    timespec now{};
    if (::clock_gettime(clock, &now) != 0) {
        std::perror("clock_gettime");
        std::exit(1);
    }
    return now.tv_sec * Nanoseconds{1'000'000'000} + now.tv_nsec;
}
inline Nanoseconds now() {
    return clock_now(CLOCK_MONOTONIC);
}

// `--name value` pairs. An argument that no program asks for is harmless, so that one command line
// serves all peers.
class Arguments {
public:
    Arguments(int count, char** values) : count_(count), values_(values) {}

    const char* text(const char* name, const char* otherwise) const {
        for (int i = 1; i + 1 < count_; i += 2) {
            if (std::strncmp(values_[i], "--", 2) == 0 && std::strcmp(values_[i] + 2, name) == 0) {
                return values_[i + 1];
            }
        }
        return otherwise;
    }
    std::int64_t number(const char* name, std::int64_t otherwise) const {
        const char* const given = text(name, nullptr);
        if (given == nullptr) return otherwise;
        char* end = nullptr;
        const std::int64_t value = std::strtoll(given, &end, 10);
        if (end == given || *end != '\0' || value < 0) {
            std::fprintf(stderr, "--%s: not a number: %s\n", name, given);
            std::exit(2);
        }
        return value;
    }

private:
    int count_;
    char** values_;
};

// Latencies in nanoseconds; storage is taken before the measured stretch.
class Latencies {
public:
    explicit Latencies(std::size_t capacity = 4'000'000) { values_.reserve(capacity); }

    void add(Nanoseconds latency) {
        if (values_.size() < values_.capacity()) values_.push_back(latency);
    }
    void clear() { values_.clear(); }
    bool empty() const { return values_.empty(); }
    double quantile_us(double share) {
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(values_.size() - 1));
        std::nth_element(values_.begin(), values_.begin() + rank, values_.end());
        return static_cast<double>(values_[rank]) / 1000;
    }

private:
    std::vector<Nanoseconds> values_;
};

// CPU and wall time from begin() to end().
class Stretch {
public:
    // Of this process, or of another one (clock_getcpuclockid(3)).
    explicit Stretch(clockid_t cpu_clock = CLOCK_PROCESS_CPUTIME_ID) : cpu_clock_(cpu_clock) {}

    void begin() {
        wall_ = now();
        cpu_ = clock_now(cpu_clock_);
    }
    void end() {
        cpu_ = clock_now(cpu_clock_) - cpu_;
        wall_ = now() - wall_;
    }
    Nanoseconds cpu() const { return cpu_; }
    Nanoseconds wall() const { return wall_; }

private:
    clockid_t cpu_clock_;
    Nanoseconds cpu_ = 0;
    Nanoseconds wall_ = 0;
};

inline void print_quantiles(Latencies* latencies) {
    if (latencies == nullptr || latencies->empty()) {
        std::printf(" p50_us=- p99_us=- p999_us=-\n");
        return;
    }
    std::printf(" p50_us=%.1f p99_us=%.1f p999_us=%.1f\n", latencies->quantile_us(0.5),
                latencies->quantile_us(0.99), latencies->quantile_us(0.999));
}

inline void print_result(const char* name, const char* peer, std::int64_t ops,
                         const Stretch& stretch, Latencies* latencies = nullptr,
                         std::int64_t lost = 0) {
    const double count = static_cast<double>(ops);
    std::printf("name=%s peer=%s ops=%lld cpu_ns_per_op=%.3f wall_ns_per_op=%.3f", name, peer,
                static_cast<long long>(ops), static_cast<double>(stretch.cpu()) / count,
                static_cast<double>(stretch.wall()) / count);
    if (lost > 0) std::printf(" lost=%lld", static_cast<long long>(lost));
    print_quantiles(latencies);
}

// For sleeping_tasks.
inline void print_bytes(const char* name, const char* peer, std::int64_t ops, std::int64_t bytes) {
    std::printf("name=%s peer=%s ops=%lld bytes_per_op=%.1f\n", name, peer,
                static_cast<long long>(ops),
                static_cast<double>(bytes) / static_cast<double>(ops));
}

// Memory of this process, in bytes, without pages of files, which are the kernel's to keep. Counted
// page by page: the kernel's running sums are inexact (proc_pid_statm(5)).
inline std::int64_t own_bytes() {
    std::FILE* const file = std::fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long long kib = -1;
    while (file != nullptr && kib < 0 && std::fgets(line, sizeof line, file) != nullptr) {
        std::sscanf(line, "Anonymous: %lld kB", &kib);
    }
    if (kib < 0) {
        std::perror("/proc/self/smaps_rollup");
        std::exit(1);
    }
    std::fclose(file);
    return kib * 1024;
}

// Keeps a result from being optimised away.
template <class T>
inline void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

private:
    std::uint64_t state_;
};

// How long sleeper number `sleeper` sleeps, each time.
class Delays {
public:
    explicit Delays(std::uint64_t sleeper) : random_(sleeper) {}
    Nanoseconds next() { return 1'000'000 + static_cast<Nanoseconds>(random_.next() % 99'000'000); }

private:
    Random random_;
};

// Where the next read of 4 KiB begins.
class Offsets {
public:
    static constexpr std::int64_t block = 4096;
    explicit Offsets(std::int64_t file_bytes) : blocks_(file_bytes / block), random_(1) {}
    std::int64_t next() {
        return static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(blocks_)) *
               block;
    }

private:
    std::int64_t blocks_;
    Random random_;
};

// An item of the queue workloads.
struct Item {
    Item() = default;
    explicit Item(std::uint64_t word) { std::fill(std::begin(words), std::end(words), word); }

    std::uint64_t words[8];
};

inline constexpr std::size_t message_bytes = 64;
inline constexpr std::size_t queue_places = 64;
inline constexpr int reads_under_way = 32;

}  // namespace bench
