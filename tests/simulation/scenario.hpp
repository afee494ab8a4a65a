// Scenario: one program, run once in a world of its own.
#pragma once

#include "program.hpp"

#include <cstdint>

namespace ringlet::simulate {

struct Ran {
    std::uint64_t hash = 0;  // of all completions, and of all that the model saw
    std::uint64_t suspensions = 0;
    std::uint64_t completions = 0;
    unsigned task_kinds = 0;
    std::uint64_t events() const { return suspensions + completions; }
};

// Ends the process if something does not hold: see found().
Ran run_scenario(const Program& program, bool traces = false);

}  // namespace ringlet::simulate
