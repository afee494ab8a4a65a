// From argv to running probes.
#include <command.hpp>

#include <monitor.hpp>

#include <ringlet/app/command_line.hpp>
#include <ringlet/app/run_in_place.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace timeout_app {

using ringlet::Task;

namespace {

// Too big for a coroutine's frame.
constinit std::optional<ringlet::CommandLine> command_line;
constinit std::optional<Monitor> running;
constinit std::array<Endpoint, endpoints_max> endpoints;

// Each would take the other's answers. (The kernel keeps only others than the superuser from it.)
bool shares_line(const Endpoint& endpoint, std::span<const Endpoint> others) {
    return endpoint.kind == Endpoint::Kind::serial &&
           std::ranges::any_of(others, [&](const Endpoint& each) {
               return each.kind == Endpoint::Kind::serial && each.device() == endpoint.device();
           });
}

// Empty if all operands are endpoints, which then stand in `endpoints`.
std::optional<int> read_endpoints(ringlet::Options& options) {
    std::size_t count = 0;
    for (const char* const operand : options.operands()) {
        ringlet::FixedText<256> why;
        const auto endpoint = parse_endpoint(operand, why);
        if (!endpoint) return options.refuse("'%.512s': %s", operand, why.c_str());
        if (shares_line(*endpoint, std::span(endpoints).first(count))) {
            return options.refuse("'%.512s': the line is another endpoint's, too", operand);
        }
        endpoints[count++] = *endpoint;
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
    if (!status) status = read_endpoints(command_line->options());
    if (status) co_return co_await command_line->print(*status);
    const std::size_t count = command_line->options().operands().size();
    co_return co_await ringlet::run_in_place(running, settings, std::span(endpoints).first(count));
}

}  // namespace timeout_app
