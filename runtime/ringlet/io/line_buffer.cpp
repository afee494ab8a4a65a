// The search for the ends of lines.
#include <ringlet/io/line_buffer.hpp>

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet {
namespace {

constexpr std::size_t line_end_bytes_max = 2;  // "\r\n"

}  // namespace

LineBuffer::LineBuffer(std::span<char> storage, const LineOptions& options)
    : storage_(storage), limit_(0), delimiter_(options.delimiter),
      carriage_returns_(options.carriage_returns && options.delimiter == '\n'),
      last_without_end_(options.last_without_end) {
    RINGLET_ASSERT(storage.size() > line_end_bytes_max);
    limit_ = std::min(options.line_bytes_max, storage.size() - line_end_bytes_max);
}

LineBuffer::Found LineBuffer::look() {
    pass_over_rest();
    const char* const begin = storage_.data() + begin_;
    const void* const delimiter =
        buffered() > searched_ ? std::memchr(begin + searched_, delimiter_, buffered() - searched_)
                               : nullptr;
    if (delimiter != nullptr) {
        searched_ = static_cast<std::size_t>(static_cast<const char*>(delimiter) - begin);
        return fits(content_length(searched_)) ? Found::line : Found::too_long;
    }
    searched_ = buffered();
    if (ended_) {
        if (buffered() == 0 || !last_without_end_) return Found::end;
        return fits(buffered()) ? Found::line : Found::too_long;
    }
    return fits(content_length(buffered())) ? Found::more : Found::too_long;
}

// Of what stands before a newline, or may: a '\r' at its end is then no part of the line.
std::size_t LineBuffer::content_length(std::size_t length) const {
    const bool strip = carriage_returns_ && length > 0 && storage_[begin_ + length - 1] == '\r';
    return strip ? length - 1 : length;
}

std::string_view LineBuffer::take() {
    const bool has_delimiter = searched_ < buffered();
    const std::size_t length = has_delimiter ? content_length(searched_) : searched_;
    const std::string_view line(storage_.data() + begin_, length);
    begin_ += searched_ + (has_delimiter ? 1 : 0);
    searched_ = 0;
    ++line_number_;
    return line;
}

void LineBuffer::skip() {
    skipping_ = true;
    ++line_number_;
    pass_over_rest();
}

void LineBuffer::pass_over_rest() {
    if (!skipping_) return;
    const char* const begin = storage_.data() + begin_;
    const void* const delimiter =
        buffered() > 0 ? std::memchr(begin, delimiter_, buffered()) : nullptr;
    searched_ = 0;
    if (delimiter == nullptr) {
        begin_ = end_;
        return;
    }
    begin_ += static_cast<std::size_t>(static_cast<const char*>(delimiter) - begin) + 1;
    skipping_ = false;
}

std::span<std::byte> LineBuffer::room() {
    if (begin_ > 0) {
        std::memmove(storage_.data(), storage_.data() + begin_, buffered());
        end_ = buffered();
        begin_ = 0;
    }
    return std::as_writable_bytes(storage_.subspan(end_));
}

void LineBuffer::fill(std::size_t count) {
    RINGLET_ASSERT(count <= storage_.size() - end_);
    if (count == 0) ended_ = true;
    end_ += count;
}

}  // namespace ringlet
