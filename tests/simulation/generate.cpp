// How a seed becomes a program.
//
// Programs never deadlock by themselves, so a run that gets stuck has found something: whoever
// locks a mutex or takes a permit while it has another takes one with a higher number; a scene
// whose tasks need one another ends when one of them does; everything else that might not come has
// a time limit.
#include "program.hpp"

#include <ringlet/testing/random.hpp>

#include <algorithm>
#include <span>

namespace ringlet::simulate {
namespace {

// As in scenario.cpp.
constexpr unsigned limits_variants = 10;
// Mutexes and semaphores are numbered together, mutexes first.
constexpr unsigned mutexes = 3;
constexpr unsigned holdables = 5;

constexpr std::array scenes = {Kind::condition, Kind::broadcast, Kind::watch,
                               Kind::pipe,      Kind::tcp,       Kind::unix};

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15 + 1) {
        program_.surroundings = surroundings(seed);
    }

    Program generate() {
        budget_ = draw(20, 100);
        program_.nodes.push_back(node(Kind::sequence, 0));
        // Two scenes for sure, so that there is never only one kind of task.
        for (const Kind kind : {Kind::queue, pick_one(scenes)}) {
            program_.nodes.push_back(node(Kind::attempt, 1));
            program_.nodes.push_back(node(kind, 2));
        }
        while (budget_ > 0)
            phase();
        link(program_);
        return std::move(program_);
    }

private:
    unsigned draw(unsigned least, unsigned most) {
        return static_cast<unsigned>(random_.between(least, most));
    }
    bool one_in(unsigned chances) { return draw(1, chances) == 1; }
    Kind pick_one(std::span<const Kind> from) {
        return from[draw(0, static_cast<unsigned>(from.size()) - 1)];
    }
    // Mostly small.
    unsigned skewed(unsigned most) { return draw(0, draw(0, most)); }

    Surroundings surroundings(std::uint64_t seed) {
        Surroundings around;
        around.seed = seed == 0 ? 1 : seed;
        around.limits = one_in(2) ? 0 : draw(0, limits_variants - 1);
        around.submissions = one_in(3) ? draw(1, 4) : 0;
        around.latency_us = one_in(3) ? 0 : skewed(2000);
        around.job_us = skewed(3000);
        around.short_transfers = draw(0, 1);
        around.faults = one_in(2) ? 0 : skewed(60);
        around.datagram_loss = skewed(40);
        around.datagram_duplication = skewed(40);
        around.datagram_reordering = skewed(40);
        around.stop_after = one_in(6) ? draw(200, 1500) : 0;
        return around;
    }

    Node node(Kind kind, unsigned depth) {
        Node made;
        made.kind = kind;
        made.depth = depth;
        for (unsigned& number : made.numbers)
            number = draw(0, 999);
        made.salt = draw(0, 999'999);
        return made;
    }

    // Below the root, so that one error does not end it all.
    void phase() {
        program_.nodes.push_back(node(Kind::attempt, 1));
        tree(2, 0);
    }

    Kind pick(unsigned depth, unsigned held) {
        const bool leaf = budget_ == 0 || depth > 9 || (depth > 3 && one_in(3));
        const auto fits = [&](const KindTraits& each) {
            if (leaf && each.children_min > 0) return false;
            if (held >= holdables &&
                (&each == &traits(Kind::locked) || &each == &traits(Kind::permit)))
                return false;
            if (held >= mutexes && &each == &traits(Kind::locked)) return false;
            return true;
        };
        unsigned sum = 0;
        for (const KindTraits& each : kind_traits)
            sum += fits(each) ? each.weight : 0;
        unsigned left = draw(1, sum);
        for (std::size_t i = 0; i < kinds; ++i) {
            const unsigned weight = fits(kind_traits[i]) ? kind_traits[i].weight : 0;
            if (left <= weight) return static_cast<Kind>(i);
            left -= weight;
        }
        return Kind::yield;
    }

    // held: the lowest number that may still be locked or taken.
    void tree(unsigned depth, unsigned held) {
        budget_ -= std::min(budget_, 1u);
        const Kind kind = pick(depth, held);
        Node made = node(kind, depth);
        if (kind == Kind::locked) {
            made.numbers[0] = draw(held, mutexes - 1);
            held = made.numbers[0] + 1;
        } else if (kind == Kind::permit) {
            made.numbers[0] = draw(std::max(held, mutexes), holdables - 1) - mutexes;
            held = made.numbers[0] + mutexes + 1;
        }
        program_.nodes.push_back(made);
        const KindTraits& its = traits(kind);
        const unsigned most = budget_ == 0 ? its.children_min : its.children_max;
        for (unsigned left = draw(its.children_min, most); left > 0; --left) {
            tree(depth + 1, held);
        }
    }

    testing::Random random_;
    Program program_;
    unsigned budget_ = 0;
};

}  // namespace

Program generate(std::uint64_t seed) {
    return Generator(seed).generate();
}

}  // namespace ringlet::simulate
