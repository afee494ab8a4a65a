// From argv to a running pipeline.
#include <command.hpp>

#include <pipeline.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>

#include <array>
#include <optional>

namespace pipeline {

using ringlet::attempt;
using ringlet::Task;

namespace {

using Report = ringlet::FixedText<ringlet::option_report_bytes>;

// Too big for a coroutine's frame. The configuration's strings live as long as its document.
struct Memory {
    Report report;
    std::array<std::byte, config_bytes_max> config;
    ringlet::JsonArena<4 * config_bytes_max> json;
    std::optional<ringlet::JsonDocument> document;
    std::optional<Pipeline> pipeline;
};
constinit std::optional<Memory> memory;

Task<int> print(const Report& report, int status) {
    const bool asked_for = status == ringlet::exit_status::ok;
    auto stream = asked_for ? ringlet::standard_output() : ringlet::standard_error();
    const auto written = co_await attempt(stream.write_all(ringlet::bytes_of(report.view())));
    co_return written ? status : ringlet::exit_status::some_failed;
}

// Empty: go on. Otherwise the exit status, with the words in the report; as in check().
Task<std::optional<int>> read_config(ringlet::Options& options) {
    const char* const path = options.config_file().data();
    const auto content = co_await attempt(ringlet::read_file(path, memory->config));
    if (!content) co_return options.refuse("%s: %s", path, text(content.error()));
    auto document = memory->json.parse(ringlet::text_of(*content));
    if (!document) co_return options.refuse("%s: %s", path, memory->json.message());
    memory->document.emplace(std::move(*document));
    co_return options.configure(path, memory->document->root());
}

std::optional<int> check(const Settings& settings, ringlet::Options& options) {
    if (settings.output.empty() && options.was_given(&settings.output)) {
        return options.refuse("--output: the name of the file is empty");
    }
    if (!Source::has_address(settings.source)) {
        return options.refuse("'%s' is no address in numbers with a port, such as "
                              "tcp://127.0.0.1:9000 or tcp://[::1]:9000",
                              settings.source.data());
    }
    return std::nullopt;
}

Task<int> run_settings(const Settings& settings) {
    // Also when it is unwound: what the pipeline holds must go while the runtime runs.
    struct Reset {
        ~Reset() { memory->pipeline.reset(); }
    } reset;
    memory->pipeline.emplace(settings);
    co_return co_await memory->pipeline->run();
}

}  // namespace

Task<int> run_command(int argc, char** argv) {
    memory.emplace();
    Settings settings;
    const auto table = option_table(settings);
    const ringlet::Command description = command(table);
    ringlet::Options options(description, memory->report);
    auto status = options.parse(argc, argv);
    if (!status && !options.config_file().empty()) status = co_await read_config(options);
    if (!status) {
        settings.source = options.operands()[0];
        status = check(settings, options);
    }
    if (status) co_return co_await print(memory->report, *status);
    co_return co_await run_settings(settings);
}

}  // namespace pipeline
