// The command: from argv to the exit status.
#pragma once

#include <ringlet/task/task.hpp>

namespace station {

// `argv` outlives the await, and is reordered.
//
// Cancellation: Station::run's.
ringlet::Task<int> run_command(int argc, char** argv);

}  // namespace station
