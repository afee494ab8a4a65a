#include <ringlet/app/table.hpp>

#include <gtest/gtest.h>

namespace ringlet {
namespace {

constexpr TableColumn columns[] = {
    {"STAGE", 6}, {"RECORDS", 7, Align::right}, {"NOTE", 4}};

TEST(Table, aligns_columns_without_trailing_spaces) {
    FixedText<256> text;
    append_table_head(text, columns);
    append_table_row(text, columns, {"parse", "100", "ok"});
    append_table_row(text, columns, {"sum", "1", ""});
    append_table_row(text, columns, {"", "", ""});
    EXPECT_EQ(text.view(),
              "STAGE   RECORDS  NOTE\n"
              "parse       100  ok\n"
              "sum           1\n"
              "\n");
}

TEST(Table, cuts_words_but_never_numbers_nor_the_last_column) {
    FixedText<256> text;
    append_table_row(text, columns, {"aggregate", "123456789", "longer than four"});
    EXPECT_EQ(text.view(), "agg...  123456789  longer than four\n");
}

TEST(Table, counts_characters_not_bytes) {
    FixedText<256> text;
    append_table_row(text, columns, {"\xC3\xA9\xC3\xA9", "1", "x"});
    EXPECT_EQ(text.view(), "\xC3\xA9\xC3\xA9            1  x\n");
}

TEST(Table, keeps_a_row_on_its_line) {
    FixedText<256> text;
    append_table_row(text, columns, {"a\nb", "1", "x\ty"});
    EXPECT_EQ(text.view(), "a?b           1  x?y\n");
}

TEST(TableDeathTest, refuses_a_row_with_other_columns) {
    FixedText<256> text;
    EXPECT_DEATH(append_table_row(text, columns, {"a"}), "cells.size");
}

}  // namespace
}  // namespace ringlet
