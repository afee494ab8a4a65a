// What an exploration does inside its runs, and what it says of a run that failed.
#include <ringlet/testing/exploration.hpp>

#include <cstring>

namespace ringlet::testing::exploration {

void Watch::count(void* context) {
    Watch& watch = *static_cast<Watch*>(context);
    if (watch.target_ == nullptr) return;
    ++watch.seen;
    const TaskBlock& block = scheduler().running();
    if (watch.seen == suspensions_max) {
        watch.was_endless = true;
        watch.goes_round_at = block.where;
    } else if (watch.seen == watch.cancel_at_) {
        watch.note(block.waiting, &block);
    } else {
        return;
    }
    watch.target_->cancel();
}

void Watch::note_fault(const PossibleFault& fault, std::uint64_t user_data, void* context) {
    Watch& watch = *static_cast<Watch*>(context);
    watch.run_.number = fault.number;
    const Operation* const operation = ringlet::Operations::operation_of(user_data);
    if (operation != nullptr) watch.note(operation, operation->block);
}

void Watch::note(const Pending* pending, const TaskBlock* block) {
    if (pending != nullptr) run_.what = pending->hooks->reason;
    if (block != nullptr) run_.where = block->where;
}

namespace {

// "queue.cpp:41"
std::string text_of(const std::source_location& where) {
    const char* const path = where.file_name();
    const char* const slash = std::strrchr(path, '/');
    return std::string(slash != nullptr ? slash + 1 : path) + ':' + std::to_string(where.line());
}

std::string place_of(const PointRun& run) {
    if (run.what == nullptr || run.where.line() == 0) return {};
    return std::string(" at ") + run.what + ", " + text_of(run.where);
}

std::string title_of(Cut cut, const PointRun& run) {
    if (run.at == 0) return "undisturbed";
    const char* const what = cut == Cut::fault ? "with a fault at operation "
                                               : "cancelled at suspension point ";
    std::string title = what + std::to_string(run.at) + place_of(run);
    if (run.number != 0) title += std::string(": ") + text(Error::kernel(run.number));
    return title;
}

}  // namespace

void report_point(Cut cut, const PointRun& run, const Verdict& verdict,
                  const Simulation& simulation) {
    std::string words = title_of(cut, run);
    if (verdict.failed) words += ": the scenario failed";
    if (verdict.stuck) words += ": it does not end";
    if (verdict.goes_round_at.line() != 0) {
        words += ", and comes by " + text_of(verdict.goes_round_at) + " again and again";
    }
    if (verdict.leaked) words += ": descriptors are left open";
    if (verdict.is_good()) words += ": expectations failed, see above";
    words += '\n';
    words += simulation.deadlock_report();
    words += how_to_replay();
    report_failure(words);
}

}  // namespace ringlet::testing::exploration
