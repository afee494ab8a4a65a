// Addresses and the order in which they are tried.
#include <ringlet/dns/addresses.hpp>

#include <gtest/gtest.h>

#include <string>

using namespace ringlet;
using namespace ringlet::dns;

namespace {

IpAddress ip(const std::string& text) {
    return IpAddress(parse_address(text, 0).value());
}

Addresses many(const std::string& prefix, int count) {
    Addresses all;
    for (int i = 1; i <= count; ++i) all.add(ip(prefix + std::to_string(i)));
    return all;
}

std::string order_of(const Addresses& all) {
    std::string order;
    for (const IpAddress& each : all) order += text(each.with_port(80)).c_str(), order += " ";
    return order;
}

}  // namespace

TEST(DnsAddresses, come_back_as_they_went_in) {
    for (const char* each : {"192.0.2.7:443", "[2001:db8::7]:443", "[fe80::1%3]:443"}) {
        const SocketAddress address = parse_address(each).value();
        EXPECT_STREQ(text(IpAddress(address).with_port(443)).c_str(), each);
    }
    EXPECT_EQ(ip("192.0.2.7").family(), Family::v4);
    EXPECT_EQ(ip("::7").family(), Family::v6);
    EXPECT_FALSE(ip("fe80::1%3") == ip("fe80::1%4"));
}

TEST(DnsAddresses, each_is_there_once_and_no_more_than_the_limit) {
    Addresses all;
    for (unsigned i = 0; i < addresses_max; ++i) {
        EXPECT_TRUE(all.add(ip("10.0.0." + std::to_string(i))));
    }
    EXPECT_TRUE(all.add(ip("10.0.0.3")));
    EXPECT_FALSE(all.add(ip("10.0.1.0")));
    EXPECT_EQ(all.size(), addresses_max);
}

TEST(DnsAddresses, are_tried_in_turn_beginning_with_version_6) {
    EXPECT_EQ(order_of(interleaved(many("::", 2), many("10.0.0.", 3))),
              "[::1]:80 10.0.0.1:80 [::2]:80 10.0.0.2:80 10.0.0.3:80 ");
    EXPECT_EQ(order_of(interleaved(many("::", 3), many("10.0.0.", 1))),
              "[::1]:80 10.0.0.1:80 [::2]:80 [::3]:80 ");
    EXPECT_EQ(order_of(interleaved({}, many("10.0.0.", 1))), "10.0.0.1:80 ");
    EXPECT_EQ(order_of(interleaved({}, {})), "");
}

TEST(DnsAddresses, neither_kind_crowds_out_the_other) {
    const Addresses all = interleaved(many("::", 9), many("10.0.0.", addresses_max));
    EXPECT_EQ(all.size(), addresses_max);
    EXPECT_EQ(all[14], ip("::8"));
    EXPECT_EQ(all[15], ip("10.0.0.8"));
}

TEST(DnsAddresses, that_come_late_have_their_turn_next) {
    Addresses v6;
    const Addresses v4 = many("10.0.0.", 3);
    Alternation order;
    EXPECT_EQ(order.next(v6, v4), ip("10.0.0.1"));
    v6.add(ip("::1"));
    EXPECT_EQ(order.next(v6, v4), ip("::1"));
    EXPECT_EQ(order.next(v6, v4), ip("10.0.0.2"));
    EXPECT_EQ(order.next(v6, v4), ip("10.0.0.3"));
    EXPECT_FALSE(order.has_next(v6, v4));
    EXPECT_EQ(order.next(v6, v4), std::nullopt);
}
