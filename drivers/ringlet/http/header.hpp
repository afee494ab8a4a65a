// Headers: names and values.
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

namespace ringlet::http {

struct Header {
    std::string_view name;
    std::string_view value;
};

// Names do not care for case (RFC 9110, 5.1).
bool same_name(std::string_view one, std::string_view other);

// What may stand in a header (RFC 9110, 5.5 and 5.6.2): no CR, LF or NUL, so that a value from
// outside cannot begin another header.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);

// The headers of a response, in the order of their arrival: a view of what the parser has stored,
// "name\0value\0" each.
class Headers {
public:
    class Iterator {
    public:
        using value_type = Header;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(std::string_view rest) : rest_(rest) {}
        Header operator*() const;
        Iterator& operator++();
        Iterator operator++(int) {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

    private:
        std::string_view rest_;
    };

    explicit Headers(std::string_view stored) : stored_(stored) {}
    Iterator begin() const { return Iterator(stored_); }
    Iterator end() const { return Iterator(); }

private:
    std::string_view stored_;
};

// How long a server asks to be left alone, by the value of its header Retry-After: seconds, but no
// more than `most`. Zero if it says nothing, or gives a date.
//
// Source: RFC 9110, 10.2.3.
std::chrono::seconds retry_after(std::optional<std::string_view> value, std::chrono::seconds most);

}  // namespace ringlet::http
