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
    std::optional<Pipeline> pipeline;
};
constinit std::optional<Memory> memory;

Task<int> print(const Report& report, int status) {
    const bool asked_for = status == ringlet::exit_status::ok;
    auto stream = asked_for ? ringlet::standard_output() : ringlet::standard_error();
    const auto written = co_await attempt(stream.write_all(ringlet::bytes_of(report.view())));
    co_return written ? status : ringlet::exit_status::some_failed;
}

Task<int> run_settings(const Settings& settings) {
    memory->pipeline.emplace(settings);
    const int status = co_await memory->pipeline->run();
    memory->pipeline.reset();
    co_return status;
}

}  // namespace

Task<int> run_command(int argc, char** argv) {
    memory.emplace();
    Settings settings;
    const auto table = option_table(settings);
    const ringlet::Command description = command(table);
    ringlet::Options options(description, memory->report);
    if (const auto status = options.parse(argc, argv)) {
        co_return co_await print(memory->report, *status);
    }
    settings.source = options.operands()[0];
    if (options.config_file().empty()) co_return co_await run_settings(settings);

    const char* const path = options.config_file().data();
    const auto content = co_await attempt(ringlet::read_file(path, memory->config));
    if (!content) {
        const int status = options.refuse("%s: %s", path, text(content.error()));
        co_return co_await print(memory->report, status);
    }
    const auto document = memory->json.parse(ringlet::text_of(*content));
    if (!document) {
        const int status = options.refuse("%s: %s", path, memory->json.message());
        co_return co_await print(memory->report, status);
    }
    if (const auto status = options.configure(path, document->root())) {
        co_return co_await print(memory->report, *status);
    }
    co_return co_await run_settings(settings);
}

}  // namespace pipeline
