// From argv to a run.
#include <command.hpp>

#include <fetch.hpp>

#include <ringlet/app/command_line.hpp>
#include <ringlet/app/run_in_place.hpp>

#include <optional>

namespace fetch {

using ringlet::Task;

namespace {

// Too big for a coroutine's frame.
constinit std::optional<ringlet::CommandLine> command_line;
constinit std::optional<Fetch> running;

std::optional<int> check(const Settings& settings, ringlet::Options& options) {
    if (settings.output.empty() && options.was_given(&settings.output)) {
        return options.refuse("--output: the name of the folder is empty");
    }
    if (settings.output.size() > folder_bytes_max) {
        return options.refuse("--output: the name of the folder has more than %zu bytes",
                              folder_bytes_max);
    }
    if (settings.urls_from.empty() && options.was_given(&settings.urls_from)) {
        return options.refuse("--urls-from: the name of the file is empty");
    }
    if (settings.urls.empty() && settings.urls_from.empty()) {
        return options.refuse("needs a URL, or --urls-from");
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
        settings.urls = command_line->options().operands();
        status = check(settings, command_line->options());
    }
    if (status) co_return co_await command_line->print(*status);
    co_return co_await ringlet::run_in_place(running, settings);
}

}  // namespace fetch
