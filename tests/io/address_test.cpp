// Addresses as text.
#include <ringlet/io/address.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/un.h>

using namespace ringlet;

namespace {

std::string round_trip(std::string_view given) {
    const auto address = parse_address(given);
    if (!address) return ringlet::text(address.error());
    return std::string(text(*address).view());
}

}  // namespace

TEST(Addresses, are_printed_as_they_are_parsed) {
    for (const char* each : {"127.0.0.1:8080", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8080",
                             "[::]:0", "[2001:db8::7]:443", "[fe80::1%2]:80"}) {
        EXPECT_EQ(round_trip(each), each);
    }
}

TEST(Addresses, have_the_family_and_size_that_the_kernel_wants) {
    const auto v4 = parse_address("127.0.0.1:80");
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->storage.ss_family, AF_INET);
    EXPECT_EQ(v4->size, sizeof(sockaddr_in));
    EXPECT_EQ(port_of(*v4), 80);
    const auto v6 = parse_address("[::1]:80");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->storage.ss_family, AF_INET6);
    EXPECT_EQ(v6->size, sizeof(sockaddr_in6));
    EXPECT_EQ(port_of(*v6), 80);
}

TEST(Addresses, of_the_machine_itself_and_of_all_its_networks) {
    EXPECT_EQ(text(loopback_address(1)).view(), "127.0.0.1:1");
    EXPECT_EQ(text(loopback_address_v6(1)).view(), "[::1]:1");
    EXPECT_EQ(text(any_address(1)).view(), "0.0.0.0:1");
    EXPECT_EQ(text(any_address_v6(1)).view(), "[::]:1");
    EXPECT_EQ(round_trip("localhost:80"), "127.0.0.1:80");
}

TEST(Addresses, refuse_names_with_an_error_of_their_own) {
    for (const char* each : {"example.org:80", "gateway:1", "a_b:2"}) {
        const auto address = parse_address(each);
        ASSERT_FALSE(address) << each;
        EXPECT_EQ(address.error(), std::errc::destination_address_required) << each;
    }
}

TEST(Addresses, refuse_what_is_none) {
    for (const char* each :
         {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
          "127.0.0.1:+1", "127.0.0.1: 80", "127.0.0.1:80 ", "1.2.3:80", "1.2.3.4.5:80",
          "256.0.0.1:80", "::1:80", "[::1]", "[::1]80", "[127.0.0.1]:80", "[::1:80", "::1]:80",
          "[fe80::1%]:80", "[fe80::1%eth0]:80", "[]:80", "[[::1]]:80", "1:2:3", "a b:80",
          "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"}) {
        const auto address = parse_address(each);
        EXPECT_TRUE(!address && address.error() == std::errc::invalid_argument) << each;
    }
    EXPECT_FALSE(parse_address(std::string_view("127.0.0.1\0x:80", 14)));
}

TEST(Addresses, of_other_families_are_only_named) {
    SocketAddress local;
    local.storage.ss_family = AF_VSOCK;
    local.size = sizeof local.storage;
    EXPECT_EQ(text(local).view(), "(family 40)");
    EXPECT_EQ(port_of(local), 0);
}

TEST(Addresses, of_unix_sockets_are_paths_or_names) {
    const auto path = unix_address("/run/app.sock");
    ASSERT_TRUE(path);
    EXPECT_EQ(path->storage.ss_family, AF_UNIX);
    EXPECT_EQ(path->size, offsetof(sockaddr_un, sun_path) + 14);  // with its NUL
    EXPECT_EQ(text(*path).view(), "unix:/run/app.sock");
    EXPECT_EQ(port_of(*path), 0);
    const auto name = unix_address("@name");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->size, offsetof(sockaddr_un, sun_path) + 5);  // without one
    EXPECT_EQ(text(*name).view(), "unix:@name");
}

TEST(Addresses, of_unix_sockets_have_a_longest_and_a_shortest) {
    const std::string longest(107, 'x');
    const auto fits = unix_address(longest);
    ASSERT_TRUE(fits);
    EXPECT_EQ(text(*fits).view(), "unix:" + longest);
    EXPECT_EQ(unix_address(longest + "x").error(), std::errc::filename_too_long);
    EXPECT_EQ(unix_address("").error(), std::errc::invalid_argument);
    EXPECT_EQ(unix_address(std::string_view("a\0b", 3)).error(), std::errc::invalid_argument);
    SocketAddress nameless;
    nameless.storage.ss_family = AF_UNIX;
    nameless.size = sizeof(sa_family_t);
    EXPECT_EQ(text(nameless).view(), "unix:");
    EXPECT_EQ(text(SocketAddress()).view(), "(no address)");
    // The kernel may give a path that fills all of sun_path, without a NUL.
    SocketAddress full = *fits;
    full.size = sizeof(sockaddr_un);
    std::memset(reinterpret_cast<char*>(&full.storage) + offsetof(sockaddr_un, sun_path), 'y', 108);
    EXPECT_EQ(text(full).view(), "unix:" + std::string(108, 'y'));
}
