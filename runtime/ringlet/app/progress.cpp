#include <ringlet/app/progress.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/utf8.hpp>

#include <algorithm>
#include <cmath>

namespace ringlet {
namespace {

constexpr std::string_view erase_to_end = "\x1B[K";
constexpr std::string_view erase_line = "\r\x1B[K";
constexpr double rate_max = 1e12;           // beyond, a rate is nonsense
constexpr double left_seconds_max = 360e3;  // beyond a hundred hours nobody waits

unsigned percent(const ProgressNumbers& numbers) {
    const auto done = static_cast<double>(std::min(numbers.done, numbers.total));
    return static_cast<unsigned>(100 * done / static_cast<double>(numbers.total));
}

void append_numbers(TextBuffer& text, const ProgressNumbers& numbers) {
    text.append_number(numbers.done);
    if (numbers.total > 0) {
        text.append('/');
        text.append_number(numbers.total);
        text.format(" (%u%%)", percent(numbers));
    }
    const double rate = numbers.per_second;
    const bool has_rate = std::isfinite(rate) && rate > 0 && rate < rate_max;
    if (has_rate) {
        text.append(", ");
        text.append_fixed(rate, rate < 100 ? 1 : 0);
        text.append("/s");
    }
    if (numbers.failed > 0) {
        text.append(", ");
        text.append_number(numbers.failed);
        text.append(" failed");
    }
    if (!has_rate || numbers.total <= numbers.done) return;
    const double left = std::ceil(static_cast<double>(numbers.total - numbers.done) / rate);
    if (left > left_seconds_max) return;
    text.append(", ");
    append_duration_rounded(text, std::chrono::seconds{static_cast<std::int64_t>(left)});
    text.append(" left");
}

}  // namespace

std::string_view ProgressLine::update(Instant now, const ProgressNumbers& numbers) {
    if (columns_ == 0 || now < next_) return {};
    next_ = later(now, progress_interval_min);
    FixedText<progress_columns_max * 4> line;
    line.append_printable(label_);
    line.append(": ");
    append_numbers(line, numbers);
    // One column stays free: a full line makes some terminals wrap, and "\r" no longer reaches it.
    const std::size_t columns = std::min(columns_, progress_columns_max) - 1;
    text_.clear();
    text_.append('\r');
    text_.append(utf8_first(line.view(), columns));
    text_.append(erase_to_end);
    is_shown_ = true;
    return text_.view();
}

std::string_view ProgressLine::erase() {
    if (!is_shown_) return {};
    is_shown_ = false;
    return erase_line;
}

}  // namespace ringlet
