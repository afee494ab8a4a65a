// Taking URLs apart, and resolving the relative ones of redirects.
#include <ringlet/http/error.hpp>
#include <ringlet/http/url.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

using namespace ringlet;
using http::Reason;

namespace {

Reason refusal_of(std::string_view text) {
    const auto parsed = http::parse_url(text);
    EXPECT_FALSE(parsed.has_value()) << text;
    return parsed ? Reason::none : http::reason_of(parsed.error());
}

struct Parsed {
    std::string_view text;
    std::string_view host;
    unsigned port;
    std::string_view target;
    bool is_v6 = false;
};

constexpr Parsed parsed_urls[] = {
    {"http://device.example", "device.example", 80, ""},
    {"http://device.example/", "device.example", 80, "/"},
    {"http://192.0.2.7:8080/a/b?c=d&e", "192.0.2.7", 8080, "/a/b?c=d&e"},
    {"HTTP://Device.Example:/x", "Device.Example", 80, "/x"},
    {"http://host?query", "host", 80, "?query"},
    {"http://host?a/b", "host", 80, "?a/b"},
    {"http://host/path#fragment", "host", 80, "/path"},
    {"http://host#fragment", "host", 80, ""},
    {"http://host?q#f?g", "host", 80, "?q"},
    {"http://[::1]/", "::1", 80, "/", true},
    {"http://[2001:db8::7]:65535/x", "2001:db8::7", 65535, "/x", true},
    {"http://under_score-dash.example.:1/", "under_score-dash.example.", 1, "/"},
    {"http://h//double//slash", "h", 80, "//double//slash"},
    {"http://h/%20%zz", "h", 80, "/%20%zz"},
    {"http://h/a:b@c", "h", 80, "/a:b@c"},
};

// The examples of RFC 3986, 5.4, against http://a/b/c/d;p?q.
struct Resolved {
    std::string_view reference;
    std::string_view url;
};

constexpr Resolved rfc_examples[] = {
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"},
    {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
};

std::string resolved(std::string_view base, std::string_view reference) {
    std::array<char, 256> room;
    const auto done = http::resolve_url(base, reference, room);
    return done ? std::string(*done) : std::string(text(done.error()));
}

}  // namespace

TEST(HttpUrl, is_taken_apart) {
    for (const Parsed& each : parsed_urls) {
        SCOPED_TRACE(each.text);
        const auto url = http::parse_url(each.text);
        ASSERT_TRUE(url.has_value());
        EXPECT_EQ(url->host, each.host);
        EXPECT_EQ(url->port, each.port);
        EXPECT_EQ(url->target, each.target);
        EXPECT_EQ(url->is_v6, each.is_v6);
    }
}

TEST(HttpUrl, is_refused_where_it_is_none) {
    for (const std::string_view each : {"",
                                        "/",
                                        "host",
                                        "host/path",
                                        "host:80/",
                                        "http:",
                                        "http:/host",
                                        "http://",
                                        "http:///path",
                                        "http://?q",
                                        "http://:80/",
                                        "ftp://host/",
                                        "httpx://host/",
                                        "http://host:0/",
                                        "http://host:65536/",
                                        "http://host:-1/",
                                        "http://host:8o/",
                                        "http://ho st/",
                                        "http://host/a b",
                                        "http://host/\r\nX: y",
                                        "http://host/\x7f",
                                        "http://host/\xc3\xbc",
                                        "http://h\xc3\xbcst/",
                                        "http://[::1",
                                        "http://[::1]x/",
                                        "http://[]/",
                                        "http://[1.2.3.4]/",
                                        "http://[::g]/",
                                        "http://[fe80::1%2]/",
                                        "http://::1/",
                                        "http://host\\/",
                                        "http://a,b/",
                                        "http://%41/"}) {
        EXPECT_EQ(refusal_of(each), Reason::url) << each;
    }
    EXPECT_EQ(refusal_of(std::string_view("http://host/\0", 13)), Reason::url);
    EXPECT_EQ(refusal_of("http://" + std::string(254, 'a') + "/"), Reason::url);
    EXPECT_TRUE(http::parse_url("http://" + std::string(253, 'a')).has_value());
}

TEST(HttpUrl, says_in_one_sentence_that_https_cannot_be_spoken) {
    for (const std::string_view each : {"https://host/", "HTTPS://host"}) {
        const auto parsed = http::parse_url(each);
        ASSERT_FALSE(parsed.has_value());
        EXPECT_EQ(http::kind_of(parsed.error()), http::Kind::request);
        EXPECT_STREQ(text(parsed.error()),
                     "https:// cannot be spoken: there is no TLS here, use http://");
    }
}

TEST(HttpUrl, has_no_place_for_a_password) {
    EXPECT_EQ(refusal_of("http://user@host/"), Reason::credentials);
    EXPECT_EQ(refusal_of("http://user:secret@host/"), Reason::credentials);
}

TEST(HttpUrl, names_the_same_host_whatever_the_case) {
    EXPECT_TRUE((http::HostKey{"Host", 80} == http::HostKey{"hOST", 80}));
    EXPECT_FALSE((http::HostKey{"host", 80} == http::HostKey{"host", 81}));
    EXPECT_FALSE((http::HostKey{"host", 80} == http::HostKey{"hosts", 80}));
}

TEST(HttpUrl, is_resolved_as_in_the_examples_of_the_rfc) {
    for (const Resolved& each : rfc_examples) {
        EXPECT_EQ(resolved("http://a/b/c/d;p?q", each.reference), each.url) << each.reference;
    }
}

TEST(HttpUrl, is_resolved_against_bases_without_a_path_or_with_a_port) {
    EXPECT_EQ(resolved("http://a", "g"), "http://a/g");
    EXPECT_EQ(resolved("http://a?q", "g"), "http://a/g");
    EXPECT_EQ(resolved("http://a?q", "?r"), "http://a?r");
    EXPECT_EQ(resolved("http://a", ".."), "http://a/");
    EXPECT_EQ(resolved("http://a:8080/x", "/y"), "http://a:8080/y");
    EXPECT_EQ(resolved("http://[::1]:8080/x", "y"), "http://[::1]:8080/y");
    EXPECT_EQ(resolved("http://a:8080/x", "//b:1/y/../z"), "http://b:1/z");
    EXPECT_EQ(resolved("http://a/b/../c/d", "e"), "http://a/c/e");
    EXPECT_EQ(resolved("http://a/b/c", "x:1/y"), text(http::make_error(Reason::url, {})));
    EXPECT_EQ(resolved("http://a/b/c", "./x:1/y"), "http://a/b/x:1/y");
    EXPECT_EQ(resolved("http://a/", "http://b/c#d"), "http://b/c");
}

TEST(HttpUrl, is_refused_where_it_resolves_to_what_cannot_be_asked) {
    EXPECT_EQ(resolved("http://a/", "https://a/"), text(http::make_error(Reason::https, {})));
    EXPECT_EQ(resolved("http://a/", "http:g"), text(http::make_error(Reason::url, {})));
    EXPECT_EQ(resolved("http://a/", "mailto:x"), text(http::make_error(Reason::url, {})));
    EXPECT_EQ(resolved("http://a/", "/a b"), text(http::make_error(Reason::url, {})));
    EXPECT_EQ(resolved("http://a/", "//user@b/"), text(http::make_error(Reason::credentials, {})));
}

TEST(HttpUrl, is_refused_where_it_outgrows_its_room) {
    std::array<char, 10> room;
    EXPECT_TRUE(http::resolve_url("http://a/", "/b", room).has_value());
    const auto longer = http::resolve_url("http://a/", "/bc", room);
    ASSERT_FALSE(longer.has_value());
    EXPECT_EQ(http::reason_of(longer.error()), Reason::url_bytes);
    EXPECT_EQ(http::kind_of(longer.error()), http::Kind::limit);
}
