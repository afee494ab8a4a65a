// Program: a random program as data. A tree of nodes, and the world it runs in. It is generated
// from a seed, and as a text it can be kept, cut down and run again:
//
//   seed 7             of the world: the order of completions, latencies, faults
//   limits 3           which of the Limits in scenario.cpp
//   ...
//   timeout 400 0 0 91        a node: its kind, three numbers whose meaning is the kind's, a salt
//     queue 2 1 5 17          its children are indented by two more
//     sleep 30 0 0 4
#pragma once

#include "kinds.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet::simulate {

struct Node {
    Kind kind = Kind::yield;
    unsigned depth = 0;
    std::array<unsigned, 3> numbers{};
    // What the node draws while it runs depends on this and on how often it drew before: cutting
    // other nodes out of the program changes nothing for it.
    unsigned salt = 0;

    // By link().
    unsigned end = 0;  // one after the last node below it
    unsigned children = 0;
    bool prompt = false;  // it, and everything below it
};

// Everything but the tree.
struct Surroundings {
    std::uint64_t seed = 1;
    unsigned limits = 0;
    unsigned submissions = 0;  // entries of the SQ; 0: as many as the limits ask for
    unsigned latency_us = 0;   // at most, of each operation
    unsigned job_us = 0;       // at most, of each job of offload()
    unsigned short_transfers = 0;
    unsigned faults = 0;  // per mille of the operations
    unsigned datagram_loss = 0;
    unsigned datagram_duplication = 0;
    unsigned datagram_reordering = 0;
    unsigned stop_after = 0;    // so many suspensions SIGTERM comes; 0: never
    unsigned events_min = 200;  // the tree is run again and again until there were as many
};

struct Program {
    Surroundings surroundings;
    std::vector<Node> nodes;  // in the order of the text; the first is the root
};

inline constexpr unsigned nodes_max = 256;

Program generate(std::uint64_t seed);

std::string to_text(const Program& program);
// False, and a line on standard error, if the text is no program.
bool parse(std::string_view text, Program& program);

// Fills in what follows from the depths. False if the nodes are no tree.
bool link(Program& program);

}  // namespace ringlet::simulate
