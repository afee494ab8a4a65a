// From argv to a running pipeline.
#include <command.hpp>

#include <pipeline.hpp>

#include <ringlet/app/command_line.hpp>
#include <ringlet/app/run_in_place.hpp>

#include <optional>

namespace pipeline {

using ringlet::Task;

namespace {

// Too big for a coroutine's frame.
constinit std::optional<ringlet::CommandLine> command_line;
constinit std::optional<Pipeline> running;

std::optional<int> check(const Settings& settings, ringlet::Options& options) {
    if (settings.output.empty() && options.was_given(&settings.output)) {
        return options.refuse("--output: the name of the file is empty");
    }
    if (const char* const why = Source::why_refused(settings.source); why != nullptr) {
        return options.refuse("'%s': %s", settings.source.data(), why);
    }
    return std::nullopt;
}

}  // namespace

Task<int> run_command(int argc, char** argv) {
    Settings settings;
    const auto table = option_table(settings);
    const ringlet::Command description = command(table);
    command_line.emplace(description);
    auto status = co_await command_line->read(argc, argv);
    if (!status) {
        settings.source = command_line->options().operands()[0];
        status = check(settings, command_line->options());
    }
    if (status) co_return co_await command_line->print(*status);
    co_return co_await ringlet::run_in_place(running, settings);
}

}  // namespace pipeline
