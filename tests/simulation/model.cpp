// What the model keeps of a run, and what it says when something does not fit.
#include "model.hpp"

#include <ringlet/run/run_loop.hpp>

#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace ringlet::simulate {
namespace {

void write_out(std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(STDERR_FILENO, text.data(), text.size());
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

const char* name_of(Step step) {
    switch (step) {
        case Step::begins: return "begins";
        case Step::ends: return "ends";
        case Step::fails: return "fails";
        case Step::unwinds: return "unwinds";
        case Step::says: return "says";
    }
    return "";
}

}  // namespace

void found(const char* what, long long detail) {
    char line[512];
    const auto seed = current != nullptr ? current->program().surroundings.seed : 0;
    std::snprintf(line, sizeof line, "FAILED seed %llu: %s (%lld)\n",
                  static_cast<unsigned long long>(seed), what, detail);
    write_out(line);
    if (current != nullptr) current->print_trace(write_out);
    if (current_scheduler != nullptr) {
        write_out("the tasks:\n");
        print_await_tree([](std::string_view words, void*) { write_out(words); }, nullptr);
    }
    ::_exit(1);
}

Context::Context(const Program& program, testing::World& world) : program_(program), world_(world) {
    current = this;
}

Context::~Context() {
    current = nullptr;
}

std::uint64_t Context::draw(unsigned node, std::uint64_t least, std::uint64_t most) {
    const std::uint64_t seed = program_.surroundings.seed ^
                               std::uint64_t{program_.nodes[node].salt} << 32 ^ draws_[node]++;
    return testing::Random(seed * 0x9e3779b97f4a7c15).between(least, most);
}

void Context::mix(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
        hash = (hash ^ ((value >> shift) & 0xff)) * 0x100000001b3;
    }
}

void Context::note(unsigned index, Step step, std::uint64_t detail) {
    const Noted noted{now(), detail, index, step};
    mix(static_cast<std::uint64_t>(noted.when));
    mix(std::uint64_t{index} << 8 | static_cast<std::uint64_t>(step));
    mix(detail);
    last_[static_cast<std::size_t>(noted_++ % last_.size())] = noted;
    if (!traces) return;
    char line[160];
    write_out({line, print(noted, line, sizeof line)});
}

void Context::note_suspension() {
    constexpr std::uint64_t suspensions_max = 2'000'000;
    if (++suspensions > suspensions_max) found("the program does not come to an end");
    if (suspensions == program_.surroundings.stop_after) stop();
}

void Context::check_quiet() {
    for (const SharedMutex& each : mutexes)
        each.check_quiet();
    for (const SharedSemaphore& each : semaphores)
        each.check_quiet();
    items.check_quiet(queue);
    for (Quiet* each = quiet_.front(); each != nullptr; each = quiet_.after(*each))
        each->look();
}

Quiet::Quiet(Context& context, void (*check)(void*), void* of) : check_(check), of_(of) {
    context.quiet_.push_back(*this);
}

void Context::stop() {
    root.may_end_from = now();
    if (!world_.raise(SIGTERM)) found("nobody waits for SIGTERM");
}

unsigned Context::print(const Noted& noted, char* line, unsigned size) const {
    const std::string_view kind = traits(node(noted.node).kind).name;
    const int printed = std::snprintf(
        line, size, "%12.6f ms  node %u %.*s %s %llu\n", static_cast<double>(noted.when) / 1e6,
        noted.node, static_cast<int>(kind.size()), kind.data(), name_of(noted.step),
        static_cast<unsigned long long>(noted.detail));
    return std::min(static_cast<unsigned>(printed), size - 1);
}

void Context::print_trace(void (*sink)(std::string_view)) const {
    const std::uint64_t count = std::min<std::uint64_t>(noted_, last_.size());
    sink("the last events:\n");
    for (std::uint64_t at = noted_ - count; at != noted_; ++at) {
        char line[160];
        sink({line, print(last_[static_cast<std::size_t>(at % last_.size())], line, sizeof line)});
    }
}

bool Context::ran_out() const {
    const FramePool& frames = scheduler().frames();
    for (unsigned i = 0; i < frames.classes(); ++i) {
        if (frames.use(i).refused != 0) return true;
    }
    return frames.oversized() != 0;
}

bool Context::is_legal(Error error) const {
    if (error.domain() == Domain::app) return true;  // a node's own
    if (error.domain() == Domain::runtime) {
        if (error == RuntimeDetail::frames || error == RuntimeDetail::tasks ||
            error == RuntimeDetail::descriptors || error == RuntimeDetail::closed ||
            error == RuntimeDetail::jobs || error == RuntimeDetail::workers) {
            return true;
        }
        return error == std::errc::timed_out || error == std::errc::operation_canceled;
    }
    if (has_faults()) return true;
    switch (error.code()) {
        case std::errc::broken_pipe:
        case std::errc::connection_reset:
        case std::errc::connection_refused:
        case std::errc::connection_aborted:
        case std::errc::not_connected:
        case std::errc::too_many_files_open:
        case std::errc::too_many_files_open_in_system: return true;
        default: return false;
    }
}

void Context::add(Cancellable what) {
    if (cancellables_ < cancellable_.size()) cancellable_[cancellables_++] = what;
}

void Context::remove(const Scope& scope) {
    for (unsigned i = 0; i < cancellables_; ++i) {
        if (cancellable_[i].scope != &scope) continue;
        cancellable_[i] = cancellable_[--cancellables_];
        return;
    }
}

void Context::cancel_any(unsigned choice) {
    if (cancellables_ == 0) return;
    const Cancellable& chosen = cancellable_[choice % cancellables_];
    if (chosen.handle->done()) return;
    chosen.scope->cancelled = true;
    chosen.handle->cancel();
}

Entered::Entered(At at) : at_(at) {
    ++at.context.begun;
    at.context.note(at.index, Step::begins);
    if (at.was_over) found("a node began in a scope that is over", at.index);
}

Entered::~Entered() {
    Context& context = at_.context;
    ++context.ended;
    const TaskBlock& block = scheduler().running();
    switch (block.outcome) {
        case Outcome::value: context.note(at_.index, Step::ends); break;
        case Outcome::error:
            context.note(at_.index, Step::fails, static_cast<std::uint64_t>(block.error.code()));
            if (!context.is_legal(block.error)) {
                found("a node ended with an error that cannot be",
                      static_cast<long long>(block.error.code()));
            }
            break;
        case Outcome::cancelled:
            context.note(at_.index, Step::unwinds);
            if (!at_.scope.may_end(at_.now()) && !context.ran_out()) {
                found("a node was cancelled without a reason", at_.index);
            }
            break;
    }
}

}  // namespace ringlet::simulate
