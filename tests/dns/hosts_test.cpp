// A hosts file, line by line.
#include <ringlet/dns/hosts.hpp>

#include <gtest/gtest.h>

#include <string>

using namespace ringlet;
using namespace ringlet::dns;

namespace {

struct Table {
    HostEntry entries[8];
    char text[64];
    Hosts hosts{entries, text};

    // "192.0.2.1:0 [::1]:0 "
    std::string find(std::string_view name) const {
        Addresses v6;
        Addresses v4;
        hosts.find(name, v6, v4);
        std::string all;
        for (const Addresses* each : {&v4, &v6}) {
            for (const IpAddress& address : *each) {
                all += std::string(text_of(address)) + " ";
            }
        }
        return all;
    }
    static std::string text_of(const IpAddress& address) {
        return ringlet::text(address.with_port(0)).c_str();
    }
};

}  // namespace

TEST(DnsHosts, every_name_of_a_line_has_its_address) {
    Table table;
    table.hosts.read_line("192.0.2.1\tgateway.example gateway  # the router");
    table.hosts.read_line("2001:db8::1 gateway");
    EXPECT_EQ(table.find("gateway.example"), "192.0.2.1:0 ");
    EXPECT_EQ(table.find("GATEWAY"), "192.0.2.1:0 [2001:db8::1]:0 ");
    EXPECT_EQ(table.find("the"), "");
    EXPECT_EQ(table.hosts.size(), 3u);
}

TEST(DnsHosts, garbage_is_passed_over) {
    Table table;
    for (const char* line : {"", "#192.0.2.1 a", "192.0.2.1", "192.0.2 a", "host a",
                             "localhost a", "192.0.2.1 a b@d b", "\xff\xff"}) {
        table.hosts.read_line(line);
    }
    EXPECT_EQ(table.hosts.size(), 2u);
    EXPECT_EQ(table.find("a"), "192.0.2.1:0 ");
    EXPECT_EQ(table.find("b"), "192.0.2.1:0 ");
    EXPECT_EQ(table.hosts.left_out(), 0u);
}

TEST(DnsHosts, names_without_room_are_left_out_and_counted) {
    Table table;
    table.hosts.read_line("192.0.2.1 a b c d e f g h i j");
    EXPECT_EQ(table.hosts.size(), 8u);
    EXPECT_EQ(table.hosts.left_out(), 2u);
    EXPECT_EQ(table.find("h"), "192.0.2.1:0 ");
    EXPECT_EQ(table.find("i"), "");
    table.hosts.clear();
    EXPECT_EQ(table.find("a"), "");
    const std::string name(40, 'x');
    table.hosts.read_line("192.0.2.1 " + name + " " + name + "y short");
    EXPECT_EQ(table.hosts.left_out(), 1u);
    EXPECT_EQ(table.find(name), "192.0.2.1:0 ");
    EXPECT_EQ(table.find("short"), "192.0.2.1:0 ");
}
