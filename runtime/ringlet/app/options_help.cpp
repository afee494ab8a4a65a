// --help, within help_columns_max columns.
#include <ringlet/app/options.hpp>

#include <ringlet/app/utf8.hpp>

#include <algorithm>

namespace ringlet {
namespace {

constexpr std::size_t option_column = 2;  // where "-w, --workers=N" begins
constexpr std::size_t help_column = 26;   // where its explanation begins
constexpr std::size_t row_bytes_max = 512;

// Words, wrapped, each line but the first indented.
class Paragraph {
public:
    Paragraph(TextBuffer& text, std::size_t indent, std::size_t column)
        : text_(text), indent_(indent), column_(column) {}

    void append(std::string_view words) {
        while (!words.empty()) {
            const std::size_t size = std::min(words.find(' '), words.size());
            if (size > 0) append_word(words.substr(0, size));
            words.remove_prefix(std::min(size + 1, words.size()));
        }
    }
    void end() { text_.append('\n'); }

private:
    void append_word(std::string_view word) {
        const std::size_t width = utf8_count(word);
        if (!is_line_empty_ && column_ + 1 + width > help_columns_max) {
            text_.append('\n');
            text_.append(indent_, ' ');
            column_ = indent_;
            is_line_empty_ = true;
        }
        if (!is_line_empty_) {
            text_.append(' ');
            ++column_;
        }
        text_.append(word);
        column_ += width;
        is_line_empty_ = false;
    }

    TextBuffer& text_;
    std::size_t indent_;
    std::size_t column_;
    bool is_line_empty_ = true;
};

void append_paragraph(TextBuffer& text, std::string_view words) {
    Paragraph paragraph(text, 0, 0);
    paragraph.append(words);
    paragraph.end();
}

}  // namespace

class HelpText {
public:
    explicit HelpText(TextBuffer& text) : text_(text) {}

    void usage(const Command& command) {
        FixedText<row_bytes_max> words;
        words.format("Usage: %s [OPTION]...", command.name);
        const Operands& operands = command.operands;
        if (operands.name != nullptr) {
            const bool is_optional = operands.min == 0;
            words.format("%s%s%s", is_optional ? " [" : " ", operands.name, is_optional ? "]" : "");
            if (operands.max > 1) words.append("...");
        }
        append_paragraph(text_, words.view());
    }

    void option(const Option& option) {
        FixedText<row_bytes_max> words;
        words.append(option.help_);
        FixedText<row_bytes_max> bounds;
        option.append_default(bounds);
        if (bounds.size() > 0) words.format(" (%s)", bounds.c_str());
        row(option.letter_, option.name_, option.argument_, words.view());
    }

    void row(char letter, const char* name, const char* argument, std::string_view words) {
        FixedText<row_bytes_max> left;
        left.append(option_column, ' ');
        if (letter != '\0') left.format("-%c, --%s", letter, name);
        else left.format("    --%s", name);
        if (argument != nullptr) left.format("=%s", argument);
        std::size_t column = utf8_count(left.view());
        text_.append(left.view());
        if (column + 2 > help_column) {
            text_.append('\n');
            column = 0;
        }
        text_.append(help_column - column, ' ');
        Paragraph paragraph(text_, help_column, help_column);
        paragraph.append(words);
        paragraph.end();
    }

private:
    TextBuffer& text_;
};

void append_help(TextBuffer& text, const Command& command) {
    HelpText help(text);
    help.usage(command);
    append_paragraph(text, command.summary);
    if (command.operands.help != nullptr) append_paragraph(text, command.operands.help);
    text.append("\nOptions:\n");
    for (const Option& option : command.options) help.option(option);
    if (command.has_config) {
        help.row('\0', "config", "FILE",
                 "JSON object with these options' names as keys; the command line beats it");
    }
    help.row('h', "help", nullptr, "show this and exit");
    help.row('\0', "version", nullptr, "show the version and exit");
    if (command.epilogue != nullptr) {
        text.append('\n');
        text.append(command.epilogue);
        if (!std::string_view(command.epilogue).ends_with('\n')) text.append('\n');
    }
}

}  // namespace ringlet
