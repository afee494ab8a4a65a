#include <ringlet/app/table.hpp>

#include <ringlet/app/utf8.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>

namespace ringlet {
namespace {

constexpr std::size_t gap = 2;
constexpr std::string_view cut_mark = "...";

// Writes a line cell by cell. Spaces are owed until a cell follows, so that none end the line.
class Row {
public:
    explicit Row(TextBuffer& text) : text_(text) {}

    void cell(const TableColumn& column, std::string_view cell, bool is_last) {
        const std::size_t size = utf8_count(cell);
        const std::size_t fill = column.width - std::min(column.width, size);
        if (column.align == Align::right) {
            owed_ += fill;
            put(cell);
        } else if (size > column.width && !is_last) {
            const std::size_t mark = std::min(cut_mark.size(), column.width);
            put(utf8_first(cell, column.width - mark));
            put(cut_mark.substr(0, mark));
        } else {
            put(cell);
            owed_ += fill;
        }
        owed_ += gap;
    }

private:
    void put(std::string_view piece) {
        if (piece.empty()) return;
        text_.append(owed_, ' ');
        owed_ = 0;
        text_.append_printable(piece);
    }

    TextBuffer& text_;
    std::size_t owed_ = 0;
};

}  // namespace

void append_table_row(TextBuffer& text, std::span<const TableColumn> columns,
                      std::span<const std::string_view> cells) {
    RINGLET_ASSERT(cells.size() == columns.size());
    Row row(text);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        row.cell(columns[i], cells[i], i + 1 == columns.size());
    }
    text.append('\n');
}

void append_table_head(TextBuffer& text, std::span<const TableColumn> columns) {
    Row row(text);
    for (const TableColumn& column : columns) {
        row.cell(column, column.title, &column == &columns.back());
    }
    text.append('\n');
}

}  // namespace ringlet
