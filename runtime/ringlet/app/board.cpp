// Reading board.json. The document stays, and a lookup reads its alias once more: what check() has
// accepted cannot fail then.
#include <ringlet/app/board.hpp>

#include <ringlet/base/panic.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>
#include <utility>

namespace ringlet {
namespace {

// In the order of their enumerations.
constexpr const char* active_words[] = {"high", "low"};
constexpr const char* bias_words[] = {"as_is", "disabled", "pull_up", "pull_down"};
constexpr const char* kind_words[] = {"i2c", "spi", "uart", "can", "watchdog"};

Error json_error(JsonDetail detail) {
    return Error(std::errc::bad_message, Domain::json, static_cast<std::uint16_t>(detail));
}

// Which of `words` the value is.
Result<std::size_t> choose(JsonValue value, std::span<const char* const> words) {
    const auto chosen = value.as_string();
    if (!chosen) return std::unexpected(chosen.error());
    FixedText<64> list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (*chosen == words[i]) return i;
        if (i > 0) list.append(", ");
        list.append(words[i]);
    }
    return value.refuse("'%s' is none of %s", chosen->data(), list.c_str());
}

// An enumerator whose word the value is; the first one if there is no value.
template <class Enumeration>
Result<Enumeration> choose_or_first(const std::optional<JsonValue>& value,
                                    std::span<const char* const> words) {
    if (!value) return Enumeration{};
    const auto index = choose(*value, words);
    if (!index) return std::unexpected(index.error());
    return static_cast<Enumeration>(*index);
}

Result<const char*> short_text(JsonValue value, std::size_t bytes_max) {
    const auto text = value.as_string();
    if (!text) return std::unexpected(text.error());
    if (text->empty()) return value.refuse("it is empty");
    if (text->size() > bytes_max) return value.refuse("longer than %zu bytes", bytes_max);
    return text->data();
}

Result<const char*> path_of(JsonValue value) {
    const auto path = short_text(value, board_device_bytes_max);
    if (path && (*path)[0] != '/') return value.refuse("'%s' is no absolute path", *path);
    return path;
}

bool is_alias(std::string_view key) {
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto fits = [&](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
    return !key.empty() && key.size() <= board_alias_bytes_max && is_letter(key.front()) &&
           std::ranges::all_of(key, fits);
}

Result<BoardPin> read_pin(JsonValue value) {
    std::optional<JsonValue> chip_value;
    std::optional<JsonValue> active_value;
    std::optional<JsonValue> bias_value;
    std::int64_t line = 0;
    const auto read = value.read({JsonField::required("chip", chip_value),
                                  JsonField::required("line", line, 0, board_line_max),
                                  JsonField::optional("active", active_value),
                                  JsonField::optional("bias", bias_value)});
    if (!read) return std::unexpected(read.error());
    const auto chip = short_text(*chip_value, board_device_bytes_max);
    if (!chip) return std::unexpected(chip.error());
    const auto active_low = choose_or_first<bool>(active_value, active_words);
    if (!active_low) return std::unexpected(active_low.error());
    const auto bias = choose_or_first<PinBias>(bias_value, bias_words);
    if (!bias) return std::unexpected(bias.error());
    return BoardPin{*chip, static_cast<std::uint32_t>(line), *active_low, *bias};
}

Result<BoardBus> read_bus(JsonValue value) {
    std::optional<JsonValue> kind_value;
    std::optional<JsonValue> device_value;
    std::optional<JsonValue> interface_value;
    const auto read = value.read({JsonField::required("kind", kind_value),
                                  JsonField::optional("device", device_value),
                                  JsonField::optional("interface", interface_value)});
    if (!read) return std::unexpected(read.error());
    const auto kind = choose_or_first<BusKind>(kind_value, kind_words);
    if (!kind) return std::unexpected(kind.error());
    const bool is_can = *kind == BusKind::can;
    const auto& other = is_can ? device_value : interface_value;
    if (other) return other->refuse("a bus of kind %s has none", text(*kind));
    const auto place = value.member(is_can ? "interface" : "device");
    if (!place) return std::unexpected(place.error());
    const auto device =
        is_can ? short_text(*place, board_interface_bytes_max) : path_of(*place);
    if (!device) return std::unexpected(device.error());
    return BoardBus{*kind, *device};
}

// All aliases of `group`, each of which `read` accepts.
template <class Item>
Result<void> check_group(const std::optional<JsonValue>& group, std::size_t count_max,
                         Result<Item> (*read)(JsonValue)) {
    if (!group) return {};
    if (const auto object = group->expect(JsonKind::object); !object) return object;
    if (group->size() > count_max) {
        return group->refuse("%zu of them, at most %zu fit", group->size(), count_max);
    }
    for (const JsonValue item : *group) {
        if (!is_alias(item.key())) {
            return item.refuse("an alias is a small letter, then small letters, digits and '_', "
                               "%zu in all at most",
                               board_alias_bytes_max);
        }
        if (const auto accepted = read(item); !accepted) return std::unexpected(accepted.error());
    }
    return {};
}

// " button, led"
void append_aliases(TextBuffer& text, JsonValue group) {
    const char* separator = " ";
    for (const JsonValue item : group) {
        text.append(separator);
        text.append(item.key());
        separator = ", ";
    }
}

}  // namespace

const char* text(BusKind kind) {
    return kind_words[static_cast<std::size_t>(kind)];
}

void Board::clear() {
    pins_.reset();
    buses_.reset();
    name_ = {};
    document_.reset();
}

std::unexpected<Error> Board::refuse(Error error, const char* words) {
    message_.clear();
    message_.append(file_.view());
    message_.append(": ");
    message_.append(words);
    return std::unexpected(error);
}

Task<void> Board::load(const char* path) {
    clear();
    const auto content = co_await attempt(read_file(path, storage_));
    if (content) {
        const auto parsed = parse(path, text_of(*content));
        if (!parsed) co_await fail(parsed.error());
        co_return;
    }
    file_.clear();
    file_.append_printable(path);
    FixedText<64> words;
    if (content.error() == std::errc::file_too_large) {
        words.format("longer than %zu bytes", storage_.size());
    } else {
        words.append(text(content.error()));
    }
    co_await fail(refuse(content.error(), words.c_str()).error());
}

Result<void> Board::parse(std::string_view file, std::string_view text) {
    clear();
    file_.clear();
    file_.append_printable(file);
    auto document = json_.parse(text);
    if (!document) return refuse(document.error(), json_.message());
    document_.emplace(std::move(*document));
    const auto checked = check(document_->root());
    if (checked) return {};
    clear();
    return refuse(checked.error(), json_.message());
}

Result<void> Board::check(JsonValue root) {
    std::optional<JsonValue> skipped;  // docs/board.schema.json says what is in these
    const auto read = root.read({JsonField::required("name", name_),
                                 JsonField::optional("description", skipped),
                                 JsonField::optional("architecture", skipped),
                                 JsonField::optional("cpu", skipped),
                                 JsonField::optional("cores", skipped),
                                 JsonField::optional("kernel_min", skipped),
                                 JsonField::optional("memory", skipped),
                                 JsonField::optional("pins", pins_),
                                 JsonField::optional("buses", buses_),
                                 JsonField::optional("emulator", skipped)});
    if (!read) return read;
    const auto pins = check_group(pins_, board_pins_max, read_pin);
    if (!pins) return pins;
    return check_group(buses_, board_buses_max, read_bus);
}

Result<JsonValue> Board::find(const std::optional<JsonValue>& group, const char* what,
                              std::string_view alias) {
    RINGLET_ASSERT(document_.has_value());
    if (group) {
        const auto found = group->find(alias);
        if (found && *found) return **found;
    }
    FixedText<board_message_bytes> words;
    words.format("no %s '", what);
    words.append_printable(alias);
    if (group && group->size() > 0) {
        words.append("'; there are:");
        append_aliases(words, *group);
    } else {
        words.append("'; there are none");
    }
    return refuse(json_error(JsonDetail::missing_key), words.c_str());
}

Result<BoardPin> Board::pin(std::string_view alias) {
    const auto found = find(pins_, "pin", alias);
    if (!found) return std::unexpected(found.error());
    return read_pin(*found);
}

Result<BoardBus> Board::bus(std::string_view alias) {
    const auto found = find(buses_, "bus", alias);
    if (!found) return std::unexpected(found.error());
    return read_bus(*found);
}

Result<BoardBus> Board::bus(std::string_view alias, BusKind kind) {
    const auto found = bus(alias);
    if (!found || found->kind == kind) return found;
    FixedText<board_message_bytes> words;
    words.append("bus '");
    words.append(alias);
    words.format("' is of kind %s, not %s", text(found->kind), text(kind));
    return refuse(json_error(JsonDetail::value), words.c_str());
}

}  // namespace ringlet
