// Endpoints, as people write them.
#include <endpoint.hpp>

#include <gtest/gtest.h>

#include <string>

namespace timeout_app {
namespace {

using Kind = Endpoint::Kind;

TEST(Endpoint, is_read_in_its_parts) {
    const struct {
        const char* text;
        Kind kind;
        const char* host;
        unsigned port;
        bool has_name;
    } cases[] = {
        {"tcp://192.0.2.7:80", Kind::tcp, "192.0.2.7", 80, false},
        {"tcp://[2001:db8::7]:65535", Kind::tcp, "2001:db8::7", 65535, false},
        {"tcp://device.example:1", Kind::tcp, "device.example", 1, true},
        {"tcp://host_1-a.example.:22", Kind::tcp, "host_1-a.example.", 22, true},
        {"http://192.0.2.7", Kind::http, "192.0.2.7", 80, false},
        {"http://192.0.2.7:8080/a?b=c#d", Kind::http, "192.0.2.7", 8080, false},
        {"http://[::1]:81/", Kind::http, "::1", 81, false},
        {"http://device.example", Kind::http, "device.example", 80, true},
    };
    for (const auto& each : cases) {
        ringlet::FixedText<256> why;
        const auto endpoint = parse_endpoint(each.text, why);
        ASSERT_TRUE(endpoint.has_value()) << each.text << ": " << why.view();
        EXPECT_EQ(endpoint->kind, each.kind) << each.text;
        EXPECT_EQ(endpoint->text, each.text);
        EXPECT_EQ(endpoint->host, each.host);
        EXPECT_EQ(endpoint->port, each.port) << each.text;
        EXPECT_EQ(endpoint->has_name(), each.has_name) << each.text;
    }
}

TEST(Endpoint, may_be_a_unix_socket) {
    for (const char* const text : {"unix:/run/a.socket", "unix:relative", "unix:@abstract"}) {
        ringlet::FixedText<256> why;
        const auto endpoint = parse_endpoint(text, why);
        ASSERT_TRUE(endpoint.has_value()) << why.view();
        EXPECT_EQ(endpoint->kind, Kind::unix_socket);
        EXPECT_EQ("unix:" + std::string(endpoint->path), text);
        EXPECT_FALSE(endpoint->has_name());
    }
}

TEST(Endpoint, may_be_a_serial_line_with_a_request) {
    const struct {
        const char* text;
        const char* path;
        const char* device;
        const char* request;
    } cases[] = {
        {"serial:/dev/ttyS0,send=PING", "/dev/ttyS0", "/dev/ttyS0", "PING"},
        {"serial:/dev/ttyS0,19200,7E2,rtscts,send=MEAS? 1,0.1", "/dev/ttyS0,19200,7E2,rtscts",
         "/dev/ttyS0", "MEAS? 1,0.1"},
        {"serial:tty,9600,send=a,send=b", "tty,9600", "tty", "a,send=b"},
        {R"(serial:tty,send=\x0d)", "tty", "tty", R"(\x0d)"},
    };
    for (const auto& each : cases) {
        ringlet::FixedText<256> why;
        const auto endpoint = parse_endpoint(each.text, why);
        ASSERT_TRUE(endpoint.has_value()) << why.view();
        EXPECT_EQ(endpoint->kind, Kind::serial);
        EXPECT_EQ(endpoint->path, each.path);
        EXPECT_EQ(endpoint->device(), each.device);
        EXPECT_EQ(endpoint->request, each.request);
        EXPECT_FALSE(endpoint->has_name());
    }
}

TEST(Endpoint, that_is_none_is_refused_with_a_reason) {
    const std::string long_path = "unix:/" + std::string(107, 'x');
    const std::string long_url = "http://192.0.2.7/" + std::string(endpoint_bytes_max, 'x');
    const std::string full_request = "serial:tty,send=" + std::string(128, 'x');
    const struct {
        std::string text;
        const char* words;
    } cases[] = {
        {"", "is no endpoint"},
        {"192.0.2.7:80", "is no endpoint"},
        {"ftp://192.0.2.7", "is no endpoint"},
        {"TCP://192.0.2.7:80", "is no endpoint"},
        {"https://192.0.2.7", "there is no TLS"},
        {"tcp://", "needs a host and a port"},
        {"tcp://192.0.2.7", "needs a host and a port"},
        {"tcp://:80", "needs a host and a port"},
        {"tcp://::1:80", "needs a host and a port"},
        {"tcp://[]:80", "needs a host and a port"},
        {"tcp://[192.0.2.7]:80", "needs a host and a port"},
        {"tcp://[::1]", "port"},
        {"tcp://[::g]:80", "no IPv6 address"},
        {"tcp://192.0.2.7:", "from 1 to 65535"},
        {"tcp://192.0.2.7:0", "from 1 to 65535"},
        {"tcp://192.0.2.7:65536", "from 1 to 65535"},
        {"tcp://192.0.2.7:80/x", "from 1 to 65535"},
        {"tcp://192.0.2.7:8 0", "from 1 to 65535"},
        {"tcp://192.0.2:80", ""},  // the resolver's words
        {"tcp://a..b:80", ""},
        {"tcp://a b:80", ""},
        {"tcp://m\xc3\xbcller.example:80", ""},
        {"http://", "not an http:// URL"},
        {"http://a b/", "not an http:// URL"},
        {"http://host:0/", "not an http:// URL"},
        {"http://user:secret@host/", "user"},
        {"unix:", "needs a path"},
        {long_path, "1 to 107 bytes"},
        {"serial:/dev/ttyS0", "needs a request"},
        {"serial:/dev/ttyS0,9600,sent=x", "needs a request"},
        {"serial:,send=x", "1 to 255 bytes"},
        {"serial:send=x", "needs a request"},
        {"serial:/dev/ttyS0,fast,send=x", "written as in 115200,8N1"},
        {R"(serial:tty,send=\q)", "as in C"},
        {R"(serial:tty,send=\)", "as in C"},
        {R"(serial:tty,send=\x)", "as in C"},
        {R"(serial:tty,send=\xf)", "as in C"},
        {R"(serial:tty,send=\xfg)", "as in C"},
        {R"(serial:tty,send=\x-1)", "as in C"},
        {full_request, "at most 128 bytes"},
        {full_request + "x", "at most 128 bytes"},
        {long_url, "at most 1024 bytes"},
    };
    for (const auto& each : cases) {
        ringlet::FixedText<256> why;
        EXPECT_FALSE(parse_endpoint(each.text, why).has_value()) << each.text;
        EXPECT_GT(why.size(), 5u) << each.text;
        EXPECT_NE(why.view().find(each.words), std::string_view::npos)
            << each.text << ": " << why.view();
    }
}

}  // namespace
}  // namespace timeout_app
