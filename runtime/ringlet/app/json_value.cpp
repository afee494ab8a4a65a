// Typed reading of what json.cpp has parsed.
#include <ringlet/app/json.hpp>

#include <ringlet/base/panic.hpp>

#include <cjson/cJSON.h>

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace ringlet {
namespace {

JsonKind kind_of(const cJSON* node) {
    constexpr int type_mask = 0xFF;
    switch (node->type & type_mask) {
        case cJSON_NULL: return JsonKind::null;
        case cJSON_True:
        case cJSON_False: return JsonKind::boolean;
        case cJSON_Number: return JsonKind::number;
        case cJSON_String: return JsonKind::string;
        case cJSON_Array: return JsonKind::array;
        default: return JsonKind::object;
    }
}

const char* text(JsonKind kind) {
    switch (kind) {
        case JsonKind::null: return "null";
        case JsonKind::boolean: return "a boolean";
        case JsonKind::number: return "a number";
        case JsonKind::string: return "a string";
        case JsonKind::array: return "an array";
        case JsonKind::object: return "an object";
    }
    return "a value";
}

// Puts the value of `from` into `to`.
template <class T>
Result<void> assign(void* to, const Result<T>& from) {
    if (!from) return std::unexpected(from.error());
    *static_cast<T*>(to) = *from;
    return {};
}

}  // namespace

JsonKind JsonValue::kind() const {
    return kind_of(node_);
}

std::unexpected<Error> JsonValue::wrong_kind(JsonKind expected) const {
    return json_->refuse_at(node_, JsonDetail::wrong_kind, "expected %s, found %s", text(expected),
                            text(kind()));
}

Result<void> JsonValue::expect(JsonKind expected) const {
    if (kind() != expected) return wrong_kind(expected);
    return {};
}

Result<std::string_view> JsonValue::as_string() const {
    if (kind() != JsonKind::string) return wrong_kind(JsonKind::string);
    return std::string_view(node_->valuestring);
}

Result<double> JsonValue::as_number() const {
    if (kind() != JsonKind::number) return wrong_kind(JsonKind::number);
    if (!std::isfinite(node_->valuedouble)) return refuse("the number is too large");
    return node_->valuedouble;
}

Result<std::int64_t> JsonValue::as_integer(std::int64_t min, std::int64_t max) const {
    RINGLET_ASSERT(min <= max);
    const auto number = as_number();
    if (!number) return std::unexpected(number.error());
    FixedText<32> digits;
    digits.append_number(*number);
    if (std::trunc(*number) != *number) {
        return refuse("%s is not a whole number", digits.c_str());
    }
    constexpr auto exact_max = static_cast<double>(json_integer_max);
    if (*number < -exact_max || *number > exact_max) {
        return refuse("an integer must be between -%lld and %lld to be exact",
                      static_cast<long long>(json_integer_max),
                      static_cast<long long>(json_integer_max));
    }
    const auto integer = static_cast<std::int64_t>(*number);
    if (integer < min || integer > max) {
        return refuse("%lld is not between %lld and %lld", static_cast<long long>(integer),
                      static_cast<long long>(min), static_cast<long long>(max));
    }
    return integer;
}

Result<bool> JsonValue::as_boolean() const {
    if (kind() != JsonKind::boolean) return wrong_kind(JsonKind::boolean);
    return cJSON_IsTrue(node_) != 0;
}

const cJSON* JsonValue::find_node(std::string_view key) const {
    for (const cJSON* child = node_->child; child != nullptr; child = child->next) {
        if (key == child->string) return child;
    }
    return nullptr;
}

Result<std::optional<JsonValue>> JsonValue::find(std::string_view key) const {
    if (kind() != JsonKind::object) return wrong_kind(JsonKind::object);
    const cJSON* const node = find_node(key);
    if (node == nullptr) return std::nullopt;
    return JsonValue(json_, node);
}

Result<JsonValue> JsonValue::member(std::string_view key) const {
    if (kind() != JsonKind::object) return wrong_kind(JsonKind::object);
    const cJSON* const node = find_node(key);
    if (node != nullptr) return JsonValue(json_, node);
    json_->begin_message_at(node_, key);
    json_->message_.append("missing");
    return std::unexpected(Error(std::errc::bad_message, Domain::json,
                                 static_cast<std::uint16_t>(JsonDetail::missing_key)));
}

Result<std::string_view> JsonValue::string(std::string_view key) const {
    const auto value = member(key);
    if (!value) return std::unexpected(value.error());
    return value->as_string();
}

Result<double> JsonValue::number(std::string_view key) const {
    const auto value = member(key);
    if (!value) return std::unexpected(value.error());
    return value->as_number();
}

Result<std::int64_t> JsonValue::integer(std::string_view key, std::int64_t min,
                                        std::int64_t max) const {
    const auto value = member(key);
    if (!value) return std::unexpected(value.error());
    return value->as_integer(min, max);
}

Result<bool> JsonValue::boolean(std::string_view key) const {
    const auto value = member(key);
    if (!value) return std::unexpected(value.error());
    return value->as_boolean();
}

Result<void> JsonField::store(JsonValue value) const {
    switch (kind_) {
        case Target::string: return assign(target_, value.as_string());
        case Target::number: return assign(target_, value.as_number());
        case Target::integer: return assign(target_, value.as_integer(min_, max_));
        case Target::boolean: return assign(target_, value.as_boolean());
        case Target::value: *static_cast<std::optional<JsonValue>*>(target_) = value; return {};
    }
    return {};
}

Result<void> JsonValue::read(std::span<const JsonField> fields) const {
    RINGLET_ASSERT(fields.size() <= json_fields_max);
    if (kind() != JsonKind::object) return wrong_kind(JsonKind::object);
    std::uint64_t seen = 0;  // one bit a field
    static_assert(json_fields_max <= 64);
    for (const JsonValue value : *this) {
        std::size_t at = 0;
        while (at < fields.size() && value.key() != fields[at].key_) ++at;
        if (at == fields.size()) {
            return json_->refuse_at(value.node_, JsonDetail::unknown_key, "unknown key");
        }
        seen |= std::uint64_t{1} << at;
        const auto stored = fields[at].store(value);
        if (!stored) return stored;
    }
    for (std::size_t at = 0; at < fields.size(); ++at) {
        const bool missing = fields[at].required_ && (seen >> at & 1) == 0;
        if (missing) return std::unexpected(member(fields[at].key_).error());
    }
    return {};
}

JsonValue::Iterator JsonValue::begin() const {
    return Iterator(JsonValue(json_, node_->child));
}

JsonValue::Iterator JsonValue::end() const {
    return Iterator(JsonValue(json_, nullptr));
}

JsonValue::Iterator& JsonValue::Iterator::operator++() {
    at_.node_ = at_.node_->next;
    return *this;
}

std::size_t JsonValue::size() const {
    std::size_t count = 0;
    for (const cJSON* child = node_->child; child != nullptr; child = child->next) ++count;
    return count;
}

std::string_view JsonValue::key() const {
    return node_->string != nullptr ? std::string_view(node_->string) : std::string_view();
}

std::unexpected<Error> JsonValue::refuse(const char* format, ...) const {
    char words[json_message_bytes];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return json_->refuse_at(node_, JsonDetail::value, "%s", words);
}

}  // namespace ringlet
