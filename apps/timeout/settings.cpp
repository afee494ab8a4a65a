// The options' names, ranges and help.
#include <settings.hpp>

namespace timeout_app {

std::array<ringlet::Option, 8> option_table(Settings& settings) {
    using namespace std::chrono_literals;
    using ringlet::Option;
    return {
        Option::duration("step", "TIME", "for each step of an attempt", settings.step, 1ms, 1h),
        Option::duration("deadline", "TIME", "for a probe with all its attempts",
                         settings.deadline, 1ms, 24h),
        Option::count("retries", "N",
                      "more attempts of a probe, after pauses of 100ms, 200ms, 400ms ...",
                      settings.retries, 0, 100),
        Option::duration("interval", "TIME", "from the start of a probe to that of the next",
                         settings.interval, 1ms, 24h),
        Option::count("count", "N", "probes of each endpoint; 0: until a signal", settings.count,
                      0, 1'000'000'000),
        Option::count("breaker-failures", "N",
                      "failed probes in a row after which an endpoint is left alone for a while",
                      settings.breaker_failures, 1, 1'000'000'000),
        Option::duration("breaker-open", "TIME",
                         "for how long; the probes of that time count as failed",
                         settings.breaker_open, 1ms, 24h),
        Option::flag("jsonl", "probes, endpoints and summary as JSON Lines, not as a table",
                     settings.jsonl),
    };
}

ringlet::Command command(std::span<const ringlet::Option> table) {
    return {
        .name = "timeout",
        .version = "0.1.0",
        .summary = "Probes endpoints side by side, under time limits, and reports how often and "
                   "how fast they answered.",
        .options = table,
        .has_config = true,
        .operands = {.name = "ENDPOINT",
                     .min = 1,
                     .max = endpoints_max,
                     .help = "ENDPOINT is tcp://HOST:PORT or unix:PATH, to which a probe connects, "
                             "or http://HOST[:PORT][/PATH], of which it reads one response on a "
                             "connection of its own; redirects are not followed, and a status "
                             "from 400 is a failure. HOST is a name or an address, IPv6 in "
                             "brackets. Or ENDPOINT is a serial line, "
                             "serial:PATH[,BAUD][,8N1][,rtscts|,xonxoff],send=REQUEST, with "
                             "115200,8N1 unless told: it stays open, REQUEST is sent, with "
                             "\\r \\n \\t \\\\ \\xHH as in C and a newline where it ends with "
                             "none, and one line is awaited. The first probes are spread over one "
                             "interval."},
        .epilogue = "Exit status: 0 every probe succeeded; 1 some failed, or the output could not\n"
                    "be written; 2 wrong usage or configuration; 69 no io_uring; 130, 143 ended\n"
                    "by a signal.\n",
    };
}

}  // namespace timeout_app
