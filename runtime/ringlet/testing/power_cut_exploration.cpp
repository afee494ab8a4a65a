// The order of an exploration's cuts, and what is said of one that failed.
#include <ringlet/testing/power_cut_exploration.hpp>

#include <cstdio>

namespace ringlet::testing {

std::string text(const PowerCut& cut) {
    char words[128];
    const int size = cut.before == 0
                         ? std::snprintf(words, sizeof words, "after the end")
                         : std::snprintf(words, sizeof words, "before operation %u", cut.before);
    std::snprintf(words + size, sizeof words - static_cast<std::size_t>(size),
                  ", survivors: %s, draw %llu", text(cut.loss.survivors),
                  static_cast<unsigned long long>(cut.loss.seed));
    return words;
}

namespace exploration {

// The two models that draw nothing come first.
unsigned cuts_of_a_point(unsigned draws) {
    return 2 + 2 * draws;
}

PowerCut cut_of(unsigned number, unsigned draws) {
    RINGLET_ASSERT(number > 0);
    const unsigned before = (number - 1) / cuts_of_a_point(draws);
    const unsigned which = (number - 1) % cuts_of_a_point(draws);
    if (which < 2) return {number, before, {which == 0 ? Survivors::synced : Survivors::all}};
    const bool journalled = which - 2 < draws;
    return {number,
            before,
            {journalled ? Survivors::journalled : Survivors::non_journalled, (which - 2) % draws}};
}

void report_cut(const PowerCut& cut, const CutVerdict& verdict, const Simulation& simulation) {
    std::string words = "power cut " + text(cut);
    if (verdict.missed) words += ": the run ended before it, unlike the first one";
    if (verdict.stuck) words += ": the program does not end";
    if (verdict.leaked) words += ": descriptors are left open";
    if (verdict.is_good()) words += ": what is left is wrong";
    words += '\n';
    words += simulation.deadlock_report();
    words += how_to_replay();
    report_failure(words);
}

}  // namespace exploration
}  // namespace ringlet::testing
