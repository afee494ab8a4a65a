// The timeout command: options, configuration, and the run.
#pragma once

#include <settings.hpp>

#include <ringlet/task/task.hpp>

namespace timeout_app {

// Reads the command line and the configuration, and runs. Gives the exit status. `argv` as main()
// got it. One run at a time: its memory is static.
ringlet::Task<int> run_command(int argc, char** argv);

}  // namespace timeout_app
