// Board: the machine's pins and buses by alias, as its board.json names them (docs/boards.md).
//
//   static FixedBoard<> board;
//
//   Task<int> app(Options& options, const Settings& settings) {   // --board=FILE
//       const auto loaded = co_await attempt(board.load(settings.board.data()));
//       if (!loaded) co_return options.refuse("%s", board.message());
//       const auto button = board.pin("button");                  // chip, line, active_low, bias
//       const auto sensors = board.bus("sensors", BusKind::i2c);  // kind, device
//       if (!button || !sensors) co_return options.refuse("%s", board.message());
//       ...
//   }
//
// An error is a small Error, as in json.hpp; the words for people stay in message() until the next
// error. They begin with the file's name:
//   "/etc/ringlet/board.json: line 3, column 7: expected ',' or '}', found '1'"
//   "/etc/ringlet/board.json: /pins/button/line: expected a number, found a string"
//   "/etc/ringlet/board.json: no pin 'buton'; there are: button, led"
//
// The whole file is checked when it is loaded, so that a wrong line is told at the start and not
// when its pin is first wanted. Unknown keys are errors. What only tools on the desktop use (memory
// and emulator, say) is skipped; docs/board.schema.json describes it.
//
// All memory is the FixedBoard's: the file, and the document that it becomes. What pin() and bus()
// give points into it.
#pragma once

#include <ringlet/app/json.hpp>
#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/board_pin.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringlet {

// Where a board's file is if nobody says otherwise: the default of --board.
inline constexpr const char* default_board_file = "/etc/ringlet/board.json";

inline constexpr std::size_t board_pins_max = 128;
inline constexpr std::size_t board_buses_max = 32;
inline constexpr std::size_t board_alias_bytes_max = 31;
// Of a chip's name and of a path.
inline constexpr std::size_t board_device_bytes_max = 63;
// The kernel's, less the final zero.
inline constexpr std::size_t board_interface_bytes_max = 15;
inline constexpr std::int64_t board_line_max = 65'535;
inline constexpr std::size_t board_message_bytes = 512;

enum class BusKind : std::uint8_t { i2c, spi, uart, can, watchdog };

// "i2c", as in the file.
const char* text(BusKind kind);

struct BoardBus {
    BusKind kind;
    const char* device;  // a path, "/dev/i2c-1"; of a CAN bus, the interface's name, "can0"
};

// Make a FixedBoard; pass it as Board&.
class Board {
public:
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    // Reads and checks a file. It takes the place of what was loaded before; after an error, the
    // board is empty.
    //
    // Errors: the kernel's for reading; file_too_large; bad_message and not_enough_memory, with a
    // JsonDetail. Each leaves its words in message().
    // Cancellation: the board is empty.
    Task<void> load(const char* path);

    // The same with the text at hand. `file` is for messages. Neither is needed afterwards.
    Result<void> parse(std::string_view file, std::string_view text);

    // What the file says of an alias. Its strings are valid until the next load() or parse().
    //
    // Errors: bad_message, with JsonDetail::missing_key if there is no such alias, or, if `kind` is
    // given and the bus is of another one, JsonDetail::value. Each leaves its words in message().
    Result<BoardPin> pin(std::string_view alias);
    Result<BoardBus> bus(std::string_view alias);
    Result<BoardBus> bus(std::string_view alias, BusKind kind);

    // The board's own name, "raspberry-pi-4"; empty if nothing is loaded.
    std::string_view name() const { return name_; }

    // The words of the last error, in one line of at most board_message_bytes.
    const char* message() const { return message_.c_str(); }

    // The most bytes that any document took: what to size the arena by.
    std::size_t high_water_bytes() const { return json_.high_water_bytes(); }

protected:
    Board(Json& json, std::span<std::byte> storage) : json_(json), storage_(storage) {}
    ~Board() = default;

private:
    void clear();
    Result<void> check(JsonValue root);
    std::unexpected<Error> refuse(Error error, const char* words);
    Result<JsonValue> find(const std::optional<JsonValue>& group, const char* what,
                           std::string_view alias);

    Json& json_;
    std::span<std::byte> storage_;
    std::optional<JsonDocument> document_;
    std::optional<JsonValue> pins_;
    std::optional<JsonValue> buses_;
    std::string_view name_;
    FixedText<128> file_;
    FixedText<board_message_bytes> message_;
};

template <std::size_t file_bytes, std::size_t arena_bytes>
struct BoardMemory {
    std::array<std::byte, file_bytes> file;
    JsonArena<arena_bytes> json;
};

// `file_bytes` bound the file, `arena_bytes` its document (see JsonArena): the defaults are good
// for 100 pins. Some 50 KiB, so not for a coroutine's frame.
template <std::size_t file_bytes = 8_KiB, std::size_t arena_bytes = 40_KiB>
class FixedBoard final : private BoardMemory<file_bytes, arena_bytes>, public Board {
    using Memory = BoardMemory<file_bytes, arena_bytes>;

public:
    FixedBoard() : Board(Memory::json, Memory::file) {}
};

}  // namespace ringlet
