// A program's options: one table for the command line, --help and the JSON configuration.
//
//   struct Settings { std::uint32_t workers = 4; Nanoseconds limit = 2s; bool quiet = false; };
//   Settings settings;
//   const Option table[] = {
//       Option::count("workers", "N", "requests at a time", settings.workers, 1, 64).letter('w'),
//       Option::duration("limit", "TIME", "how long one may take", settings.limit, 1ms, 1h),
//       Option::flag("quiet", "no progress line", settings.quiet),
//   };
//   const Command command{.name = "fetch", .version = "0.1.0", .summary = "Fetches URLs.",
//                         .options = table, .has_config = true,
//                         .operands = {.name = "URL", .min = 1, .max = 1000}};
//   FixedText<option_report_bytes> report;
//   Options options(command, report);
//   if (const auto status = options.parse(argc, argv)) return print_and_exit(report, *status);
//
// Then, if options.config_file() names one: read it, parse it, and options.configure() the rest.
// The command line beats the file, the file beats the defaults, which are what the variables hold
// when the table is made. The keys of the file are the options' names, as on the command line
// ("queue-depth"); durations are strings with a unit, sizes are strings or numbers of bytes.
//
// Nothing here reads or prints: the report is what to print, on standard output if the status is
// exit_status::ok (--help, --version), otherwise on standard error, where it is one line:
//   fetch: --workers: '0' is not between 1 and 64
#pragma once

#include <ringlet/app/json.hpp>
#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringlet {

// Options of one table.
inline constexpr std::size_t options_max = 48;
// Enough for --help with a full table.
inline constexpr std::size_t option_report_bytes = 8192;
// What --help keeps to.
inline constexpr std::size_t help_columns_max = 80;

// One row of the table. Names and texts are static; the target is the caller's variable and must
// outlive the Options. Ranges include both ends.
class Option {
public:
    static Option count(const char* name, const char* argument, const char* help,
                        std::uint32_t& target, std::uint32_t min, std::uint32_t max);
    static Option size(const char* name, const char* argument, const char* help,
                       std::uint64_t& target, std::uint64_t min, std::uint64_t max);
    static Option duration(const char* name, const char* argument, const char* help,
                           Nanoseconds& target, Nanoseconds min, Nanoseconds max);
    // The target points into argv, or into the document of the configuration.
    static Option text(const char* name, const char* argument, const char* help,
                       std::string_view& target);
    // One of `choices`, which must be static; the target points there.
    static Option choice(const char* name, const char* argument, const char* help,
                         std::string_view& target, std::span<const char* const> choices);
    static Option flag(const char* name, const char* help, bool& target);

    // The same option with a short form, such as -w. Not 'h', which is --help.
    Option letter(char short_name) const;

private:
    friend class Options;
    friend class HelpText;
    enum class Kind : std::uint8_t { count, size, duration, text, choice, flag };

    Option(Kind kind, const char* name, const char* argument, const char* help)
        : name_(name), argument_(argument), help_(help), kind_(kind) {}

    // Checks `text`, and puts it into the target if `store`. Otherwise false, and the reason, in
    // words that follow the quoted text, in `why`.
    bool accept(std::string_view text, bool store, TextBuffer& why) const;
    bool accept_choice(std::string_view text, bool store, TextBuffer& why) const;
    // The same for a value of the configuration. The words go to the value's arena.
    Result<void> accept(JsonValue value, bool store) const;
    Result<void> accept_number(JsonValue value, bool store) const;
    void append_amount(TextBuffer& text, std::uint64_t amount) const;
    void append_default(TextBuffer& text) const;

    const char* name_;
    const char* argument_;
    const char* help_;
    union {
        std::uint32_t* count;
        std::uint64_t* size;
        Nanoseconds* duration;
        std::string_view* text;
        bool* flag;
    } target_{};
    // Of count, size (bytes) and duration (nanoseconds): the range, and what the target held.
    std::uint64_t min_ = 0;
    std::uint64_t max_ = 0;
    std::uint64_t default_ = 0;
    std::string_view default_text_;
    std::span<const char* const> choices_;
    Kind kind_;
    char letter_ = '\0';
};

// What stands on the command line beside the options.
struct Operands {
    const char* name = nullptr;  // "URL"; null if the command takes none
    std::size_t min = 0;
    std::size_t max = 0;
    const char* help = nullptr;  // one more paragraph in --help, or null
};

// All texts are static.
struct Command {
    const char* name;
    const char* version;
    const char* summary;  // what it does, a sentence or two
    std::span<const Option> options;
    bool has_config = false;  // offers --config=FILE
    Operands operands{};
    const char* epilogue = nullptr;  // the end of --help, as it is; or null
};

// One run of the command line. May be used several times in a process, one after the other.
class Options {
public:
    // Both must outlive it. Asserts that the table is sound (names unique, help present ...).
    Options(const Command& command, TextBuffer& report);
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    // Reads the command line and stores what it gives. Empty: go on. Otherwise the exit status,
    // and what to print is in the report. Reorders argv: operands to the end.
    std::optional<int> parse(int argc, char** argv);

    // After parse(), for the members of `root`: stores what the command line did not give, and
    // checks all. `file` is for the report. Each key must be an option's name.
    std::optional<int> configure(std::string_view file, JsonValue root);

    // The report becomes "NAME: " and the words, for checks that concern several options, or a
    // file that cannot be read. Always exit_status::usage.
    [[gnu::format(printf, 2, 3)]] int refuse(const char* format, ...);

    // The argument of --config; empty if not given.
    std::string_view config_file() const { return config_file_; }

    std::span<char* const> operands() const { return operands_; }

    // Whether the command line or the configuration gave the option with this target.
    bool was_given(const void* target) const;

private:
    std::optional<int> handle(int code, char** argv);
    std::optional<int> store(std::size_t index, const char* argument);
    std::optional<int> check_operands();
    int refuse_unknown(const char* word);
    int refuse_argument(int code, bool is_missing);
    std::size_t find(std::string_view name) const;

    const Command& command_;
    TextBuffer& report_;
    std::string_view config_file_;
    std::span<char* const> operands_;
    std::uint64_t on_command_line_ = 0;  // one bit an option
    std::uint64_t in_file_ = 0;
};

// The text of --help: usage, summary, a line or more for each option. For documentation tools;
// parse() calls it by itself.
void append_help(TextBuffer& text, const Command& command);

}  // namespace ringlet
