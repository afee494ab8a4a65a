// The written form of a RunReport. It is made on the stack.
#include <ringlet/run/report.hpp>

#include <ringlet/base/log.hpp>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ringlet {
namespace {

#if defined(__x86_64__)
constexpr const char* architecture = "x86_64";
#elif defined(__aarch64__)
constexpr const char* architecture = "aarch64";
#elif defined(__arm__)
constexpr const char* architecture = "armv7";
#else
constexpr const char* architecture = "other";
#endif

using Number = unsigned long long;

// Few calls with much to format, since the program carries each of them.
class Line {
public:
    [[gnu::cold, gnu::format(printf, 2, 3)]] void add(const char* format, ...) {
        std::va_list arguments;
        va_start(arguments, format);
        size_ += static_cast<std::size_t>(
            std::vsnprintf(text_.data() + size_, text_.size() - size_, format, arguments));
        va_end(arguments);
        RINGLET_ASSERT(size_ < text_.size());
    }
    std::string_view text() const { return {text_.data(), size_}; }

private:
    // 8 classes of at most 140 bytes, and 800 for the rest, with all numbers at their longest.
    std::array<char, 2048> text_;
    std::size_t size_ = 0;
};

}  // namespace

const char* requested_report() {
    return ::secure_getenv("RINGLET_REPORT");
}

[[gnu::cold]] void write_report(KernelSystem& system, const char* where, const Limits& limits,
                  const RunReport& report) {
    const HighWater& max = report.high_water;
    Line line;
    line.add("{\"ringlet_report\":1,\"architecture\":\"%s\","
             "\"tasks\":{\"limit\":%u,\"max\":%u},"
             "\"operations\":{\"limit\":%u,\"max\":%u},"
             "\"descriptors\":{\"limit\":%u,\"max\":%u},"
             "\"multishot_buffers\":{\"limit\":%u,\"max\":%u},"
             "\"worker_jobs\":{\"limit\":%u,\"max\":%u},"
             "\"posts\":{\"limit\":%u,\"max\":%u},"
             "\"timers\":{\"max\":%u},"
             "\"frame_bytes\":{\"limit\":%zu,\"max\":%zu},"
             "\"frames\":[",
             architecture, limits.tasks, max.tasks, limits.operations, max.operations,
             limits.descriptors, max.descriptors, limits.multishot_buffers, max.multishot_buffers,
             limits.worker_jobs, max.jobs, limits.posts, max.posts, max.timers,
             limits.frame_storage_bytes(), max.frame_bytes);
    for (unsigned i = 0; i < report.frame_classes; ++i) {
        const FrameClassUse& use = report.frames[i];
        line.add("%s{\"bytes\":%u,\"count\":%u,\"live_max\":%u,\"largest\":%u,\"refused\":%llu}",
                 i > 0 ? "," : "", use.bytes, use.count, use.live_max, use.largest,
                 Number{use.refused});
    }
    line.add("],\"oversized_frames\":%llu,"
             "\"stack_bytes\":{\"seen\":%zu,\"max\":%zu},"
             "\"worker_stack_bytes\":{\"limit\":%u,\"max\":%zu},"
             "\"completions_overflowed\":%s}\n",
             Number{report.oversized_frames}, report.stack_bytes_seen, report.stack_bytes,
             limits.workers > 0 ? limits.worker_stack_bytes : 0, report.worker_stack_bytes,
             report.completions_overflowed ? "true" : "false");

    if (std::string_view(where) == "-") return system.write_error(line.text());
    const auto written = system.append_to_file(where, line.text());
    if (!written) log::error("%s: the report cannot be written: %s", where, text(written.error()));
}

[[gnu::cold]] std::size_t deepest_use(std::span<const std::byte> stacks, unsigned count) {
    std::size_t most = 0;
    const std::size_t each = count > 0 ? stacks.size() / count : 0;
    for (unsigned i = 0; i < count; ++i) {
        const auto stack = stacks.subspan(i * each, each);
        std::size_t untouched = 0;
        while (untouched < each && stack[untouched] == std::byte{}) ++untouched;
        most = std::max(most, each - untouched);
    }
    return most;
}

}  // namespace ringlet
