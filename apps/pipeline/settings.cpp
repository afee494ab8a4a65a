// The options' names, ranges and help.
#include <settings.hpp>

#include <array>

namespace pipeline {

std::array<ringlet::Option, 6> option_table(Settings& settings) {
    using ringlet::Option;
    return {
        Option::count("workers", "N", "tasks that parse and check", settings.workers, 1,
                      workers_max),
        Option::count("queue-depth", "N", "items that a queue between two stages holds",
                      settings.queue_depth, 1, queue_depth_max),
        Option::count("window", "N", "records of one sensor that make a result", settings.window,
                      1, 1'000'000'000),
        Option::size("max-line", "SIZE", "longest line that is read as a record",
                     settings.max_line, 16, line_bytes_max),
        Option::text("output", "FILE", "replaced, whole, at the end; default: standard output",
                     settings.output),
        Option::flag("jsonl", "results and summary as JSON Lines, not as a table", settings.jsonl),
    };
}

ringlet::Command command(std::span<const ringlet::Option> table) {
    return {
        .name = "pipeline",
        .version = "0.1.0",
        .summary = "Reads records, one JSON object a line: {\"sensor\": string, \"t\": seconds "
                   "since the epoch, \"value\": number}. Writes count, minimum, maximum, mean and "
                   "last value of each window of N records of one sensor.",
        .options = table,
        .has_config = true,
        .operands = {.name = "SOURCE",
                     .min = 1,
                     .max = 1,
                     .help = "SOURCE is a path, - for standard input, tcp://HOST:PORT to connect, "
                             "tcp-listen://HOST:PORT to wait for one connection, or "
                             "serial:PATH[,BAUD][,8N1][,rtscts|,xonxoff] to read from a serial "
                             "line until it is hung up; it has 115200,8N1 unless told. HOST is an "
                             "address in numbers."},
        .epilogue = "Exit status: 0 all well; 1 some records were bad, a serial line lost bytes,\n"
                    "the source could not be read, or the output not be written; 2 wrong usage\n"
                    "or configuration; 69 no io_uring; 130, 143 ended by a signal.\n",
    };
}

}  // namespace pipeline
