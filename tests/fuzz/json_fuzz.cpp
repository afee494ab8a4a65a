// Json and the configuration on it, against a model that reads the standard's grammar by descent:
// the same texts are refused, and of the others the same values come out; a message is one line,
// and tells the place of the fault; memory is the arena's, all of it and no more.
//
//   input:  where the text is cut | the text...
#include <fuzz_input.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/app/json.hpp>
#include <ringlet/app/json_syntax.hpp>
#include <ringlet/app/options.hpp>
#include <ringlet/app/utf8.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using fuzz::expect;
using fuzz::Head;

// On the heap, where ASan sees its ends.
class HeapText {
public:
    explicit HeapText(std::string_view text)
        : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
        if (size_ > 0) std::memcpy(bytes_.get(), text.data(), size_);
    }
    std::string_view view() const { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

struct HeapMemory {
    explicit HeapMemory(std::size_t size) : bytes(std::make_unique<std::byte[]>(size)) {}
    std::unique_ptr<std::byte[]> bytes;
};

class HeapJson : private HeapMemory, public Json {
public:
    explicit HeapJson(std::size_t size) : HeapMemory(size), Json({bytes.get(), size}) {}
    ~HeapJson() = default;
};

// ---- the model

struct Value {
    JsonKind kind = JsonKind::null;
    bool boolean = false;
    double number = 0;
    std::string text;
    std::vector<std::string> keys;  // of an object, as many as children
    std::vector<Value> children;
};

enum class Verdict { good, syntax, nesting, tree };

class Model {
public:
    explicit Model(std::string_view text) : rest_(text) {}

    Verdict read(Value& value) {
        if (!read_value(value, 0)) return verdict_;
        skip_space();
        if (!rest_.empty()) return Verdict::syntax;
        return verdict_;
    }
    // What the arena may have to hold.
    std::size_t bytes() const { return bytes_; }

private:
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    }
    bool refuse(Verdict verdict) {
        verdict_ = verdict;
        return false;
    }
    bool syntax() { return refuse(Verdict::syntax); }
    void count_string(std::size_t size) { bytes_ += (size + 2 + 7) / 8 * 8; }

    bool read_value(Value& value, std::size_t depth) {
        bytes_ += json_value_bytes;
        skip_space();
        if (rest_.starts_with('{') || rest_.starts_with('[')) {
            return read_container(value, depth + 1);
        }
        if (take("\"")) {
            value.kind = JsonKind::string;
            return read_string(value.text);
        }
        value.kind = JsonKind::boolean;
        if (take("false")) return true;
        value.boolean = true;
        if (take("true")) return true;
        value.kind = JsonKind::null;
        if (take("null")) return true;
        value.kind = JsonKind::number;
        return read_number(value.number);
    }

    bool read_container(Value& value, std::size_t depth) {
        if (depth > json_nesting_max) return refuse(Verdict::nesting);
        const bool is_object = take("{");
        if (!is_object) take("[");
        value.kind = is_object ? JsonKind::object : JsonKind::array;
        const std::string_view end = is_object ? "}" : "]";
        skip_space();
        if (take(end)) return true;
        do {
            if (is_object && !read_key(value.keys)) return false;
            if (!read_value(value.children.emplace_back(), depth)) return false;
            skip_space();
        } while (take(","));
        if (value.keys.size() > json_members_max) verdict_ = Verdict::tree;
        return take(end) || syntax();
    }

    bool read_key(std::vector<std::string>& keys) {
        skip_space();
        std::string key;
        if (!take("\"") || !read_string(key)) return syntax();
        if (std::ranges::find(keys, key) != keys.end()) verdict_ = Verdict::tree;
        keys.push_back(key);
        skip_space();
        return take(":") || syntax();
    }

    std::size_t digits() {
        const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
        rest_.remove_prefix(count);
        return count;
    }
    bool read_number(double& number) {
        const std::string_view start = rest_;
        take("-");
        if (!take("0") && digits() == 0) return syntax();
        if (take(".") && digits() == 0) return syntax();
        if (take("e") || take("E")) {
            if (!take("+")) take("-");
            if (digits() == 0) return syntax();
        }
        const std::string words(start.substr(0, start.size() - rest_.size()));
        if (words.size() > json_number_bytes_max) return syntax();
        const auto parsed = std::from_chars(words.data(), words.data() + words.size(), number);
        const bool is_given = parsed.ec != std::errc::result_out_of_range;
        if (!is_given) number = std::strtod(words.c_str(), nullptr);  // infinite, or next to zero
        return true;
    }

    bool read_string(std::string& out) {
        const std::string_view start = rest_;
        while (!take("\"")) {
            if (rest_.empty() || static_cast<unsigned char>(rest_.front()) < 0x20) return syntax();
            if (take("\\")) {
                if (!read_escape(out)) return syntax();
                continue;
            }
            const std::size_t size = utf8_length(rest_);
            if (size == 0) return syntax();
            out += rest_.substr(0, size);
            rest_.remove_prefix(size);
        }
        count_string(start.size() - rest_.size() - 1);
        return true;
    }
    bool read_escape(std::string& out) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (take("u")) return read_unicode(out);
        if (rest_.empty()) return false;
        const std::size_t at = names.find(rest_.front());
        if (at == names.npos) return false;
        out += meanings[at];
        rest_.remove_prefix(1);
        return true;
    }
    std::optional<unsigned> read_unit() {
        unsigned unit = 0;
        const char* const end = rest_.data() + std::min<std::size_t>(rest_.size(), 4);
        const auto parsed = std::from_chars(rest_.data(), end, unit, 16);
        if (parsed.ptr != rest_.data() + 4) return std::nullopt;
        rest_.remove_prefix(4);
        return unit;
    }
    bool read_unicode(std::string& out) {
        const auto first = read_unit();
        if (!first || *first == 0 || (*first >= 0xDC00 && *first < 0xE000)) return false;
        if (*first < 0xD800 || *first > 0xDBFF) return append(out, *first);
        if (!take("\\u")) return false;
        const auto second = read_unit();
        if (!second || *second < 0xDC00 || *second > 0xDFFF) return false;
        return append(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
    }
    static bool append(std::string& out, unsigned point) {
        const auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
        if (point < 0x80) return put(point), true;
        if (point < 0x800) {
            put(0xC0 | point >> 6);
        } else {
            if (point < 0x10000) {
                put(0xE0 | point >> 12);
            } else {
                put(0xF0 | point >> 18);
                put(0x80 | (point >> 12 & 0x3F));
            }
            put(0x80 | (point >> 6 & 0x3F));
        }
        return put(0x80 | (point & 0x3F)), true;
    }

    std::string_view rest_;
    Verdict verdict_ = Verdict::good;
    std::size_t bytes_ = 0;
};

// ---- values

void expect_number(JsonValue value, double expected) {
    const auto number = value.as_number();
    expect(number.has_value() == std::isfinite(expected), "a number that fits a double is given");
    if (!number) return expect(number.error() == JsonDetail::value, "or it is too large");
    expect(*number == expected, "the number is the model's");
    const bool is_integer = std::trunc(expected) == expected &&
                            std::abs(expected) <= static_cast<double>(json_integer_max);
    const auto integer = value.as_integer();
    expect(integer.has_value() == is_integer, "whole numbers that are exact are integers");
    if (integer) expect(static_cast<double>(*integer) == expected, "the integer is the model's");
}

void expect_value(JsonValue value, const Value& expected);

void expect_children(JsonValue value, const Value& expected) {
    expect(value.size() == expected.children.size(), "there are as many values as in the model");
    std::size_t at = 0;
    for (const JsonValue child : value) {
        expect_value(child, expected.children[at]);
        if (expected.kind == JsonKind::object) {
            const std::string& key = expected.keys[at];
            expect(child.key() == key, "the key is the model's");
            const auto found = value.find(key);
            expect(found.has_value() && found->has_value() &&
                       (*found)->kind() == expected.children[at].kind,
                   "a member is found by its key");
        }
        ++at;
    }
}

void expect_value(JsonValue value, const Value& expected) {
    expect(value.kind() == expected.kind, "the kind is the model's");
    switch (expected.kind) {
        case JsonKind::null: break;
        case JsonKind::boolean:
            return expect(*value.as_boolean() == expected.boolean, "the boolean is the model's");
        case JsonKind::number: return expect_number(value, expected.number);
        case JsonKind::string:
            return expect(*value.as_string() == expected.text, "the string is the model's");
        case JsonKind::array:
        case JsonKind::object: return expect_children(value, expected);
    }
}

// ---- messages

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = utf8_length(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

void expect_one_line(std::string_view words) {
    expect(!words.empty() && words.size() < json_message_bytes, "a message has a size");
    expect(std::ranges::none_of(words, is_control), "a message has no control characters");
    expect(is_utf8(words), "a message is UTF-8");
}

// "line 3, column 7: " is where the fault is.
void expect_place(std::string_view words, std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::ranges::count(before, '\n');
    const auto column = 1 + utf8_count(before.substr(before.rfind('\n') + 1));
    const auto place = "line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
    expect(words.starts_with(place), "a message begins with the place of the fault");
}

bool same_fault(const std::optional<JsonFault>& one, const std::optional<JsonFault>& other) {
    if (!one || !other) return !one && !other;
    return one->offset == other->offset && one->words == other->words &&
           one->is_nesting == other->is_nesting;
}

// What comes long after a fault does not matter, and what stands before it is sound.
void try_cut(std::string_view text, std::size_t at) {
    constexpr std::size_t look_ahead = json_number_bytes_max + 1;
    const auto fault = find_json_fault(text);
    const HeapText cut(text.substr(0, at));
    const auto cut_fault = find_json_fault(cut.view());
    if (cut_fault) expect(cut_fault->offset <= at, "a fault is inside the text");
    // Whether a number is too long is told when it has ended, however far that is.
    const bool too_long = fault && std::string_view(fault->words).contains("63 characters");
    if (fault && !too_long && fault->offset + look_ahead <= at) {
        expect(same_fault(fault, cut_fault), "a fault depends on no text far behind it");
    }
    if (!fault) return;
    expect(fault->offset <= text.size(), "a fault is inside the text");
    const HeapText sound(text.substr(0, fault->offset));
    const auto other = find_json_fault(sound.view());
    expect(!other || other->offset == fault->offset, "what stands before a fault has none");
}

// ---- the arena

// A document takes as much from an arena of any size, and needs no more. `used` is rounded up.
void try_arena(std::string_view text, const Value& value, std::size_t used) {
    constexpr std::size_t rounding = 8;
    {
        HeapJson exact(used);
        const auto document = exact.parse(text);
        expect(document.has_value(), "an arena of the size that was used is enough");
        expect_value(document->root(), value);
    }
    HeapJson small(used - rounding);
    const auto refused = small.parse(text);
    expect(!refused && refused.error() == JsonDetail::memory, "less is not enough");
    expect(small.high_water_bytes() <= used - rounding, "an arena keeps to its memory");
    expect_one_line(small.message());
    const auto again = small.parse("null");
    expect(again.has_value() == (used - rounding >= json_value_bytes), "it is empty again");
}

// ---- the configuration

struct Settings {
    std::uint32_t workers = 4;
    std::uint64_t bytes = 1024;
    Nanoseconds limit = 2s;
    std::string_view name = "none";
    std::string_view form = "table";
    bool quiet = false;
};

constexpr const char* forms[] = {"table", "lines"};

void try_configuration(JsonValue root) {
    Settings settings;
    const Option table[] = {Option::count("workers", "N", "help", settings.workers, 1, 64),
                            Option::size("bytes", "SIZE", "help", settings.bytes, 0, 1 << 30),
                            Option::duration("limit", "TIME", "help", settings.limit, 1ms, 1h),
                            Option::text("name", "NAME", "help", settings.name),
                            Option::choice("form", "FORM", "help", settings.form, forms),
                            Option::flag("quiet", "help", settings.quiet)};
    const Command command{
        .name = "fuzz", .version = "1", .summary = "Help.", .options = table, .has_config = true};
    FixedText<option_report_bytes> report;
    Options options(command, report);
    char name[] = "fuzz";
    char* arguments[] = {name, nullptr};
    expect(!options.parse(1, arguments), "the command line is good");
    const auto status = options.configure("file", root);
    expect(settings.workers >= 1 && settings.workers <= 64 && settings.bytes <= 1 << 30 &&
               settings.limit >= 1ms && settings.limit <= 1h &&
               (settings.form == forms[0] || settings.form == forms[1]),
           "settings are within their ranges");
    if (!status) return expect(report.size() == 0, "where all is well nothing is said");
    expect(*status == exit_status::usage, "a configuration that is wrong is a usage error");
    std::string_view words = report.view();
    expect(words.starts_with("fuzz: file: ") && words.ends_with('\n'), "the report is a line");
    words.remove_suffix(1);
    expect(std::ranges::none_of(words, is_control) && is_utf8(words), "of characters to be read");
}

void try_text(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    HeapJson json(64 * (text.size() + 64));
    const auto document = json.parse(text);
    const std::string_view content =
        text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text;
    Value value;
    Model model(content);
    const Verdict verdict = model.read(value);
    expect(document.has_value() == (verdict == Verdict::good), "what the model refuses is refused");
    const auto fault = find_json_fault(content);
    expect(fault.has_value() == (verdict == Verdict::syntax || verdict == Verdict::nesting),
           "the syntax is the model's");
    if (!document) {
        const Error error = document.error();
        expect_one_line(json.message());
        if (fault) expect_place(json.message(), content, fault->offset);
        expect((error == JsonDetail::syntax) == (verdict == Verdict::syntax) &&
                   (error == JsonDetail::nesting) == (verdict == Verdict::nesting),
               "an error tells what is wrong");
        return;
    }
    expect_value(document->root(), value);
    try_configuration(document->root());
    constexpr std::size_t copy_of_a_number = json_number_bytes_max + 1;
    expect(json.high_water_bytes() <= model.bytes() + copy_of_a_number,
           "a document takes no more than is said");
    try_arena(text, value, json.high_water_bytes());
}

}  // namespace
}  // namespace ringlet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    ringlet::fuzz::Head head(std::string_view(reinterpret_cast<const char*>(bytes), size));
    const unsigned cut = head.byte();
    const ringlet::HeapText text(head.rest());
    ringlet::try_cut(text.view(), cut * (head.rest().size() + 1) / 256);
    ringlet::try_text(text.view());
    return 0;
}
