// Reading and printing, on the ring.
#include <ringlet/app/command_line.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet {

Task<std::optional<int>> CommandLine::read(int argc, char** argv) {
    auto status = options_.parse(argc, argv);
    if (!status && !options_.config_file().empty()) {
        status = co_await configure(options_.config_file().data());
    }
    co_return status;
}

Task<std::optional<int>> CommandLine::configure(const char* path) {
    const auto content = co_await attempt(read_file(path, config_));
    if (!content) co_return options_.refuse("%s: %s", path, text(content.error()));
    auto document = json_.parse(text_of(*content));
    if (!document) co_return options_.refuse("%s: %s", path, json_.message());
    document_.emplace(std::move(*document));
    co_return options_.configure(path, document_->root());
}

Task<int> CommandLine::print(int status) {
    auto stream = status == exit_status::ok ? standard_output() : standard_error();
    const auto written = co_await attempt(stream.write_all(bytes_of(report_.view())));
    co_return written ? status : exit_status::some_failed;
}

}  // namespace ringlet
