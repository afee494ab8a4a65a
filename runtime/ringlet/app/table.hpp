// Aligned plain text, for reports.
//
//   constexpr TableColumn columns[] = {{"STAGE", 10}, {"RECORDS", 9, Align::right}, {"NOTE", 0}};
//   append_table_head(text, columns);
//   append_table_row(text, columns, {"parse", "100000", "first 3 rejected"});
#pragma once

#include <ringlet/app/text_buffer.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace ringlet {

enum class Align : unsigned char { left, right };

struct TableColumn {
    std::string_view title;
    std::size_t width = 0;  // in characters
    Align align = Align::left;
};

// Two spaces between columns, none at the end of a line, and a newline. A cell wider than its
// column is cut ("..."), except where it is right-aligned, so that no digit is lost, or last.
void append_table_row(TextBuffer& text, std::span<const TableColumn> columns,
                      std::span<const std::string_view> cells);
inline void append_table_row(TextBuffer& text, std::span<const TableColumn> columns,
                             std::initializer_list<std::string_view> cells) {
    append_table_row(text, columns, std::span(cells.begin(), cells.size()));
}

// The row of titles.
void append_table_head(TextBuffer& text, std::span<const TableColumn> columns);

}  // namespace ringlet
