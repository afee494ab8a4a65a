// The table over getopt_long, and over the members of a JSON object.
#include <ringlet/app/options.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/base/panic.hpp>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <getopt.h>

namespace ringlet {
namespace {

// What getopt_long returns for a long option: its index in the table plus `first`, so that it
// cannot be taken for a letter.
namespace code {
constexpr int help = 256;
constexpr int version = 257;
constexpr int config = 258;
constexpr int first = 259;
}  // namespace code

// getopt's input, made from the table.
struct Getopt {
    // help, version, config and the final row of zeros on top
    std::array<::option, options_max + 4> rows{};
    // ':' in front, -h, and two characters an option
    std::array<char, 3 + 2 * options_max + 1> letters{};
};

constexpr std::string_view reserved_names[] = {"help", "version", "config"};

bool is_option_letter(char c) {
    return (c >= 'a' && c <= 'z' && c != 'h') || (c >= 'A' && c <= 'Z');
}

bool is_option_name(std::string_view name) {
    if (name.size() < 2 || name.front() == '-') return false;
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    for (const std::string_view reserved : reserved_names) {
        if (name == reserved) return false;
    }
    return true;
}

constexpr std::uint64_t bit(std::size_t index) {
    return std::uint64_t{1} << index;
}
static_assert(options_max <= 64);

}  // namespace

Options::Options(const Command& command, TextBuffer& report) : command_(command), report_(report) {
    RINGLET_ASSERT(command.name != nullptr && command.version != nullptr);
    RINGLET_ASSERT(command.summary != nullptr);
    RINGLET_ASSERT(command.options.size() <= options_max);
    RINGLET_ASSERT(command.operands.min <= command.operands.max);
    RINGLET_ASSERT((command.operands.name != nullptr) == (command.operands.max > 0));
    for (const Option& option : command.options) {
        RINGLET_ASSERT(is_option_name(option.name_));
        RINGLET_ASSERT(&command.options[find(option.name_)] == &option);  // unique
        RINGLET_ASSERT(option.letter_ == '\0' || is_option_letter(option.letter_));
        RINGLET_ASSERT((option.argument_ == nullptr) == (option.kind_ == Option::Kind::flag));
        RINGLET_ASSERT(option.help_ != nullptr);
    }
}

std::size_t Options::find(std::string_view name) const {
    std::size_t index = 0;
    while (index < command_.options.size() && name != command_.options[index].name_) ++index;
    return index;
}

bool Options::was_given(const void* target) const {
    for (std::size_t index = 0; index < command_.options.size(); ++index) {
        const void* const other = command_.options[index].target_.text;
        if (other == target) return ((on_command_line_ | in_file_) & bit(index)) != 0;
    }
    return false;
}

int Options::refuse(const char* format, ...) {
    char words[1024];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    report_.clear();
    report_.append(command_.name);
    report_.append(": ");
    report_.append_printable(words);
    report_.append('\n');
    return exit_status::usage;
}

std::optional<int> Options::parse(int argc, char** argv) {
    report_.clear();
    config_file_ = {};
    operands_ = {};
    on_command_line_ = in_file_ = 0;
    if (argc == 0) return check_operands();  // execve() allows an empty argv; getopt does not

    Getopt table;
    std::size_t row = 0;
    std::size_t letter = 0;
    table.rows[row++] = {"help", no_argument, nullptr, code::help};
    table.rows[row++] = {"version", no_argument, nullptr, code::version};
    if (command_.has_config) {
        table.rows[row++] = {"config", required_argument, nullptr, code::config};
    }
    table.letters[letter++] = ':';
    table.letters[letter++] = 'h';
    int next_code = code::first;
    for (const Option& option : command_.options) {
        const int has_argument = option.argument_ != nullptr ? required_argument : no_argument;
        table.rows[row++] = {option.name_, has_argument, nullptr, next_code++};
        if (option.letter_ == '\0') continue;
        table.letters[letter++] = option.letter_;
        if (option.argument_ != nullptr) table.letters[letter++] = ':';
    }

    // 0 makes glibc and musl forget an earlier command line.
    optind = 0;
    opterr = 0;
    for (;;) {
        const int found =
            ::getopt_long(argc, argv, table.letters.data(), table.rows.data(), nullptr);
        if (found == -1) break;
        const auto status = handle(found, argv);
        if (status) return status;
    }
    operands_ = std::span<char* const>(argv, static_cast<std::size_t>(argc))
                    .subspan(static_cast<std::size_t>(optind));
    return check_operands();
}

std::optional<int> Options::handle(int found, char** argv) {
    switch (found) {
        case 'h':
        case code::help: append_help(report_, command_); return exit_status::ok;
        case code::version:
            report_.format("%s %s\n", command_.name, command_.version);
            return exit_status::ok;
        case code::config:
            if (*optarg == '\0') return refuse("--config: the name of the file is empty");
            config_file_ = optarg;
            return std::nullopt;
        case ':': return refuse_argument(optopt, true);
        case '?':
            if (optopt >= code::help) return refuse_argument(optopt, false);
            return refuse_unknown(argv[optind - 1]);
        default: break;
    }
    if (found >= code::first) return store(static_cast<std::size_t>(found - code::first), optarg);
    std::size_t index = 0;
    while (index < command_.options.size() && command_.options[index].letter_ != found) ++index;
    RINGLET_ASSERT(index < command_.options.size());
    return store(index, optarg);
}

std::optional<int> Options::store(std::size_t index, const char* argument) {
    const Option& option = command_.options[index];
    on_command_line_ |= bit(index);
    if (option.kind_ == Option::Kind::flag) {
        *option.target_.flag = true;
        return std::nullopt;
    }
    FixedText<256> why;
    if (option.accept(argument, true, why)) return std::nullopt;
    return refuse("--%s: '%s' %s", option.name_, argument, why.c_str());
}

// A letter that is none: optopt says which. A word that is none, or the beginning of several.
int Options::refuse_unknown(const char* word) {
    if (optopt != 0) return refuse("unknown option '-%c'; see --help", optopt);
    std::string_view name(word);
    name = name.substr(0, name.find('='));
    std::size_t matches = 0;
    if (name.starts_with("--")) {
        const std::string_view start = name.substr(2);
        for (const std::string_view reserved : reserved_names) {
            if (reserved == "config" && !command_.has_config) continue;
            matches += reserved.starts_with(start) ? 1 : 0;
        }
        for (const Option& option : command_.options) {
            matches += std::string_view(option.name_).starts_with(start) ? 1 : 0;
        }
    }
    return refuse("%s option '%.*s'; see --help", matches > 1 ? "ambiguous" : "unknown",
                  static_cast<int>(name.size()), name.data());
}

int Options::refuse_argument(int which, bool is_missing) {
    const char* name = "config";
    const char* argument = "FILE";
    if (which == code::help || which == code::version) {
        name = which == code::help ? "help" : "version";
    } else if (which != code::config) {
        const Option* found = nullptr;
        for (const Option& option : command_.options) {
            const int index = static_cast<int>(&option - command_.options.data());
            if (which == option.letter_ || which == code::first + index) found = &option;
        }
        RINGLET_ASSERT(found != nullptr);
        name = found->name_;
        argument = found->argument_;
    }
    if (is_missing) return refuse("--%s: needs %s", name, argument);
    return refuse("--%s: takes no argument", name);
}

std::optional<int> Options::check_operands() {
    const Operands& wanted = command_.operands;
    const std::size_t count = operands_.size();
    if (count > wanted.max) {
        const char* const first_over = operands_[wanted.max];
        if (wanted.max == 0) return refuse("unexpected argument '%s'; see --help", first_over);
        return refuse("'%s' is one %s too many: at most %zu", first_over, wanted.name, wanted.max);
    }
    if (count < wanted.min) {
        const char* const article = std::strchr("AEIO", wanted.name[0]) != nullptr ? "an" : "a";
        if (wanted.min == 1) return refuse("needs %s %s; see --help", article, wanted.name);
        return refuse("needs at least %zu %s; see --help", wanted.min, wanted.name);
    }
    return std::nullopt;
}

std::optional<int> Options::configure(std::string_view file, JsonValue root) {
    const auto fail = [&] {
        return refuse("%.*s: %s", static_cast<int>(file.size()), file.data(), root.message());
    };
    const auto is_object = root.expect(JsonKind::object);
    if (!is_object) return fail();
    for (const JsonValue value : root) {
        const std::size_t index = find(value.key());
        if (index == command_.options.size()) {
            (void)value.refuse("unknown key");
            return fail();
        }
        const bool is_free = (on_command_line_ & bit(index)) == 0;
        const auto accepted = command_.options[index].accept(value, is_free);
        if (!accepted) return fail();
        in_file_ |= bit(index);
    }
    return std::nullopt;
}

}  // namespace ringlet
