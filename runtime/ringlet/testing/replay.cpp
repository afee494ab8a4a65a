// Replay: choices from the environment, the command that repeats them, and last words.
//
// The words are put together in fixed memory: a process may die while it allocates.
#include <ringlet/testing/replay.hpp>

#include <ringlet/base/panic.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

// There in programs that a sanitizer is linked into.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace ringlet::testing {
namespace {

constexpr std::size_t words_max = 8192;

const TestFramework* framework = nullptr;
constinit thread_local const ReplayScope* innermost = nullptr;
constinit std::array<char, 512> selection{};  // the framework's, as it was at the outermost scope
constinit std::array<char, 4096> program{};

// Text in fixed memory. What does not fit is left out.
class Words {
public:
    void add(std::string_view text) {
        const std::size_t size = std::min(text.size(), room_.size() - size_);
        std::copy_n(text.data(), size, room_.data() + size_);
        size_ += size;
    }
    // As a shell's word.
    void add_quoted(std::string_view word) {
        if (!word.empty() && std::ranges::all_of(word, is_plain)) return add(word);
        add("'");
        for (const char each : word) {
            if (each == '\'') add("'\\''");
            else add({&each, 1});
        }
        add("'");
    }
    std::string_view text() const { return {room_.data(), size_}; }

private:
    static bool is_plain(char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
               (each >= '0' && each <= '9') ||
               std::string_view("_-./=:,+@%").find(each) != std::string_view::npos;
    }

    std::array<char, words_max> room_;
    std::size_t size_ = 0;
};

std::string_view program_path() {
    if (program[0] == '\0') {
        const auto size = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
        if (size <= 0) return "?";
    }
    return program.data();
}

std::string_view read_whole(const char* path, std::span<char> into) {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::size_t size = 0;
    while (size < into.size()) {
        const auto count = ::read(file, into.data() + size, into.size() - size);
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    ::close(file);
    return {into.data(), size};
}

// The program's own arguments, each with a blank before it.
void add_arguments(Words& words) {
    std::array<char, words_max> room;
    std::string_view all = read_whole("/proc/self/cmdline", room);  // each ends with '\0'
    for (bool is_name = true; !all.empty(); is_name = false) {
        const std::size_t end = std::min(all.find('\0'), all.size() - 1);
        if (!is_name) {
            words.add(" ");
            words.add_quoted(all.substr(0, end));
        }
        all.remove_prefix(end + 1);
    }
}

void add_choices(Words& words, const ReplayScope* scope);

void add_command(Words& words) {
    add_choices(words, innermost);
    words.add_quoted(program_path());
    if (framework == nullptr) return add_arguments(words);
    words.add(" ");
    words.add_quoted(selection.data());
}

void add_how_to_replay(Words& words) {
    if (innermost == nullptr) return;
    words.add("to run it again:\n  ");
    add_command(words);
    words.add("\n");
}

void die_of(int signal) {
    print_last_words();
    ::raise(signal);  // the default action is back, and it comes when this handler returns
}

// Handlers that somebody else has set stay.
void install_last_words() {
    static bool installed = false;
    if (std::exchange(installed, true)) return;
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}) {
        struct sigaction action {};
        ::sigaction(signal, nullptr, &action);
        if ((action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL) continue;
        action = {};
        action.sa_handler = die_of;
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        ::sigaction(signal, &action, nullptr);
    }
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_last_words);
}

void note_selection() {
    if (framework == nullptr) return;
    std::snprintf(selection.data(), selection.size(), "%s", framework->selection().c_str());
}

}  // namespace

// Outermost first.
struct ReplayChoices {
    static void add(Words& words, const ReplayScope* scope) {
        if (scope == nullptr) return;
        add(words, scope->outer_);
        char choice[96];
        std::snprintf(choice, sizeof choice, "%s=%llu ", scope->variable_,
                      static_cast<unsigned long long>(scope->value_));
        words.add(choice);
    }
};

namespace {

void add_choices(Words& words, const ReplayScope* scope) {
    ReplayChoices::add(words, scope);
}

}  // namespace

void set_test_framework(const TestFramework* its) {
    framework = its;
    install_last_words();
    program_path();  // from now on, failures ask Linux for nothing
}

const TestFramework* test_framework() {
    return framework;
}

unsigned failures_so_far() {
    return framework != nullptr ? framework->failures() : 0;
}

void report_failure(std::string_view words) {
    if (framework != nullptr) return framework->fail(words);
    std::fprintf(stderr, "%.*s\n", static_cast<int>(words.size()), words.data());
}

std::optional<std::uint64_t> chosen(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    char* end = nullptr;
    errno = 0;
    const std::uint64_t value = std::strtoull(text, &end, 0);
    const bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    if (!is_number) {
        std::fprintf(stderr, "%s is '%s', which is not a number\n", variable, text);
        std::exit(2);
    }
    return value;
}

ReplayScope::ReplayScope(const char* variable, std::uint64_t value)
    : variable_(variable), value_(value), outer_(innermost) {
    install_last_words();
    if (outer_ == nullptr) note_selection();
    innermost = this;
}

ReplayScope::~ReplayScope() {
    innermost = outer_;
}

std::string replay_command() {
    if (innermost == nullptr) note_selection();
    Words words;
    add_command(words);
    return std::string(words.text());
}

std::string how_to_replay() {
    Words words;
    add_how_to_replay(words);
    return std::string(words.text());
}

void print_last_words() {
    Words words;
    add_how_to_replay(words);
    if (!words.text().empty()) emergency_write(words.text());
    innermost = nullptr;  // once
}

void print_replay(const char* what, std::uint64_t number) {
    std::fprintf(stderr, "%s %llu failed; %s", what, static_cast<unsigned long long>(number),
                 how_to_replay().c_str());
}

}  // namespace ringlet::testing
