// One option: its making, and its values from the command line and from JSON.
#include <ringlet/app/options.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/parse.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>

namespace ringlet {
namespace {

Nanoseconds to_duration(std::uint64_t nanoseconds) {
    return Nanoseconds{static_cast<std::int64_t>(nanoseconds)};
}

std::uint64_t to_amount(Nanoseconds duration) {
    RINGLET_ASSERT(duration >= Nanoseconds::zero());
    return static_cast<std::uint64_t>(duration.count());
}

template <class T>
bool refused(const Parsed<T>& parsed, TextBuffer& why) {
    if (!parsed) why.append(parsed.error().words());
    return !parsed;
}

}  // namespace

Option Option::count(const char* name, const char* argument, const char* help,
                     std::uint32_t& target, std::uint32_t min, std::uint32_t max) {
    RINGLET_ASSERT(min <= max);
    Option made(Kind::count, name, argument, help);
    made.target_.count = &target;
    made.min_ = min;
    made.max_ = max;
    made.default_ = target;
    return made;
}

Option Option::size(const char* name, const char* argument, const char* help,
                    std::uint64_t& target, std::uint64_t min, std::uint64_t max) {
    RINGLET_ASSERT(min <= max);
    Option made(Kind::size, name, argument, help);
    made.target_.size = &target;
    made.min_ = min;
    made.max_ = max;
    made.default_ = target;
    return made;
}

Option Option::duration(const char* name, const char* argument, const char* help,
                        Nanoseconds& target, Nanoseconds min, Nanoseconds max) {
    RINGLET_ASSERT(min <= max);
    Option made(Kind::duration, name, argument, help);
    made.target_.duration = &target;
    made.min_ = to_amount(min);
    made.max_ = to_amount(max);
    made.default_ = to_amount(target);
    return made;
}

Option Option::text(const char* name, const char* argument, const char* help,
                    std::string_view& target) {
    Option made(Kind::text, name, argument, help);
    made.target_.text = &target;
    made.default_text_ = target;
    return made;
}

Option Option::choice(const char* name, const char* argument, const char* help,
                      std::string_view& target, std::span<const char* const> choices) {
    RINGLET_ASSERT(!choices.empty());
    Option made(Kind::choice, name, argument, help);
    made.target_.text = &target;
    made.default_text_ = target;
    made.choices_ = choices;
    return made;
}

Option Option::flag(const char* name, const char* help, bool& target) {
    Option made(Kind::flag, name, nullptr, help);
    made.target_.flag = &target;
    return made;
}

Option Option::letter(char short_name) const {
    Option made = *this;
    made.letter_ = short_name;
    return made;
}

bool Option::accept(std::string_view text, bool store, TextBuffer& why) const {
    switch (kind_) {
        case Kind::count: {
            const auto parsed = parse_count(text, min_, max_);
            if (refused(parsed, why)) return false;
            if (store) *target_.count = static_cast<std::uint32_t>(*parsed);
            return true;
        }
        case Kind::size: {
            const auto parsed = parse_size(text, min_, max_);
            if (refused(parsed, why)) return false;
            if (store) *target_.size = *parsed;
            return true;
        }
        case Kind::duration: {
            const auto parsed = parse_duration(text, to_duration(min_), to_duration(max_));
            if (refused(parsed, why)) return false;
            if (store) *target_.duration = *parsed;
            return true;
        }
        case Kind::text:
            if (store) *target_.text = text;
            return true;
        case Kind::choice: return accept_choice(text, store, why);
        case Kind::flag: break;  // takes no text
    }
    RINGLET_ASSERT(kind_ != Kind::flag);
    return false;
}

bool Option::accept_choice(std::string_view text, bool store, TextBuffer& why) const {
    for (const char* const choice : choices_) {
        if (text != choice) continue;
        if (store) *target_.text = choice;
        return true;
    }
    why.append("is none of ");
    for (std::size_t i = 0; i < choices_.size(); ++i) {
        if (i > 0) why.append(", ");
        why.append(choices_[i]);
    }
    return false;
}

Result<void> Option::accept_number(JsonValue value, bool store) const {
    constexpr std::uint64_t exact_max = json_integer_max;
    const auto number = value.as_integer(static_cast<std::int64_t>(std::min(min_, exact_max)),
                                         static_cast<std::int64_t>(std::min(max_, exact_max)));
    if (!number) return std::unexpected(number.error());
    if (!store) return {};
    if (kind_ == Kind::count) *target_.count = static_cast<std::uint32_t>(*number);
    else *target_.size = static_cast<std::uint64_t>(*number);
    return {};
}

Result<void> Option::accept(JsonValue value, bool store) const {
    if (kind_ == Kind::flag) {
        const auto flag = value.as_boolean();
        if (!flag) return std::unexpected(flag.error());
        if (store) *target_.flag = *flag;
        return {};
    }
    const bool is_number = value.kind() == JsonKind::number;
    if (kind_ == Kind::count || (kind_ == Kind::size && is_number)) {
        return accept_number(value, store);
    }
    if (kind_ == Kind::duration && is_number) {
        return value.refuse("a duration is a string with a unit, such as \"500ms\"");
    }
    const auto words = value.as_string();
    if (!words) return std::unexpected(words.error());
    FixedText<256> why;
    if (accept(*words, store, why)) return {};
    return value.refuse("'%.*s' %s", static_cast<int>(words->size()), words->data(), why.c_str());
}

void Option::append_amount(TextBuffer& text, std::uint64_t amount) const {
    switch (kind_) {
        case Kind::size: return append_size(text, amount);
        case Kind::duration: return append_duration(text, to_duration(amount));
        default: return text.append_number(amount);
    }
}

// "1 to 64, default 4", "default table"; nothing for a flag or a text without default.
void Option::append_default(TextBuffer& text) const {
    switch (kind_) {
        case Kind::count:
        case Kind::size:
        case Kind::duration:
            append_amount(text, min_);
            text.append(" to ");
            append_amount(text, max_);
            text.append(", default ");
            return append_amount(text, default_);
        case Kind::choice:
            for (const char* const choice : choices_) {
                text.append(choice);
                text.append(", ");
            }
            text.append("default ");
            return text.append(default_text_);
        case Kind::text:
            if (default_text_.empty()) return;
            text.append("default ");
            return text.append(default_text_);
        case Kind::flag: return;
    }
}

}  // namespace ringlet
