// CommandLine: from argv, and the file that --config names, to a program's settings.
//
//   constinit std::optional<CommandLine> line;   // some 90 KiB: too big for a frame
//
//   Task<int> run_command(int argc, char** argv) {
//       Settings settings;
//       const auto table = option_table(settings);
//       const Command command = describe(table);
//       line.emplace(command);
//       auto status = co_await line->read(argc, argv);
//       if (!status) status = check(settings, line->options());   // refuse() what does not fit
//       if (status) co_return co_await line->print(*status);
//       co_return co_await work(settings);
//   }
#pragma once

#include <ringlet/app/options.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace ringlet {

// The longest configuration that is read, in bytes.
inline constexpr std::size_t config_bytes_max = 16 * 1024;

class CommandLine {
public:
    // The command must be alive whenever this is used; this, as long as the settings, whose strings
    // may point into the configuration.
    explicit CommandLine(const Command& command) : options_(command, report_) {}

    // Reads the command line, then the configuration, if one is named. Empty: go on. Otherwise the
    // exit status; what to print is in the report.
    //
    // Cancellation: nothing is left behind.
    Task<std::optional<int>> read(int argc, char** argv);

    // For checks that concern several options: refuse().
    Options& options() { return options_; }

    // Prints the report, on standard output if the status is exit_status::ok. Gives the status, or
    // exit_status::some_failed if it could not be printed.
    Task<int> print(int status);

private:
    Task<std::optional<int>> configure(const char* path);

    FixedText<option_report_bytes> report_;
    Options options_;
    std::array<std::byte, config_bytes_max> config_;
    JsonArena<4 * config_bytes_max> json_;
    std::optional<JsonDocument> document_;
};

}  // namespace ringlet
