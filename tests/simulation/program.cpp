// The text of a program, there and back.
#include "program.hpp"

#include <cstdio>
#include <sstream>

namespace ringlet::simulate {
namespace {

struct Entry {
    const char* name;
    unsigned Surroundings::* place;
};
constexpr std::array entries = {
    Entry{"limits", &Surroundings::limits},
    Entry{"submissions", &Surroundings::submissions},
    Entry{"latency_us", &Surroundings::latency_us},
    Entry{"job_us", &Surroundings::job_us},
    Entry{"short_transfers", &Surroundings::short_transfers},
    Entry{"faults", &Surroundings::faults},
    Entry{"datagram_loss", &Surroundings::datagram_loss},
    Entry{"datagram_duplication", &Surroundings::datagram_duplication},
    Entry{"datagram_reordering", &Surroundings::datagram_reordering},
    Entry{"stop_after", &Surroundings::stop_after},
    Entry{"events_min", &Surroundings::events_min},
};

bool read_surrounding(const std::string& word, std::istream& from, Surroundings& into) {
    if (word == "seed") return bool(from >> into.seed);
    for (const Entry& entry : entries) {
        if (word == entry.name) return bool(from >> into.*entry.place);
    }
    return false;
}

bool read_node(const std::string& word, std::istream& from, Node& node) {
    for (std::size_t i = 0; i < kinds; ++i) {
        if (word != kind_traits[i].name) continue;
        node.kind = static_cast<Kind>(i);
        return bool(from >> node.numbers[0] >> node.numbers[1] >> node.numbers[2] >> node.salt);
    }
    return false;
}

// Of the node at `at` and all below it; gives the first node after them, or 0 if one has more or
// fewer children than its kind wants.
unsigned link_from(std::vector<Node>& nodes, unsigned at) {
    Node& node = nodes[at];
    node.children = 0;
    node.prompt = traits(node.kind).prompt;
    unsigned next = at + 1;
    while (next < nodes.size() && nodes[next].depth > node.depth) {
        const unsigned child = next;
        next = link_from(nodes, child);
        if (next == 0) return 0;
        ++node.children;
        node.prompt &= nodes[child].prompt;
    }
    node.end = next;
    const KindTraits& its = traits(node.kind);
    const bool is_root = at == 0;  // it has one child for each phase
    const bool fits = node.children >= its.children_min && node.children <= its.children_max;
    return fits || is_root ? next : 0;
}

}  // namespace

std::string to_text(const Program& program) {
    std::ostringstream out;
    out << "seed " << program.surroundings.seed << '\n';
    for (const Entry& entry : entries) {
        out << entry.name << ' ' << program.surroundings.*entry.place << '\n';
    }
    for (const Node& node : program.nodes) {
        out << std::string(2 * node.depth, ' ') << traits(node.kind).name;
        for (const unsigned number : node.numbers)
            out << ' ' << number;
        out << ' ' << node.salt << '\n';
    }
    return out.str();
}

bool parse(std::string_view text, Program& program) {
    program = {};
    std::istringstream lines{std::string(text)};
    std::string line;
    while (std::getline(lines, line)) {
        const std::size_t indent = line.find_first_not_of(' ');
        if (indent == std::string::npos || line[indent] == '#') continue;
        std::istringstream words(line);
        std::string word;
        words >> word;
        Node node;
        node.depth = static_cast<unsigned>(indent / 2);
        if (read_node(word, words, node)) {
            program.nodes.push_back(node);
        } else if (!read_surrounding(word, words, program.surroundings)) {
            std::fprintf(stderr, "simulate: not understood: %s\n", line.c_str());
            return false;
        }
    }
    if (link(program)) return true;
    std::fprintf(stderr, "simulate: the nodes are no tree\n");
    return false;
}

bool link(Program& program) {
    std::vector<Node>& nodes = program.nodes;
    if (nodes.empty() || nodes.size() > nodes_max || nodes[0].depth != 0) return false;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        if (nodes[i].depth == 0 || nodes[i].depth > nodes[i - 1].depth + 1) return false;
    }
    return link_from(nodes, 0) == nodes.size();
}

}  // namespace ringlet::simulate
