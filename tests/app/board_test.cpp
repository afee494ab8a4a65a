#include <ringlet/app/board.hpp>

#include <io/io_cases.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace ringlet {
namespace {

using namespace ringlet::support;

constexpr std::string_view good =
    R"({"name": "test-board",
        "pins": {"button": {"chip": "lab", "line": 3, "active": "low", "bias": "pull_up"},
                 "led": {"chip": "/dev/gpiochip0", "line": 0}},
        "buses": {"sensors": {"kind": "i2c", "device": "/dev/i2c-1"},
                  "can": {"kind": "can", "interface": "vcan0"}}})";

class BoardTest : public ::testing::Test {
protected:
    FixedBoard<32_KiB, 256_KiB> board_;

    std::string refusal(std::string_view text) {
        return board_.parse("b.json", text) ? "accepted" : board_.message();
    }
    // Of a file with this one pin, or this one bus.
    std::string refusal_of_pin(const std::string& pin) {
        return refusal(R"({"name": "b", "pins": {"button": )" + pin + "}}");
    }
    std::string refusal_of_bus(const std::string& bus) {
        return refusal(R"({"name": "b", "buses": {"sensors": )" + bus + "}}");
    }
    // Of a file with so many pins, or buses.
    std::string refusal_of_many(const char* group, const char* item, std::size_t count) {
        std::string text = std::string(R"({"name": "b", ")") + group + "\": {";
        for (std::size_t i = 0; i < count; ++i) {
            text += (i > 0 ? ", \"a" : "\"a") + std::to_string(i) + "\": " + item;
        }
        return refusal(text + "}}");
    }
};

TEST_F(BoardTest, gives_pins_by_alias) {
    ASSERT_TRUE(board_.parse("b.json", good)) << board_.message();
    EXPECT_EQ(board_.name(), "test-board");
    const auto button = board_.pin("button");
    ASSERT_TRUE(button);
    EXPECT_STREQ(button->chip, "lab");
    EXPECT_EQ(button->line, 3u);
    EXPECT_TRUE(button->active_low);
    EXPECT_EQ(button->bias, PinBias::pull_up);
}

TEST_F(BoardTest, takes_a_pin_for_active_high_and_its_bias_as_it_is_unless_told_otherwise) {
    ASSERT_TRUE(board_.parse("b.json", good));
    const auto led = board_.pin("led");
    ASSERT_TRUE(led);
    EXPECT_STREQ(led->chip, "/dev/gpiochip0");
    EXPECT_FALSE(led->active_low);
    EXPECT_EQ(led->bias, PinBias::as_is);
}

TEST_F(BoardTest, knows_each_bias) {
    constexpr std::pair<const char*, PinBias> words[] = {{"as_is", PinBias::as_is},
                                                         {"disabled", PinBias::disabled},
                                                         {"pull_up", PinBias::pull_up},
                                                         {"pull_down", PinBias::pull_down}};
    for (const auto& [word, bias] : words) {
        const std::string pin = R"({"chip": "c", "line": 1, "active": "high", "bias": ")";
        ASSERT_EQ(refusal_of_pin(pin + word + "\"}"), "accepted");
        EXPECT_EQ(board_.pin("button")->bias, bias);
        EXPECT_FALSE(board_.pin("button")->active_low);
    }
}

TEST_F(BoardTest, gives_buses_by_alias) {
    for (const BusKind kind : {BusKind::i2c, BusKind::spi, BusKind::uart, BusKind::watchdog}) {
        const std::string bus = std::string(R"({"kind": ")") + text(kind);
        ASSERT_EQ(refusal_of_bus(bus + R"(", "device": "/dev/x"})"), "accepted");
        const auto sensors = board_.bus("sensors");
        ASSERT_TRUE(sensors);
        EXPECT_EQ(sensors->kind, kind);
        EXPECT_STREQ(sensors->device, "/dev/x");
        EXPECT_TRUE(board_.bus("sensors", kind));
    }
    ASSERT_TRUE(board_.parse("b.json", good));
    const auto can = board_.bus("can", BusKind::can);
    ASSERT_TRUE(can);
    EXPECT_STREQ(can->device, "vcan0");
}

TEST_F(BoardTest, needs_no_more_than_a_name) {
    ASSERT_TRUE(board_.parse("b.json", R"({"name": "bare"})"));
    EXPECT_EQ(board_.pin("led").error(), JsonDetail::missing_key);
    EXPECT_STREQ(board_.message(), "b.json: no pin 'led'; there are none");
    ASSERT_TRUE(board_.parse("b.json", R"({"name": "bare", "buses": {}})"));
    EXPECT_FALSE(board_.bus("can"));
    EXPECT_STREQ(board_.message(), "b.json: no bus 'can'; there are none");
}

TEST_F(BoardTest, skips_what_only_tools_use) {
    EXPECT_EQ(refusal(R"({"name": "b", "description": "", "architecture": "aarch64",
                          "cpu": "cortex-a53", "cores": 2, "kernel_min": "6.1",
                          "memory": {"anything": [1, {}]}, "emulator": {"anything": null}})"),
              "accepted");
}

TEST_F(BoardTest, names_an_unknown_alias_its_file_and_the_aliases_that_there_are) {
    ASSERT_TRUE(board_.parse("/etc/b.json", good));
    const auto pin = board_.pin("buton");
    ASSERT_FALSE(pin);
    EXPECT_EQ(pin.error(), JsonDetail::missing_key);
    EXPECT_EQ(pin.error(), std::errc::bad_message);
    EXPECT_STREQ(board_.message(), "/etc/b.json: no pin 'buton'; there are: button, led");
    EXPECT_FALSE(board_.bus("button"));
    EXPECT_STREQ(board_.message(), "/etc/b.json: no bus 'button'; there are: sensors, can");
    EXPECT_FALSE(board_.pin(""));
    EXPECT_FALSE(board_.pin("a\nb"));
    EXPECT_STREQ(board_.message(), "/etc/b.json: no pin 'a?b'; there are: button, led");
}

TEST_F(BoardTest, cuts_a_list_of_many_aliases) {
    ASSERT_EQ(refusal_of_many("pins", R"({"chip": "c", "line": 1})", 120), "accepted");
    EXPECT_FALSE(board_.pin("led"));
    const std::string message = board_.message();
    EXPECT_EQ(message.substr(0, 44), "b.json: no pin 'led'; there are: a0, a1, a2,");
    EXPECT_TRUE(message.ends_with("..."));
    EXPECT_EQ(message.size(), board_message_bytes - 1);
}

TEST_F(BoardTest, refuses_a_bus_of_another_kind) {
    ASSERT_TRUE(board_.parse("b.json", good));
    const auto bus = board_.bus("can", BusKind::i2c);
    ASSERT_FALSE(bus);
    EXPECT_EQ(bus.error(), JsonDetail::value);
    EXPECT_STREQ(board_.message(), "b.json: bus 'can' is of kind can, not i2c");
}

TEST_F(BoardTest, says_where_the_text_is_no_json) {
    EXPECT_EQ(refusal("{\"name\": \"b\",\n \"pins\" 1}"),
              "b.json: line 2, column 9: expected ':', found '1'");
    EXPECT_EQ(refusal(""),
              "b.json: line 1, column 1: expected a value, found the end of the text");
    EXPECT_EQ(refusal(R"({"name": "b", "name": "c"})"), "b.json: /name: duplicate key");
    EXPECT_EQ(refusal(R"({"name": "b", "pins": {"a": {}, "a": {}}})"),
              "b.json: /pins/a: duplicate key");
}

TEST_F(BoardTest, says_where_a_key_is_unknown_missing_or_of_the_wrong_kind) {
    EXPECT_EQ(refusal("[]"), "b.json: top level: expected an object, found an array");
    EXPECT_EQ(refusal("{}"), "b.json: /name: missing");
    EXPECT_EQ(refusal(R"({"name": 1})"), "b.json: /name: expected a string, found a number");
    EXPECT_EQ(refusal(R"({"name": "b", "pin": {}})"), "b.json: /pin: unknown key");
    EXPECT_EQ(refusal(R"({"name": "b", "pins": []})"),
              "b.json: /pins: expected an object, found an array");
    EXPECT_EQ(refusal(R"({"name": "b", "buses": 1})"),
              "b.json: /buses: expected an object, found a number");
}

TEST_F(BoardTest, says_what_is_wrong_with_a_pin) {
    EXPECT_EQ(refusal_of_pin("3"), "b.json: /pins/button: expected an object, found a number");
    EXPECT_EQ(refusal_of_pin(R"({"line": 1})"), "b.json: /pins/button/chip: missing");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c"})"), "b.json: /pins/button/line: missing");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": 1, "pull": "up"})"),
              "b.json: /pins/button/pull: unknown key");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "", "line": 1})"),
              "b.json: /pins/button/chip: it is empty");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": "1"})"),
              "b.json: /pins/button/line: expected a number, found a string");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": -1})"),
              "b.json: /pins/button/line: -1 is not between 0 and 65535");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": 1, "active": "up"})"),
              "b.json: /pins/button/active: 'up' is none of high, low");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": 1, "active": true})"),
              "b.json: /pins/button/active: expected a string, found a boolean");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": 1, "bias": "up"})"),
              "b.json: /pins/button/bias: 'up' is none of as_is, disabled, pull_up, pull_down");
}

TEST_F(BoardTest, says_what_is_wrong_with_a_bus) {
    EXPECT_EQ(refusal_of_bus("null"), "b.json: /buses/sensors: expected an object, found null");
    EXPECT_EQ(refusal_of_bus(R"({"device": "/dev/x"})"), "b.json: /buses/sensors/kind: missing");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "lin", "device": "/dev/x"})"),
              "b.json: /buses/sensors/kind: 'lin' is none of i2c, spi, uart, can, watchdog");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "i2c"})"), "b.json: /buses/sensors/device: missing");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "can"})"), "b.json: /buses/sensors/interface: missing");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "can", "device": "/dev/x"})"),
              "b.json: /buses/sensors/device: a bus of kind can has none");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "spi", "interface": "can0"})"),
              "b.json: /buses/sensors/interface: a bus of kind spi has none");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "i2c", "device": "i2c-1"})"),
              "b.json: /buses/sensors/device: 'i2c-1' is no absolute path");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "i2c", "device": ""})"),
              "b.json: /buses/sensors/device: it is empty");
    EXPECT_EQ(refusal_of_bus(R"({"kind": "i2c", "device": "/dev/x", "speed": 1})"),
              "b.json: /buses/sensors/speed: unknown key");
}

TEST_F(BoardTest, refuses_what_is_no_alias) {
    const std::string longest(board_alias_bytes_max, 'a');
    const auto refusal_of_alias = [&](const std::string& alias) {
        return refusal(R"({"name": "b", "pins": {")" + alias + R"(": {"chip": "c", "line": 1}}})");
    };
    for (const auto& alias : {std::string("a"), std::string("p8_07"), longest}) {
        EXPECT_EQ(refusal_of_alias(alias), "accepted");
        EXPECT_TRUE(board_.pin(alias));
    }
    for (const auto& alias : {std::string(), std::string("Button"), std::string("8p"),
                              std::string("_a"), std::string("a-b"), std::string("\u00e9"),
                              longest + "a"}) {
        EXPECT_EQ(refusal_of_alias(alias),
                  "b.json: /pins/" + alias +
                      ": an alias is a small letter, then small letters, digits and '_', "
                      "31 in all at most");
    }
}

TEST_F(BoardTest, keeps_to_its_bounds) {
    const std::string name(board_device_bytes_max, 'c');
    const auto pin = [](const std::string& chip) {
        return R"({"chip": ")" + chip + R"(", "line": 65535})";
    };
    EXPECT_EQ(refusal_of_pin(pin(name)), "accepted");
    EXPECT_EQ(refusal_of_pin(pin(name + "c")),
              "b.json: /pins/button/chip: longer than 63 bytes");
    EXPECT_EQ(refusal_of_pin(R"({"chip": "c", "line": 65536})"),
              "b.json: /pins/button/line: 65536 is not between 0 and 65535");

    const std::string path = "/" + std::string(board_device_bytes_max - 1, 'd');
    const auto i2c = [](const std::string& device) {
        return R"({"kind": "i2c", "device": ")" + device + "\"}";
    };
    EXPECT_EQ(refusal_of_bus(i2c(path)), "accepted");
    EXPECT_EQ(refusal_of_bus(i2c(path + "d")),
              "b.json: /buses/sensors/device: longer than 63 bytes");

    const std::string interface(board_interface_bytes_max, 'n');
    const auto can = [](const std::string& its) {
        return R"({"kind": "can", "interface": ")" + its + "\"}";
    };
    EXPECT_EQ(refusal_of_bus(can(interface)), "accepted");
    EXPECT_EQ(refusal_of_bus(can(interface + "n")),
              "b.json: /buses/sensors/interface: longer than 15 bytes");

    const char* const any_pin = R"({"chip": "c", "line": 1})";
    EXPECT_EQ(refusal_of_many("pins", any_pin, board_pins_max), "accepted");
    EXPECT_EQ(refusal_of_many("pins", any_pin, board_pins_max + 1),
              "b.json: /pins: 129 of them, at most 128 fit");
    const char* const any_bus = R"({"kind": "can", "interface": "n"})";
    EXPECT_EQ(refusal_of_many("buses", any_bus, board_buses_max), "accepted");
    EXPECT_EQ(refusal_of_many("buses", any_bus, board_buses_max + 1),
              "b.json: /buses: 33 of them, at most 32 fit");
}

TEST_F(BoardTest, is_empty_after_an_error_and_can_be_used_again) {
    ASSERT_TRUE(board_.parse("b.json", good));
    EXPECT_FALSE(board_.parse("b.json", "{"));
    EXPECT_EQ(board_.name(), "");
    ASSERT_TRUE(board_.parse("b.json", good));
    EXPECT_FALSE(board_.parse("b.json", R"({"name": "b", "pins": {"led": 1}})"));
    EXPECT_EQ(board_.name(), "");
    ASSERT_TRUE(board_.parse("b.json", R"({"name": "c"})"));
    EXPECT_FALSE(board_.pin("led")) << "of the file before";
    ASSERT_TRUE(board_.parse("b.json", good));
    EXPECT_TRUE(board_.pin("led"));
}

TEST_F(BoardTest, needs_neither_the_text_nor_its_name_afterwards) {
    std::string name = "b.json";
    std::string text(good);
    ASSERT_TRUE(board_.parse(name, text));
    name.assign(name.size(), 'x');
    text.assign(text.size(), 'x');
    EXPECT_STREQ(board_.pin("button")->chip, "lab");
    EXPECT_FALSE(board_.pin("x"));
    EXPECT_STREQ(board_.message(), "b.json: no pin 'x'; there are: button, led");
}

TEST_F(BoardTest, keeps_a_message_about_a_file_with_an_unreasonable_name_in_one_short_line) {
    EXPECT_FALSE(board_.parse("a\nb" + std::string(1000, 'x'), "{"));
    const std::string message = board_.message();
    EXPECT_EQ(message.substr(0, 6), "a?bxxx");
    EXPECT_TRUE(message.ends_with("xxx...: line 1, column 2: "
                                  "expected a key in double quotes, found the end of the text"))
        << message;
}

TEST(FixedBoard, has_room_for_100_pins_unless_told_otherwise) {
    FixedBoard<> board;
    std::string text = R"({"name": "b", "pins": {)";
    for (int i = 0; i < 100; ++i) {
        text += (i > 0 ? ",\n\"pin_" : "\"pin_") + std::to_string(i) +
                R"(": {"chip": "gpio-96-127", "line": 31, "active": "low"})";
    }
    EXPECT_TRUE(board.parse("b.json", text + "}}")) << board.message();
    EXPECT_LT(text.size(), 8_KiB);
    EXPECT_LT(board.high_water_bytes(), 40_KiB);
}

TEST(FixedBoard, says_when_its_arena_is_full) {
    FixedBoard<1_KiB, 512> board;
    const auto parsed = board.parse("b.json", good);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), JsonDetail::memory);
    EXPECT_STREQ(board.message(), "b.json: the document does not fit into the arena of 512 bytes");
}

TEST(BoardDeathTest, refuses_to_be_asked_before_it_is_loaded) {
    FixedBoard<> board;
    EXPECT_DEATH((void)board.pin("led"), "document_");
    EXPECT_FALSE(board.parse("b.json", "{"));
    EXPECT_DEATH((void)board.bus("can"), "document_");
}

// Loaded from files.

Task<void> put(const char* path, std::string_view text) {
    File file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of(text));
    co_await file.close();
}

FixedBoard<512, 8_KiB> loaded;
static_assert(good.size() < 512);

RINGLET_CASE(BoardFile, gives_its_pins_and_buses) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "board.json";
    co_await put(path, good);
    co_await loaded.load(path);
    EXPECT_EQ(loaded.name(), "test-board");
    const auto button = loaded.pin("button");
    EXPECT_TRUE(button && button->line == 3);
    const auto sensors = loaded.bus("sensors", BusKind::i2c);
    EXPECT_TRUE(sensors && std::string_view(sensors->device) == "/dev/i2c-1");
}

// "PATH: WORDS" is the last message.
void expect_message(const char* path, std::string_view words) {
    char expected[256];
    std::snprintf(expected, sizeof expected, "%s: %.*s", path, static_cast<int>(words.size()),
                  words.data());
    EXPECT_STREQ(loaded.message(), expected);
}

RINGLET_CASE(BoardFile, is_named_with_the_reason_why_it_cannot_be_loaded) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "board.json";
    const auto absent = co_await attempt(loaded.load(path));
    EXPECT_EQ(error_of(absent), std::errc::no_such_file_or_directory);
    expect_message(path, "No such file or directory");
    EXPECT_EQ(loaded.name(), "");

    co_await put(path, "{\"name\":\n1}");
    const auto wrong = co_await attempt(loaded.load(path));
    EXPECT_EQ(error_of(wrong), JsonDetail::wrong_kind);
    expect_message(path, "/name: expected a string, found a number");

    static constexpr std::array<char, 513> spaces = [] {
        std::array<char, 513> all{};
        all.fill(' ');
        return all;
    }();
    co_await put(path, {spaces.data(), spaces.size()});
    const auto long_file = co_await attempt(loaded.load(path));
    EXPECT_EQ(error_of(long_file), std::errc::file_too_large);
    expect_message(path, "longer than 512 bytes");
    EXPECT_EQ(loaded.name(), "");
}

TEST(Boards, load_kernel) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(RINGLET_BOARDS)) {
        if (!entry.is_directory()) continue;
        const auto path = entry.path() / "board.json";
        std::ifstream file(path);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        FixedBoard<> board;
        EXPECT_TRUE(board.parse(path.string(), text)) << board.message();
        EXPECT_EQ(board.name(), entry.path().filename().string());
        EXPECT_LT(text.size(), 8_KiB) << "more than an app reads";
        ++count;
    }
    EXPECT_GE(count, 5u);
}

}  // namespace
}  // namespace ringlet
