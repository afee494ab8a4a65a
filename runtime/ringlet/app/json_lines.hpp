// JSON, written: one object a line.
//
//   std::array<char, 512> memory;
//   JsonLine line(memory);
//   line.add("url", url).add("status", 200).open("latency").add("p50-us", p50).close();
//   const auto text = line.finish();
//
//   {"url":"http://...","status":200,"latency":{"p50-us":812}}
//
// Well-formed whatever it is given: strings are escaped, what is not UTF-8 in them becomes U+FFFD,
// and a number that JSON does not have (NaN, infinity) becomes null. Doubles have the fewest digits
// that read back as the same value. Keys are not checked for being unique. No locale, no
// allocation.
#pragma once

#include <ringlet/base/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringlet {

// Objects inside one another, the line's own counted.
inline constexpr std::size_t json_line_nesting_max = 8;

class JsonLine {
public:
    // Writes to `storage`, which must outlive it.
    explicit JsonLine(std::span<char> storage);
    JsonLine(const JsonLine&) = delete;
    JsonLine& operator=(const JsonLine&) = delete;

    JsonLine& add(std::string_view key, std::string_view value);
    JsonLine& add(std::string_view key, const char* value) {
        return add(key, std::string_view(value));
    }
    JsonLine& add(std::string_view key, double value);
    JsonLine& add(std::string_view key, std::same_as<bool> auto value) {
        return add_boolean(key, value);
    }
    template <std::signed_integral T>
        requires(!std::same_as<T, char>)
    JsonLine& add(std::string_view key, T value) {
        return add_signed(key, value);
    }
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool> && !std::same_as<T, char>)
    JsonLine& add(std::string_view key, T value) {
        return add_unsigned(key, value);
    }
    JsonLine& add_null(std::string_view key);

    // An object as a member. Each open() needs its close() before finish(): asserted.
    JsonLine& open(std::string_view key);
    JsonLine& close();

    // The line with its newline; a view of the storage. not_enough_memory (domain app) if anything
    // did not fit; then there is no line.
    Result<std::string_view> finish();

private:
    JsonLine& add_boolean(std::string_view key, bool value);
    JsonLine& add_signed(std::string_view key, std::int64_t value);
    JsonLine& add_unsigned(std::string_view key, std::uint64_t value);
    void put(std::string_view text);
    void put_key(std::string_view key);
    void put_string(std::string_view text);

    std::span<char> storage_;
    std::size_t size_ = 0;
    std::size_t depth_ = 1;
    bool is_first_ = true;  // no comma before the next member
    bool overflow_ = false;
};

}  // namespace ringlet
