// Runs random programs in simulated worlds, and checks each against the model. tools/simulate runs
// it on all cores; docs/simulating.md tells the whole.
//
//   simulate --seeds FIRST COUNT    the programs of these seeds, one after the other
//   simulate --seconds S            no new program after so long
//   simulate --program FILE         the program in a file
//   simulate --kept FILE            the seeds in a file, the first word of each line
//   simulate --print                print the programs instead of running them
//   simulate --trace                print what happens
//   simulate --record FILE          for each program 16 bytes: its trace's hash; its events, and in
//                                   the upper half the kinds of task. FILE.seed: the seed under way
//
// Says nothing but a line at the end. The first program in which something does not hold ends it
// with status 1, and on standard error the line "FAILED seed N: why".
#include "scenario.hpp"

#include "model.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <unordered_set>
#include <vector>

// Sanitizers end a process by abort(), so that crashed() can name the seed.
extern "C" const char* __asan_default_options() {
    return "abort_on_error=1:halt_on_error=1:detect_leaks=0:detect_stack_use_after_return=0";
}
extern "C" const char* __ubsan_default_options() {
    return "abort_on_error=1:halt_on_error=1:print_stacktrace=1";
}

namespace {

using namespace ringlet;
using namespace ringlet::simulate;

struct Arguments {
    std::uint64_t first = 1;
    std::uint64_t count = 0;
    unsigned seconds = 0;
    const char* program = nullptr;
    const char* kept = nullptr;
    const char* record = nullptr;
    bool prints = false;
    bool traces = false;
};

void crashed(int number) {
    static volatile std::sig_atomic_t again = 0;
    if (again != 0) ::_exit(1);
    again = 1;
    found(number == SIGALRM ? "it does not come to an end" : "crashed by a signal", number);
}

void catch_crashes() {
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
        std::signal(number, crashed);
    }
}

// What the programs have come to.
class Summary {
public:
    explicit Summary(const char* record) {
        if (record == nullptr) return;
        record_ = std::fopen(record, "ab");
        seed_ = ::open((std::string(record) + ".seed").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    }

    void begin(std::uint64_t seed) const {
        if (seed_ < 0) return;
        const std::string text = std::to_string(seed) + '\n';
        if (::pwrite(seed_, text.data(), text.size(), 0) < 0) std::perror("simulate");
    }
    void add(const Ran& ran) {
        hashes_.insert(ran.hash);
        events_.push_back(ran.events());
        kinds_ = std::min(kinds_, ran.task_kinds);
        if (record_ == nullptr) return;
        const std::uint64_t entry[] = {ran.hash,
                                       ran.events() | std::uint64_t{ran.task_kinds} << 32};
        std::fwrite(entry, sizeof entry, 1, record_);
        if (events_.size() % 32 == 0) std::fflush(record_);
    }
    void print() {
        if (record_ != nullptr) std::fclose(record_);
        std::sort(events_.begin(), events_.end());
        const auto median = events_.empty() ? 0 : events_[events_.size() / 2];
        std::printf("simulate: %zu scenarios, %zu distinct traces, events: median %llu, least %llu;"
                    " kinds of task: least %u\n",
                    events_.size(), hashes_.size(), static_cast<unsigned long long>(median),
                    static_cast<unsigned long long>(events_.empty() ? 0 : events_.front()),
                    events_.empty() ? 0 : kinds_);
    }

private:
    std::FILE* record_ = nullptr;
    int seed_ = -1;
    std::unordered_set<std::uint64_t> hashes_;
    std::vector<std::uint64_t> events_;
    unsigned kinds_ = ~0u;
};

void run(const Program& program, const Arguments& arguments, Summary& summary) {
    if (arguments.prints) {
        std::fputs(to_text(program).c_str(), stdout);
        return;
    }
    constexpr unsigned seconds_max = 60;  // real ones, for one program
    ::alarm(seconds_max);
    summary.begin(program.surroundings.seed);
    summary.add(run_scenario(program, arguments.traces));
}

bool run_file(const Arguments& arguments, Summary& summary) {
    std::ifstream file(arguments.program);
    std::stringstream text;
    text << file.rdbuf();
    Program program;
    if (!file || !parse(text.str(), program)) {
        std::fprintf(stderr, "simulate: %s cannot be read\n", arguments.program);
        return false;
    }
    run(program, arguments, summary);
    return true;
}

bool run_kept(const Arguments& arguments, Summary& summary) {
    std::ifstream file(arguments.kept);
    if (!file) {
        std::fprintf(stderr, "simulate: %s cannot be read\n", arguments.kept);
        return false;
    }
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        run(generate(std::strtoull(line.c_str(), nullptr, 10)), arguments, summary);
    }
    return true;
}

void run_seeds(const Arguments& arguments, Summary& summary) {
    using Time = std::chrono::steady_clock;
    const auto end = Time::now() + std::chrono::seconds(arguments.seconds);
    for (std::uint64_t i = 0; arguments.count == 0 || i < arguments.count; ++i) {
        if (arguments.seconds != 0 && Time::now() >= end) return;
        run(generate(arguments.first + i), arguments, summary);
    }
}

bool parse(int count, char** words, Arguments& into) {
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        const auto next = [&] { return i + 1 < count ? words[++i] : nullptr; };
        const auto number = [&]() -> std::optional<std::uint64_t> {
            const char* const text = next();
            if (text == nullptr) return std::nullopt;
            return std::strtoull(text, nullptr, 10);
        };
        bool known = true;
        if (word == "--seeds") {
            const auto first = number();
            const auto how_many = number();
            known = first && how_many && *how_many > 0;
            if (known) into.first = *first, into.count = *how_many;
        } else if (word == "--seconds") {
            const auto seconds = number();
            known = seconds && *seconds > 0;
            if (known) into.seconds = static_cast<unsigned>(*seconds);
        } else if (word == "--program") {
            known = (into.program = next()) != nullptr;
        } else if (word == "--kept") {
            known = (into.kept = next()) != nullptr;
        } else if (word == "--record") {
            known = (into.record = next()) != nullptr;
        } else if (word == "--print") {
            into.prints = true;
        } else if (word == "--trace") {
            into.traces = true;
        } else {
            known = false;
        }
        if (!known) return false;
    }
    const bool is_bounded = into.count != 0 || into.seconds != 0;
    return is_bounded || into.program != nullptr || into.kept != nullptr;
}

}  // namespace

int main(int count, char** words) {
    Arguments arguments;
    if (!parse(count, words, arguments)) {
        std::fprintf(stderr, "usage: simulate --seeds FIRST COUNT | --seconds S | --program FILE |"
                             " --kept FILE [--print] [--trace] [--record FILE]\n");
        return 2;
    }
    catch_crashes();
    Summary summary(arguments.record);
    bool done = true;
    if (arguments.program != nullptr) done = run_file(arguments, summary);
    if (arguments.kept != nullptr) done = run_kept(arguments, summary);
    if (arguments.count != 0 || arguments.seconds != 0) run_seeds(arguments, summary);
    if (!arguments.prints) summary.print();
    return done ? 0 : 1;
}
