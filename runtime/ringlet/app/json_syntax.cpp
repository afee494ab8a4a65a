// A scanner without recursion: one bit a level says whether it is an object.
#include <ringlet/app/json_syntax.hpp>

#include <ringlet/app/utf8.hpp>

#include <bitset>
#include <cstdint>

namespace ringlet {
namespace {

class Scanner {
public:
    explicit Scanner(std::string_view text)
        : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

    bool scan_document() {
        for (;;) {
            // A value, or the beginning of one that is followed by its first element.
            bool opened = false;
            if (!scan_value(opened)) return false;
            if (opened) continue;
            while (depth_ > 0 && close()) {}
            if (failed()) return false;
            if (depth_ == 0) break;
            if (in_object() && !scan_key()) return false;
        }
        skip_space();
        return at_ == end_ || fail("expected the end of the text");
    }

    JsonFault fault() const {
        return {static_cast<std::size_t>(at_ - begin_), words_, is_nesting_};
    }

private:
    bool fail(const char* words) {
        words_ = words;
        return false;
    }
    bool failed() const { return words_ != nullptr; }

    bool next_is(char c) const { return at_ != end_ && *at_ == c; }
    bool take(char c) {
        if (!next_is(c)) return false;
        ++at_;
        return true;
    }
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }
    bool in_object() const { return is_object_[depth_ - 1]; }

    bool scan_value(bool& opened) {
        skip_space();
        if (at_ == end_) return fail("expected a value");
        switch (*at_) {
            case '{': return open(true, opened) && (!opened || scan_key());
            case '[': return open(false, opened);
            case '"': return scan_string();
            case 't': return scan_word("true");
            case 'f': return scan_word("false");
            case 'n': return scan_word("null");
            case 'N':
            case 'I': return fail("expected a value (NaN and Infinity are none in JSON)");
            case '\'': return fail("expected a value (strings are in double quotes)");
            default: return scan_number();
        }
    }

    // An empty array or object is complete at once.
    bool open(bool object, bool& opened) {
        if (depth_ == json_nesting_max) {
            is_nesting_ = true;
            return fail("arrays and objects are nested more than 32 deep");
        }
        ++at_;
        skip_space();
        if (take(object ? '}' : ']')) return true;
        is_object_[depth_++] = object;
        opened = true;
        return true;
    }

    // After a value: true if its array or object ended with it. False on a comma, or on a fault.
    bool close() {
        skip_space();
        if (take(',')) return false;
        if (take(in_object() ? '}' : ']')) {
            --depth_;
            return true;
        }
        return fail(in_object() ? "expected ',' or '}'" : "expected ',' or ']'");
    }

    bool scan_key() {
        skip_space();
        if (!next_is('"')) return fail("expected a key in double quotes");
        if (!scan_string()) return false;
        skip_space();
        return take(':') || fail("expected ':'");
    }

    bool scan_word(std::string_view word) {
        const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
        if (!rest.starts_with(word)) return fail("expected a value (true, false or null)");
        at_ += word.size();
        return true;
    }

    bool skip_digits() {
        const char* const start = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
        return at_ != start;
    }

    bool scan_number() {
        const char* const start = at_;
        const bool negative = take('-');
        if (take('0')) {
            if (at_ != end_ && *at_ >= '0' && *at_ <= '9') {
                return fail("a number must not begin with 0");
            }
        } else if (!skip_digits()) {
            return fail(negative ? "expected a digit" : "expected a value");
        }
        if (take('.') && !skip_digits()) return fail("expected a digit");
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (!skip_digits()) return fail("expected a digit");
        }
        if (static_cast<std::size_t>(at_ - start) <= json_number_bytes_max) return true;
        at_ = start;
        return fail("a number has more than 63 characters");
    }

    bool scan_string() {
        ++at_;
        for (;;) {
            // The common case first: plain ASCII.
            while (at_ != end_ && is_plain(*at_)) ++at_;
            if (at_ == end_) return fail("expected '\"'");
            if (*at_ == '"') break;
            if (*at_ == '\\') {
                if (!scan_escape()) return false;
                continue;
            }
            if (static_cast<unsigned char>(*at_) < 0x20) {
                return fail("a control character in a string must be escaped");
            }
            const std::size_t size = utf8_length({at_, static_cast<std::size_t>(end_ - at_)});
            if (size == 0) return fail("a string is not valid UTF-8");
            at_ += size;
        }
        ++at_;
        return true;
    }

    static bool is_plain(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
    }

    bool scan_escape() {
        const char* const start = at_++;
        if (at_ == end_) return fail("expected an escape");
        if (std::string_view("\"\\/bfnrt").contains(*at_)) {
            ++at_;
            return true;
        }
        if (*at_ != 'u') {
            return fail("expected an escape: one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
        }
        unsigned unit = 0;
        if (!scan_hex(unit)) return false;
        const auto refuse = [&](const char* words) {
            at_ = start;
            return fail(words);
        };
        if (unit == 0) return refuse("\\u0000 is not accepted");
        if (is_low(unit)) return refuse("a low surrogate without the high one");
        if (!is_high(unit)) return true;
        unsigned low = 0;
        if (!take('\\') || !next_is('u')) return refuse("a high surrogate without the low one");
        if (!scan_hex(low)) return false;
        return is_low(low) || refuse("a high surrogate without the low one");
    }

    static bool is_high(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
    static bool is_low(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

    // The 'u' and four hexadecimal digits.
    bool scan_hex(unsigned& unit) {
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
            if (at_ == end_) return fail("expected a hexadecimal digit");
            const char c = *at_;
            const char lower = static_cast<char>(c | 0x20);
            unsigned digit = 0;
            if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
            else if (lower >= 'a' && lower <= 'f') digit = static_cast<unsigned>(lower - 'a') + 10;
            else return fail("expected a hexadecimal digit");
            unit = unit * 16 + digit;
        }
        return true;
    }

    const char* begin_;
    const char* at_;
    const char* end_;
    const char* words_ = nullptr;
    std::size_t depth_ = 0;
    std::bitset<json_nesting_max> is_object_;
    bool is_nesting_ = false;
};

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text) {
    Scanner scanner(text);
    if (scanner.scan_document()) return std::nullopt;
    return scanner.fault();
}

}  // namespace ringlet
