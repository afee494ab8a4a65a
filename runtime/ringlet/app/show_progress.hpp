// show_progress: the progress line on standard error, kept up while a program works.
//
//   std::optional<ProgressLine> line;
//   const auto numbers = [&] { return ProgressNumbers{.done = done, .total = total}; };
//   auto shown = group.spawn(...);  // co_await show_progress(line, "fetch", numbers);
//   ...
//   shown.cancel();
#pragma once

#include <ringlet/app/progress.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/time/ticker.hpp>

#include <chrono>
#include <optional>

namespace ringlet {

// Writes the line again and again, with what `numbers()` tells; the rate is worked out here. Ends
// only if standard error is no terminal, or fails. `line` is made here, for others to erase() it
// before they write; it stays empty if there is no terminal. All outlive the await.
//
// Cancellation: any part of the line may have been written.
template <class Numbers>
Task<void> show_progress(std::optional<ProgressLine>& line, std::string_view label,
                         const Numbers& numbers) {
    auto terminal = standard_error();
    if (!terminal.is_terminal()) co_return;
    const int columns = scheduler().system().terminal_columns(terminal.descriptor());
    line.emplace(label, static_cast<std::size_t>(columns));
    Ticker every(progress_interval_min);
    const double interval = std::chrono::duration<double>(progress_interval_min).count();
    std::uint64_t before = 0;
    for (;;) {
        co_await every.tick();
        ProgressNumbers now = numbers();
        now.per_second = static_cast<double>(now.done - before) / interval;
        before = now.done;
        const auto update = line->update(scheduler().now(), now);
        const auto written = co_await attempt(terminal.write_all(bytes_of(update)));
        if (!written) co_return;
    }
}

}  // namespace ringlet
