// JSON, read: for configuration, and fast enough for a record a line.
//
//   static JsonArena<4_KiB> json;
//
//   Result<Reading> parse_reading(std::string_view line) {
//       const auto document = json.parse(line);
//       if (!document) return std::unexpected(document.error());   // words: json.message()
//       Reading reading;
//       const auto read = document->root().read({JsonField::required("sensor", reading.sensor),
//                                                JsonField::required("t", reading.t),
//                                                JsonField::optional("unit", reading.unit)});
//       if (!read) return std::unexpected(read.error());
//       return reading;
//   }
//
// An error is a small Error (its detail is a JsonDetail); the words for people stay in the arena's
// message() until its next error:
//   "line 3, column 7: expected ',' or '}', found '1'"
//   "/queue-depth: expected a number, found a string"
//
// Stricter than cJSON, which does the parsing: RFC 8259 and nothing else, no duplicate keys, no
// \u0000. A byte order mark is skipped. Numbers are doubles; integers are exact up to 2^53 - 1 and
// refused beyond. Right in any locale.
//
// All memory is the arena's; it is neither cleared nor given back, only used again by the next
// parse(). A document is alive until its destructor, and keeps the arena: a second parse() before
// is an assertion. Two arenas can have a document each. One thread at a time in the whole process
// may be inside parse() (cJSON's hooks are global): asserted, too.
#pragma once

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/bump_arena.hpp>
#include <ringlet/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

struct cJSON;

namespace ringlet {

inline constexpr std::size_t json_message_bytes = 256;
// Members of one object. Bounds the search for duplicate keys.
inline constexpr std::size_t json_members_max = 1024;
// Fields of one read().
inline constexpr std::size_t json_fields_max = 64;
// Integers up to here, of either sign, are exact in a double.
inline constexpr std::int64_t json_integer_max = (std::int64_t{1} << 53) - 1;
// What an arena takes for each value (arrays, objects and the root are values, too). Keys and
// strings come on top: their bytes and two more, rounded up to 8.
inline constexpr std::size_t json_value_bytes = sizeof(void*) == 8 ? 64 : 40;

// The detail of an Error of Domain::json.
enum class JsonDetail : std::uint16_t {
    none,
    syntax,         // not JSON
    nesting,        // more than json_nesting_max deep
    members,        // more than json_members_max in an object
    memory,         // the arena is full (std::errc::not_enough_memory)
    duplicate_key,
    unknown_key,
    missing_key,
    wrong_kind,     // a string where a number should be ...
    value,          // out of range, no whole number, or whatever refuse() said
};

constexpr bool operator==(Error error, JsonDetail detail) {
    return error.domain() == Domain::json && error.detail() == static_cast<std::uint16_t>(detail);
}

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

class Json;
class JsonField;

// A value in a document. Small, to be passed by value; valid as long as the document. So are the
// strings that it gives: they lie in the arena.
class JsonValue {
public:
    JsonKind kind() const;

    // The value itself, or wrong_kind. A number that overflows a double, and an integer that is no
    // whole number, not exact, or not from `min` to `max`, gives the detail `value`.
    Result<std::string_view> as_string() const;
    Result<double> as_number() const;
    Result<std::int64_t> as_integer(std::int64_t min = -json_integer_max,
                                    std::int64_t max = json_integer_max) const;
    Result<bool> as_boolean() const;

    // A member of an object: wrong_kind if this is none. find() is for the optional ones.
    Result<JsonValue> member(std::string_view key) const;
    Result<std::optional<JsonValue>> find(std::string_view key) const;

    // member(key), then as_...().
    Result<std::string_view> string(std::string_view key) const;
    Result<double> number(std::string_view key) const;
    Result<std::int64_t> integer(std::string_view key, std::int64_t min = -json_integer_max,
                                 std::int64_t max = json_integer_max) const;
    Result<bool> boolean(std::string_view key) const;

    // Reads an object into variables: each required field must be there, and no other than the
    // given ones may. On an error, variables may have been written.
    Result<void> read(std::span<const JsonField> fields) const;
    Result<void> read(std::initializer_list<JsonField> fields) const;

    // wrong_kind if this is not the kind.
    Result<void> expect(JsonKind kind) const;

    // The elements of an array, or the members of an object, in their order; nothing in others.
    class Iterator;
    Iterator begin() const;
    Iterator end() const;
    std::size_t size() const;

    // The key, for a member of an object; empty for others.
    std::string_view key() const;

    // For checks of your own: makes "/its/pointer: " and the words the arena's message.
    [[gnu::format(printf, 2, 3)]] std::unexpected<Error> refuse(const char* format, ...) const;

    // The arena's message().
    const char* message() const;

private:
    friend class Json;
    friend class JsonDocument;
    friend class Iterator;
    JsonValue(Json* json, const cJSON* node) : json_(json), node_(node) {}
    const cJSON* find_node(std::string_view key) const;
    std::unexpected<Error> wrong_kind(JsonKind expected) const;

    Json* json_;
    const cJSON* node_;
};

class JsonValue::Iterator {
public:
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    JsonValue operator*() const { return at_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return at_.node_ == other.at_.node_; }

private:
    friend class JsonValue;
    explicit Iterator(JsonValue at) : at_(at) {}
    JsonValue at_;
};

// What read() wants: a key and where its value goes. The variable must outlive the read().
class JsonField {
public:
    template <class T>
    static JsonField required(const char* key, T& target) {
        return {key, true, target};
    }
    template <class T>
    static JsonField optional(const char* key, T& target) {  // absent: leaves `target` as it is
        return {key, false, target};
    }
    // Whole numbers from `min` to `max`.
    static JsonField required(const char* key, std::int64_t& target, std::int64_t min,
                              std::int64_t max) {
        return {key, true, target, min, max};
    }
    static JsonField optional(const char* key, std::int64_t& target, std::int64_t min,
                              std::int64_t max) {
        return {key, false, target, min, max};
    }

private:
    friend class JsonValue;
    enum class Target : std::uint8_t { string, number, integer, boolean, value };

    JsonField(const char* key, bool required, std::string_view& target)
        : JsonField(key, required, Target::string, &target) {}
    JsonField(const char* key, bool required, double& target)
        : JsonField(key, required, Target::number, &target) {}
    JsonField(const char* key, bool required, bool& target)
        : JsonField(key, required, Target::boolean, &target) {}
    JsonField(const char* key, bool required, std::optional<JsonValue>& target)
        : JsonField(key, required, Target::value, &target) {}
    JsonField(const char* key, bool required, std::int64_t& target,
              std::int64_t min = -json_integer_max, std::int64_t max = json_integer_max)
        : JsonField(key, required, Target::integer, &target) {
        min_ = min;
        max_ = max;
    }
    JsonField(const char* key, bool required, Target kind, void* target)
        : key_(key), target_(target), kind_(kind), required_(required) {}
    Result<void> store(JsonValue value) const;

    const char* key_;
    void* target_;
    std::int64_t min_ = 0;
    std::int64_t max_ = 0;
    Target kind_;
    bool required_;
};

inline Result<void> JsonValue::read(std::initializer_list<JsonField> fields) const {
    return read(std::span(fields.begin(), fields.size()));
}

// A parsed text; it keeps the arena until it dies. The text itself is no longer needed.
class [[nodiscard]] JsonDocument {
public:
    JsonDocument(JsonDocument&& other) noexcept
        : json_(std::exchange(other.json_, nullptr)), node_(other.node_) {}
    JsonDocument& operator=(JsonDocument&&) = delete;
    ~JsonDocument();

    JsonValue root() const;

private:
    friend class Json;
    JsonDocument(Json* json, const cJSON* node) : json_(json), node_(node) {}

    Json* json_;
    const cJSON* node_;
};

// The parser over an arena's memory. Make a JsonArena; pass it as Json&.
class Json {
public:
    Json(const Json&) = delete;
    Json& operator=(const Json&) = delete;

    // Errors: bad_message (syntax, nesting, members, duplicate_key), not_enough_memory.
    Result<JsonDocument> parse(std::string_view text);

    // The words of the last error of this arena, in one line of at most json_message_bytes.
    const char* message() const { return message_.c_str(); }

    // The most bytes that any document took: what to size the arena by.
    std::size_t high_water_bytes() const { return arena_.high_water_bytes(); }

protected:
    static constexpr std::size_t alignment = std::max(alignof(double), alignof(void*));

    explicit Json(std::span<std::byte> storage) : arena_(storage) {}
    ~Json();

private:
    friend class JsonValue;
    friend class JsonDocument;
    class Hooks;

    std::unexpected<Error> refuse_text(std::string_view text, std::size_t offset,
                                       const char* words, JsonDetail detail);
    std::unexpected<Error> refuse_at(const cJSON* node, JsonDetail detail, const char* format, ...)
        __attribute__((format(printf, 4, 5)));
    void begin_message_at(const cJSON* node, std::string_view key);
    Result<void> check_keys(const cJSON* node);

    // cJSON gives back only the copy that it makes of a number: always the newest allocation.
    BumpArena<alignment> arena_;
    const cJSON* root_ = nullptr;
    bool has_document_ = false;
    FixedText<json_message_bytes> message_;
};

inline const char* JsonValue::message() const {
    return json_->message();
}

// `bytes`: see json_value_bytes; high_water_bytes() says what was needed. A record of three fields
// takes 320 on a 64-bit machine.
template <std::size_t bytes>
class JsonArena final : public Json {
public:
    // Only the address of the memory is used before its life begins.
    JsonArena() : Json(std::span<std::byte>(memory_, bytes)) {}

private:
    alignas(alignment) std::byte memory_[bytes];
};

}  // namespace ringlet
