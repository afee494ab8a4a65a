// From argv to a running station.
#include <command.hpp>

#include <station.hpp>

#include <ringlet/app/command_line.hpp>
#include <ringlet/app/run_in_place.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/task/attempt.hpp>

#include <optional>

namespace station {

using ringlet::attempt;
using ringlet::Task;

namespace {

// Too big for a coroutine's frame.
constinit std::optional<ringlet::CommandLine> command_line;
constinit std::optional<Station> running;
// What the station's texts point into.
constinit Settings settings;
constinit Devices devices;
std::optional<ringlet::FixedBoard<>> board;

std::optional<int> check(ringlet::Options& options) {
    if (settings.name.empty() || settings.name.size() > name_bytes_max) {
        return options.refuse("--name: a name has 1 to %zu bytes", name_bytes_max);
    }
    if (settings.store.empty()) return options.refuse("--store: the name of the file is empty");
    if (settings.url.empty()) return options.refuse("where to post? Give --url");
    if (settings.url.size() > url_bytes_max) {
        return options.refuse("--url: longer than %zu bytes", url_bytes_max);
    }
    const auto url = ringlet::http::parse_url(settings.url);
    if (!url) {
        return options.refuse("--url: '%s': %s", settings.url.data(), ringlet::text(url.error()));
    }
    const bool names_a_source = !settings.sensor.empty() || !settings.button.empty() ||
                                !settings.serial.empty() || !settings.can.empty();
    if (!names_a_source) {
        return options.refuse("nothing to read: give --sensor, --button, --serial or --can");
    }
    return std::nullopt;
}

Task<std::optional<int>> load_devices(ringlet::Options& options) {
    board.emplace();
    const auto loaded = co_await attempt(board->load(settings.board.data()));
    if (!loaded) co_return options.refuse("%s", board->message());
    const auto found = find_devices(settings, *board);
    if (!found) co_return options.refuse("%s", board->message());
    devices = *found;
    co_return std::nullopt;
}

}  // namespace

Task<int> run_command(int argc, char** argv) {
    settings = {};
    const auto table = option_table(settings);
    const ringlet::Command description = command(table);
    command_line.emplace(description);
    ringlet::Options& options = command_line->options();
    auto status = co_await command_line->read(argc, argv);
    if (!status) status = check(options);
    if (!status) status = co_await load_devices(options);
    if (status) co_return co_await command_line->print(*status);
    co_return co_await ringlet::run_in_place(running, settings, devices);
}

}  // namespace station
