// Rows as text.
#include <rows.hpp>

#include <ringlet/app/json_lines.hpp>
#include <ringlet/app/table.hpp>
#include <ringlet/http/error.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>

#include <cmath>

namespace fetch {
namespace {

using ringlet::Align;
using ringlet::FixedText;
using ringlet::TableColumn;
namespace http = ringlet::http;

// URL and error are last: only there they are never cut.
constexpr TableColumn columns[] = {{"STATUS", 6, Align::right},
                                   {"BYTES", 11, Align::right},
                                   {"MS", 9, Align::right},
                                   {"ATTEMPTS", 8, Align::right},
                                   {"URL"}};

// Of static text.
constexpr std::size_t error_bytes_max = 256;

void append_error(ringlet::TextBuffer& text, ringlet::Error error) {
    text.append(step_name(error));
    text.append(": ");
    text.append(ringlet::text(error));
}

double thousandths(double value) {
    return std::round(value * 1000) / 1000;
}

}  // namespace

const char* step_name(ringlet::Error error) {
    switch (http::kind_of(error)) {
        case http::Kind::none: return "file";  // nobody else's errors come as they are
        case http::Kind::request: return "url";
        case http::Kind::status: return "status";
        case http::Kind::runtime: return "runtime";
        default: break;
    }
    const http::Step step = http::step_of(error);
    return step == http::Step::none ? "url" : http::name(step);
}

Rows::Rows(bool jsonl) : jsonl_(jsonl) {
    room_.set();
    if (!jsonl_) {
        ringlet::append_table_head(gathered(), columns);
        news_.set();
    }
}

void Rows::add(const Row& row) {
    if (jsonl_) {
        add_line(row);
    } else {
        add_to_table(row);
    }
    RINGLET_ASSERT(!gathered().is_truncated());
    news_.set();
    if (is_crowded()) room_.clear();
}

void Rows::add_line(const Row& row) {
    std::array<char, row_bytes_max> memory;
    ringlet::JsonLine line(memory);
    line.add("url", row.url);
    if (row.line > 0) line.add("line", row.line);
    if (row.status > 0) line.add("status", row.status);
    line.add("bytes", row.bytes).add("ms", thousandths(row.ms)).add("attempts", row.attempts);
    if (!row.file.empty()) line.add("file", row.file);
    if (row.error != ringlet::Error()) {
        FixedText<error_bytes_max> words;
        append_error(words, row.error);
        line.add("error", words.view()).add("step", step_name(row.error));
    }
    const auto text = line.finish();
    RINGLET_ASSERT(text.has_value());  // row_bytes_max has room for the longest URL, all escaped
    gathered().append(*text);
}

void Rows::add_to_table(const Row& row) {
    FixedText<16> status;
    if (row.status > 0) status.append_number(std::uint64_t{row.status});
    FixedText<24> bytes;
    bytes.append_number(row.bytes);
    FixedText<32> ms;
    ms.append_fixed(row.ms, 1);
    FixedText<16> attempts;
    attempts.append_number(std::uint64_t{row.attempts});
    FixedText<url_bytes_max + error_bytes_max + 64> words;
    words.append_printable(row.url);
    if (row.line > 0) words.format("line %llu", static_cast<unsigned long long>(row.line));
    if (row.error != ringlet::Error()) {
        words.append(": ");
        append_error(words, row.error);
    } else if (!row.file.empty()) {
        words.append(" -> ");
        words.append(row.file);
    }
    ringlet::append_table_row(gathered(), columns,
                              {status.size() > 0 ? status.view() : "-", bytes.view(), ms.view(),
                               attempts.view(), words.view()});
}

ringlet::Task<void> Rows::write() {
    ringlet::TextBuffer& part = gathered();
    turn_ = 1 - turn_;
    gathered().clear();
    if (!closed_) news_.clear();
    room_.set();
    co_await ringlet::standard_output().write_all(ringlet::bytes_of(part.view()));
}

void Rows::close() {
    closed_ = true;
    news_.set();
}

}  // namespace fetch
