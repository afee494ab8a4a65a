// The options' names, ranges and help.
#include <settings.hpp>

#include <store.hpp>

namespace station {

std::array<ringlet::Option, options_count> option_table(Settings& settings) {
    using namespace std::chrono_literals;
    using ringlet::Option;
    return {
        Option::text("url", "URL", "where batches are posted: http://HOST[:PORT]/PATH",
                     settings.url),
        Option::text("board", "FILE", "pins and buses of the board", settings.board),
        Option::text("sensor", "BUS", "I2C bus with a thermometer of 12 bits (TMP102, TMP112)",
                     settings.sensor),
        Option::count("sensor-address", "N", "where it is on the bus", settings.sensor_address, 3,
                      119),
        Option::duration("sensor-every", "TIME", "from one measurement to the next",
                         settings.sensor_every, 10ms, 1h),
        Option::text("button", "PIN", "its presses are counted", settings.button),
        Option::duration("debounce", "TIME", "a press lasts at least so long", settings.debounce,
                         0s, 1s),
        Option::text("serial", "BUS", "serial line with lines NAME=VALUE or NAME=VALUE*CHECKSUM",
                     settings.serial),
        Option::count("baud", "N", "bits a second on it", settings.baud, 50, 4'000'000),
        Option::text("can", "BUS", "CAN bus; each frame is a value of the channel can-ID",
                     settings.can),
        Option::text("led", "PIN", "flashes every 2s if all is well, five times a second if not",
                     settings.led),
        Option::text("watchdog", "BUS", "hardware that resets the board if a task is stuck",
                     settings.watchdog),
        Option::duration("watchdog-timeout", "TIME", "when it does", settings.watchdog_timeout, 2s,
                         1h),
        Option::text("name", "NAME", "of this station", settings.name),
        Option::duration("window", "TIME", "values of so long make a batch", settings.window,
                         100ms, 24h),
        Option::text("store", "FILE", "keeps batches until they are sent", settings.store),
        Option::count("store-batches", "N", "so many, of 8KiB each; then the oldest goes",
                      settings.store_batches, store_slots_min, store_slots_max),
        Option::duration("post-timeout", "TIME", "for each attempt to send one",
                         settings.post_timeout, 100ms, 1h),
        Option::duration("retry-max", "TIME", "longest pause before the next attempt",
                         settings.retry_max, 1s, 24h),
    };
}

ringlet::Command command(std::span<const ringlet::Option> table) {
    return {
        .name = "station",
        .version = "0.1.0",
        .summary = "Reads a thermometer, a button, a serial line and a CAN bus, makes a batch of "
                   "what came in each window of time, keeps it in a file, and posts it to a "
                   "server, as JSON by HTTP; later, if the server is away.",
        .options = table,
        .has_config = true,
        .epilogue =
            "The server answers with a status from 200 to 299 once it has a batch. It may see\n"
            "one twice: with the same \"station\" and \"sequence\" then. 400, 413 and 422 mean\n"
            "that it never wants that batch; after any other status it is sent again.\n"
            "\n"
            "Exit status: 1 the store, the service manager or the watchdog cannot be had;\n"
            "2 wrong usage or configuration; 69 no io_uring; 130, 143 ended by a signal.\n",
    };
}

}  // namespace station
