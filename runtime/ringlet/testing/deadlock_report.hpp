// DeadlockReport: the words about a run in which nothing can ever happen again.
//
//   deadlock: nothing can ever run again, 5.000 s after the start
//   main: task group at pump.cpp:41 for 5.000 s
//     filler: mutex.lock at pump.cpp:12 for 5.000 s
//     drainer: queue.get at pump.cpp:27 for 4.998 s
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/run/run_loop.hpp>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

namespace ringlet::testing {

// Allocates when it is built only: its report is written while the run goes on.
class DeadlockReport {
public:
    // A longer tree is cut.
    static constexpr std::size_t bytes_max = 16_KiB;

    DeadlockReport() { text_.reserve(bytes_max); }
    DeadlockReport(const DeadlockReport&) = delete;
    DeadlockReport& operator=(const DeadlockReport&) = delete;

    bool is_empty() const { return text_.empty(); }
    std::string_view text() const { return {text_.data(), text_.size()}; }
    void clear() { text_.clear(); }

    // Writes down the await tree of the run on this thread, `passed` after its start.
    void take(Nanoseconds passed) {
        char line[128];
        const auto ms = static_cast<long long>(passed.count() / 1'000'000);
        const int size = std::snprintf(
            line, sizeof line,
            "deadlock: nothing can ever run again, %lld.%03lld s after the start\n", ms / 1000,
            ms % 1000);
        clear();
        add({line, static_cast<std::size_t>(size)}, this);
        print_await_tree(add, this);
    }

private:
    static void add(std::string_view line, void* self) {
        auto& text = static_cast<DeadlockReport*>(self)->text_;
        const std::size_t room = bytes_max - text.size();
        text.insert(text.end(), line.begin(), line.begin() + std::min(line.size(), room));
    }

    std::vector<char> text_;
};

}  // namespace ringlet::testing
