// Cache: answers that are still good, in memory of a fixed size.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/dns/addresses.hpp>

#include <array>
#include <span>
#include <string_view>

namespace ringlet::dns {

struct CacheEntry {
    Addresses addresses;     // empty: it is known that there are none
    Instant good_until = 0;  // 0: the place is free
    Family family = Family::v4;
    std::uint8_t length = 0;
    std::array<char, name_bytes_max> name{};
};

class Cache {
public:
    // The caller's; outlives this. May be empty.
    explicit Cache(std::span<CacheEntry> entries) : entries_(entries) {}

    // What is known of a name and is still good at `now`; null if nothing is. Valid until the next
    // store().
    const Addresses* find(std::string_view name, Family family, Instant now) const;

    // Remembers an answer until `good_until`; in the place of what ends soonest, if it is full.
    void store(std::string_view name, Family family, const Addresses& addresses,
               Instant good_until);

    void clear();

private:
    CacheEntry& place_for(std::string_view name, Family family);

    std::span<CacheEntry> entries_;
};

}  // namespace ringlet::dns
