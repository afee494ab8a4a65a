// The options' names, ranges and help.
#include <settings.hpp>

#include <limits>

namespace fetch {

std::array<ringlet::Option, 8> option_table(Settings& settings) {
    using namespace std::chrono_literals;
    using ringlet::Option;
    return {
        Option::count("concurrency", "N", "URLs at once", settings.concurrency, 1,
                      concurrency_max),
        Option::count("per-host", "N", "connections to one host and port", settings.per_host, 1,
                      per_host_max),
        Option::duration("timeout", "TIME",
                         "for each attempt, from having a connection to the body's end; waiting "
                         "for one is not counted, nor in MS",
                         settings.timeout, 1ms, 24h),
        Option::count("retries", "N",
                      "more attempts after what may pass: connections that fail or break off, "
                      "time-outs, and the statuses 408, 429, 500, 502, 503, 504",
                      settings.retries, 0, retries_max),
        Option::size("max-body", "SIZE", "a longer body is a failure", settings.max_body, 0,
                     body_bytes_max),
        Option::text("output", "DIR",
                     "keep the bodies there, each in a file of its own that appears when it is "
                     "whole; made if missing",
                     settings.output),
        Option::flag("jsonl", "rows and summary as JSON Lines, not as a table", settings.jsonl),
        Option::text("urls-from", "FILE", "more URLs, one a line; - for standard input",
                     settings.urls_from),
    };
}

ringlet::Command command(std::span<const ringlet::Option> table) {
    return {
        .name = "fetch",
        .version = "0.1.0",
        .summary = "GETs URLs, any number of them in a fixed amount of memory, and writes a row "
                   "for each as it ends.",
        .options = table,
        .has_config = true,
        .operands = {.name = "URL",
                     .min = 0,
                     .max = std::numeric_limits<std::int32_t>::max(),
                     .help = "http:// only. Redirects are followed. In FILE, blank lines and "
                             "lines that begin with # are passed over. A body's file is named "
                             "after the URL's place in the order and its last part, such as "
                             "000001-index.html."},
        .epilogue = "Exit status: 0 all had; 1 some failed, or FILE could not be read, or the\n"
                    "output not be written; 2 wrong usage or configuration; 69 no io_uring; 130,\n"
                    "143 ended by a signal.\n",
    };
}

}  // namespace fetch
