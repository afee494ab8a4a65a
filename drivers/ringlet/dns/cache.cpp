// Answers that are still good.
#include <ringlet/dns/cache.hpp>

#include <ringlet/dns/name.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::dns {
namespace {

bool is_of(const CacheEntry& entry, std::string_view name, Family family) {
    return entry.good_until != 0 && entry.family == family &&
           same_name({entry.name.data(), entry.length}, name);
}

}  // namespace

const Addresses* Cache::find(std::string_view name, Family family, Instant now) const {
    for (const CacheEntry& each : entries_) {
        if (now < each.good_until && is_of(each, name, family)) return &each.addresses;
    }
    return nullptr;
}

void Cache::store(std::string_view name, Family family, const Addresses& addresses,
                  Instant good_until) {
    if (entries_.empty()) return;
    CacheEntry& place = place_for(name, family);
    place.addresses = addresses;
    place.good_until = good_until;
    place.family = family;
    place.length = static_cast<std::uint8_t>(name.size());
    std::memcpy(place.name.data(), name.data(), name.size());
}

CacheEntry& Cache::place_for(std::string_view name, Family family) {
    for (CacheEntry& each : entries_) {
        if (is_of(each, name, family)) return each;
    }
    return *std::ranges::min_element(entries_, {}, &CacheEntry::good_until);
}

void Cache::clear() {
    for (CacheEntry& each : entries_) each.good_until = 0;
}

}  // namespace ringlet::dns
