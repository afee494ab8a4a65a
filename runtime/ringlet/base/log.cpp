// Lines are formatted on the stack, then written (direct) or copied into the ring (buffered).
#include <ringlet/base/log.hpp>

#include <ringlet/base/last_words.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

namespace ringlet::log {
namespace {

// The line about lost messages is added only when one more full line fits behind it: otherwise a
// small gap would be filled by "1 message lost" again and again.
constexpr std::size_t lost_line_bytes_max = 64;
constexpr std::size_t lost_line_room = lost_line_bytes_max + line_bytes_max;
static_assert(lost_line_room <= buffer_bytes, "an empty buffer must have room for a line");

// Apart from the state, which does not begin as zeros: so it takes no room in the program's file.
constinit char ring[buffer_bytes]{};

struct State {
    std::size_t head = 0;  // index of the oldest byte
    std::size_t size = 0;
    std::uint64_t lost_total = 0;
    std::uint64_t lost_unsaid = 0;  // not yet told by a line
    void (*wake)(void*) = nullptr;
    void* wake_context = nullptr;
    Level threshold = Level::info;
    bool journal_prefix = false;
    bool attached = false;
};

constinit State state{};
constinit thread_local bool attached_here = false;

struct LevelNames {
    const char* journal;
    const char* word;
};

LevelNames names(Level level) {
    static constexpr LevelNames all[] = {
        {"<3>", "error"}, {"<4>", "warning"}, {"<6>", "info"}, {"<7>", "debug"}};
    return all[static_cast<std::size_t>(level)];
}

std::size_t room() {
    return buffer_bytes - state.size;
}

void push(std::string_view line) {
    RINGLET_ASSERT(line.size() <= room());
    const std::size_t tail = (state.head + state.size) % buffer_bytes;
    const std::size_t first = std::min(line.size(), buffer_bytes - tail);
    std::memcpy(ring + tail, line.data(), first);
    std::memcpy(ring, line.data() + first, line.size() - first);
    state.size += line.size();
}

void say_lost_if_room() {
    if (state.lost_unsaid == 0 || room() < lost_line_room) return;
    const LevelNames level = names(Level::warning);
    char line[lost_line_bytes_max];
    const int size = std::snprintf(line, sizeof line, "%s%s: %llu message%s lost\n",
                                   state.journal_prefix ? level.journal : "", level.word,
                                   static_cast<unsigned long long>(state.lost_unsaid),
                                   state.lost_unsaid == 1 ? "" : "s");
    RINGLET_ASSERT(size > 0 && static_cast<std::size_t>(size) < sizeof line);
    push({line, static_cast<std::size_t>(size)});
    state.lost_unsaid = 0;
}

void buffer(std::string_view line) {
    const bool was_empty = state.size == 0;
    say_lost_if_room();
    if (state.lost_unsaid != 0 || line.size() > room()) {
        ++state.lost_total;
        ++state.lost_unsaid;
        return;
    }
    push(line);
    if (was_empty && state.wake != nullptr) state.wake(state.wake_context);
}

// Where to cut `line` so that at most `size` bytes stay and no UTF-8 character is halved.
std::size_t cut(const char* line, std::size_t size) {
    constexpr std::size_t continuation_bytes_max = 3;
    std::size_t at = size;
    while (at > 0 && size - at < continuation_bytes_max && (line[at] & 0xC0) == 0x80) --at;
    return (line[at] & 0xC0) == 0x80 ? size : at;
}

// What vsnprintf gave: the bytes it wanted, or less than 0 where it could not convert.
std::size_t wanted(int result) {
    return static_cast<std::size_t>(std::max(result, 0));
}

[[gnu::format(printf, 2, 0)]] void line(Level level, const char* format, std::va_list arguments) {
    if (!is_enabled(level)) return;
    const int saved_errno = errno;
    const LevelNames level_names = names(level);
    char text[line_bytes_max];
    const std::size_t prefix =
        wanted(std::snprintf(text, sizeof text, "%s%s: ",
                             state.journal_prefix ? level_names.journal : "", level_names.word));
    std::size_t size = prefix + wanted(std::vsnprintf(text + prefix, sizeof text - prefix, format,
                                                      arguments));
    // The newline takes the place of snprintf's final zero.
    if (size > sizeof text - 1) {
        size = cut(text, sizeof text - 1 - truncation_mark.size());
        std::memcpy(text + size, truncation_mark.data(), truncation_mark.size());
        size += truncation_mark.size();
    } else if (size > prefix && text[size - 1] == '\n') {
        --size;
    }
    std::replace_if(
        text + prefix, text + size,
        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; },
        '?');
    text[size++] = '\n';
    if (state.attached) buffer({text, size});
    else emergency_write({text, size});
    errno = saved_errno;
}

void write_pending() {
    drain([](std::string_view words, void*) { emergency_write(words); }, nullptr);
}

}  // namespace

void error(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    line(Level::error, format, arguments);
    va_end(arguments);
}

void warning(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    line(Level::warning, format, arguments);
    va_end(arguments);
}

void info(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    line(Level::info, format, arguments);
    va_end(arguments);
}

void debug(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    line(Level::debug, format, arguments);
    va_end(arguments);
}

void set_threshold(Level least) {
    state.threshold = least;
}

bool is_enabled(Level level) {
    return level <= state.threshold;
}

void set_journal_prefix(bool on) {
    state.journal_prefix = on;
}

std::uint64_t lost() {
    return state.lost_total;
}

void attach() {
    RINGLET_ASSERT(!state.attached);
    RINGLET_ASSERT(state.size == 0);
    state.attached = true;
    attached_here = true;
}

void detach() {
    RINGLET_ASSERT(state.attached);
    write_pending();
    RINGLET_ASSERT(state.lost_unsaid == 0);
    state.attached = false;
    attached_here = false;
}

// Twice around the ring at most, and once more for the line about lost messages.
void drain(void (*write)(std::string_view words, void* context), void* context) {
    while (state.size > 0) {
        const std::string_view oldest = pending();
        write(oldest, context);
        consume(oldest.size());
    }
}

void write_last_words() {
    if (std::exchange(attached_here, false)) write_pending();
}

std::string_view pending() {
    return {ring + state.head, std::min(state.size, buffer_bytes - state.head)};
}

void consume(std::size_t count) {
    RINGLET_ASSERT(count <= state.size);
    state.head = (state.head + count) % buffer_bytes;
    state.size -= count;
    say_lost_if_room();
}

void set_wake(void (*wake)(void*), void* context) {
    state.wake = wake;
    state.wake_context = context;
    if (wake != nullptr && state.size > 0) wake(context);
}

}  // namespace ringlet::log
