// resolv.conf, line by line.
#include <ringlet/dns/config.hpp>
#include <ringlet/io/address.hpp>

#include <gtest/gtest.h>

#include <string>

using namespace std::chrono_literals;
using namespace ringlet;
using namespace ringlet::dns;

TEST(DnsConfig, servers_come_in_the_order_of_their_lines) {
    Config config;
    EXPECT_TRUE(config.read_line("nameserver 192.0.2.1"));
    EXPECT_TRUE(config.read_line("nameserver\t2001:db8::53   # the other"));
    EXPECT_TRUE(config.read_line("nameserver fe80::1%2"));
    ASSERT_EQ(config.servers(), 3u);
    EXPECT_STREQ(text(config.server(0)).c_str(), "192.0.2.1:53");
    EXPECT_STREQ(text(config.server(1)).c_str(), "[2001:db8::53]:53");
    EXPECT_STREQ(text(config.server(2)).c_str(), "[fe80::1%2]:53");
    EXPECT_FALSE(config.read_line("nameserver 192.0.2.4")) << "a fourth";
    EXPECT_EQ(config.servers(), 3u);
}

TEST(DnsConfig, last_search_line_counts) {
    Config config;
    EXPECT_TRUE(config.read_line("search one.example two.example"));
    EXPECT_TRUE(config.read_line("domain three.example"));
    ASSERT_EQ(config.search.size(), 1u);
    EXPECT_EQ(config.search[0], "three.example");
    EXPECT_TRUE(config.read_line("search ."));
    EXPECT_EQ(config.search.size(), 0u);
    EXPECT_FALSE(config.read_line("search good.example b@d.example fine.example"));
    ASSERT_EQ(config.search.size(), 2u);
    EXPECT_EQ(config.search[1], "fine.example");
}

TEST(DnsConfig, options_are_read_and_cut_to_their_bounds) {
    Config config;
    EXPECT_TRUE(config.read_line("options ndots:3 timeout:2 attempts:4 rotate edns0 trust-ad"));
    EXPECT_EQ(config.ndots, 3u);
    EXPECT_EQ(config.timeout, Nanoseconds(2s));
    EXPECT_EQ(config.attempts, 4u);
    EXPECT_TRUE(config.rotate);
    EXPECT_TRUE(config.read_line("options ndots:99 timeout:99999999999 attempts:0"));
    EXPECT_EQ(config.ndots, 15u);
    EXPECT_EQ(config.timeout, Nanoseconds(30s));
    EXPECT_EQ(config.attempts, 1u);
}

TEST(DnsConfig, garbage_is_refused_and_changes_nothing) {
    Config config;
    for (const char* line : {"nameserver", "nameserver host.example", "nameserver 1.2.3",
                             "nameserver 192.0.2.1:53", "options ndots:", "options timeout:x",
                             "options attempts:-1", "options ndots:1x"}) {
        EXPECT_FALSE(config.read_line(line)) << line;
    }
    EXPECT_EQ(config.servers(), 0u);
    EXPECT_EQ(config.ndots, 1u);
    EXPECT_EQ(config.timeout, Nanoseconds(5s));
    EXPECT_EQ(config.attempts, 2u);
}

TEST(DnsConfig, all_other_lines_say_nothing) {
    Config config;
    for (const char* line : {"", "   ", "# nameserver 192.0.2.1", "; nameserver 192.0.2.1",
                             "sortlist 192.0.2.0", "NAMESERVER 192.0.2.1", "\xff\xfe"}) {
        EXPECT_TRUE(config.read_line(line)) << line;
    }
    EXPECT_EQ(config.servers(), 0u);
}
