// Host names: which are valid, which are equal, and what a short one stands for.
#pragma once

#include <ringlet/dns/error.hpp>
#include <ringlet/dns/limits.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace ringlet::dns {

// A valid name without the dot at its end.
//
// Errors: name_characters, name_shape, not_ascii.
// Source: RFC 1035, 2.3.1 and 2.3.4; '_' and a digit first are common. RFC 1123, 2.1: the last part
// of a name is not a number.
Result<std::string_view> check_name(std::string_view name);

// ASCII letters are equal in both cases (RFC 4343).
bool same_name(std::string_view one, std::string_view other);

// "localhost", and what ends in ".localhost" (RFC 6761, 6.3).
bool is_localhost(std::string_view name);

// The domains in which short names are looked for. Copied; what is over the bounds is left out.
class SearchList {
public:
    // False if there is no room, or if it is no valid name.
    bool add(std::string_view name);
    void clear() { used_ = 0, count_ = 0; }

    unsigned size() const { return count_; }
    std::string_view operator[](unsigned index) const;

private:
    std::array<char, search_bytes_max> text_{};
    std::array<std::uint8_t, search_max> lengths_{};
    std::uint16_t used_ = 0;
    std::uint8_t count_ = 0;
};

// The names to ask for one after the other: with fewer than `ndots` dots the name in each search
// domain first, then as it is; else the other way round. A dot at the end: as it is, and no more.
class Candidates {
public:
    // `name` is valid; it and the list outlive this.
    Candidates(std::string_view name, const SearchList& search, unsigned ndots);

    // Valid until the next call. Those that are too long are left out.
    std::optional<std::string_view> next();

private:
    std::optional<std::string_view> in_domain(unsigned index);

    std::string_view name_;
    const SearchList& search_;
    unsigned step_ = 0;
    unsigned as_is_at_;  // the step at which the name itself has its turn
    unsigned steps_;
    std::array<char, name_bytes_max> joined_;
};

}  // namespace ringlet::dns
