// Rows as JSON Lines or as a table.
#include <output.hpp>

#include <ringlet/app/json_lines.hpp>
#include <ringlet/app/table.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>

namespace pipeline {
namespace {

using ringlet::Align;
using ringlet::TableColumn;

// The name is last: only there it is never cut.
constexpr TableColumn columns[] = {
    {"COUNT", 7, Align::right}, {"MIN", 12, Align::right},  {"MAX", 12, Align::right},
    {"MEAN", 22, Align::right}, {"LAST", 12, Align::right}, {"T", 14, Align::right},
    {"SENSOR"}};

// A number in as few characters as read back the same.
class Number {
public:
    explicit Number(double value) { text_.append_number(value); }
    explicit Number(std::uint64_t value) { text_.append_number(value); }
    std::string_view view() const { return text_.view(); }

private:
    ringlet::FixedText<40> text_;
};

}  // namespace

ringlet::Task<void> Output::open(const char* path) {
    if (path != nullptr) file_.emplace(co_await ringlet::AtomicFile::open(path));
    if (!jsonl_) ringlet::append_table_head(buffer_, columns);
}

void Output::add(const WindowResult& result) {
    ++rows_;
    if (!jsonl_) {
        ringlet::FixedText<sensor_bytes_max + 4> name;
        name.append_printable(result.sensor.view());
        return ringlet::append_table_row(
            buffer_, columns,
            {Number(result.count).view(), Number(result.min).view(), Number(result.max).view(),
             Number(result.mean).view(), Number(result.last_value).view(),
             Number(result.last_t).view(), name.view()});
    }
    std::array<char, row_bytes_max> memory;
    ringlet::JsonLine line(memory);
    line.add("sensor", result.sensor.view())
        .add("count", result.count)
        .add("min", result.min)
        .add("max", result.max)
        .add("mean", result.mean)
        .add("last", result.last_value)
        .add("t", result.last_t);
    const auto text = line.finish();
    RINGLET_ASSERT(text.has_value());  // row_bytes_max has room for the longest name, all escaped
    buffer_.append(*text);
}

ringlet::Task<void> Output::flush() {
    co_await ringlet::shield(write_buffer());
}

ringlet::Task<void> Output::write_buffer() {
    const auto bytes = ringlet::bytes_of(buffer_.view());
    if (file_) {
        co_await file_->write_all(bytes);
    } else {
        co_await ringlet::standard_output().write_all(bytes);
    }
    buffer_.clear();
}

ringlet::Task<void> Output::finish() {
    co_await flush();
    if (file_) co_await file_->commit();
}

ringlet::Task<void> Output::abandon() {
    if (file_) co_await file_->abandon();
}

}  // namespace pipeline
