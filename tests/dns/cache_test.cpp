// Answers that are remembered.
#include <ringlet/dns/cache.hpp>

#include <gtest/gtest.h>

using namespace ringlet;
using namespace ringlet::dns;

namespace {

Addresses addresses_of(const char* text) {
    Addresses addresses;
    addresses.add(IpAddress(parse_address(text, 0).value()));
    return addresses;
}

}  // namespace

TEST(DnsCache, gives_an_answer_until_its_time_is_over) {
    CacheEntry entries[2];
    Cache cache(entries);
    cache.store("Host.example", Family::v4, addresses_of("192.0.2.1"), 100);
    const Addresses* const found = cache.find("host.EXAMPLE", Family::v4, 99);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ((*found)[0], addresses_of("192.0.2.1")[0]);
    EXPECT_EQ(cache.find("host.example", Family::v4, 100), nullptr);
    EXPECT_EQ(cache.find("host.example", Family::v6, 99), nullptr);
    EXPECT_EQ(cache.find("host.exampl", Family::v4, 99), nullptr);
    cache.clear();
    EXPECT_EQ(cache.find("host.example", Family::v4, 99), nullptr);
}

TEST(DnsCache, new_answer_takes_the_place_of_the_same_name) {
    CacheEntry entries[2];
    Cache cache(entries);
    cache.store("a", Family::v4, addresses_of("192.0.2.1"), 100);
    cache.store("b", Family::v4, addresses_of("192.0.2.2"), 50);
    cache.store("A", Family::v4, addresses_of("192.0.2.3"), 20);
    EXPECT_EQ((*cache.find("a", Family::v4, 0))[0], addresses_of("192.0.2.3")[0]);
    EXPECT_NE(cache.find("b", Family::v4, 0), nullptr);
}

TEST(DnsCache, full_cache_forgets_what_ends_soonest) {
    CacheEntry entries[2];
    Cache cache(entries);
    cache.store("a", Family::v4, addresses_of("192.0.2.1"), 100);
    cache.store("b", Family::v4, addresses_of("192.0.2.2"), 50);
    cache.store("c", Family::v4, addresses_of("192.0.2.3"), 20);
    EXPECT_NE(cache.find("a", Family::v4, 0), nullptr);
    EXPECT_EQ(cache.find("b", Family::v4, 0), nullptr);
    EXPECT_NE(cache.find("c", Family::v4, 0), nullptr);
}

TEST(DnsCache, cache_without_room_remembers_nothing) {
    Cache cache({});
    cache.store("a", Family::v4, addresses_of("192.0.2.1"), 100);
    EXPECT_EQ(cache.find("a", Family::v4, 0), nullptr);
    cache.clear();
}
