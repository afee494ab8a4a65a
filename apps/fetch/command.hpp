// The fetch command: options, configuration, and the run.
#pragma once

#include <settings.hpp>

#include <ringlet/task/task.hpp>

namespace fetch {

// Reads the command line and the configuration, and runs. Gives the exit status. `argv` as main()
// got it. One run at a time: its memory is static.
ringlet::Task<int> run_command(int argc, char** argv);

}  // namespace fetch
