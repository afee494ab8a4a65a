// Which names are valid, and what short ones stand for.
#include <ringlet/dns/name.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace ringlet;
using namespace ringlet::dns;

namespace {

Detail refusal(std::string_view name) {
    const auto checked = check_name(name);
    return checked ? Detail::none : detail_of(checked.error());
}

std::vector<std::string> candidates(std::string_view name, const SearchList& search,
                                    unsigned ndots) {
    std::vector<std::string> all;
    Candidates from(name, search, ndots);
    for (auto next = from.next(); next; next = from.next()) all.emplace_back(*next);
    return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST(DnsName, host_names_are_accepted) {
    for (const char* name :
         {"a", "host", "host.example", "HOST.Example.", "3com.com", "_sip._tcp.x",
          "xn--bcher-kva.example", "1.2.3.4.in-addr.arpa", "a-b", "0x1"}) {
        EXPECT_EQ(refusal(name), Detail::none) << name;
    }
    EXPECT_EQ(check_name("host.example.").value(), "host.example");
}

TEST(DnsName, lengths_are_bounded) {
    const std::string longest_label(63, 'x');
    EXPECT_EQ(refusal(longest_label), Detail::none);
    EXPECT_EQ(refusal(longest_label + "x"), Detail::name_shape);
    const std::string three = longest_label + "." + longest_label + "." + longest_label + ".";
    EXPECT_EQ(refusal(three + std::string(61, 'y')), Detail::none);
    EXPECT_EQ(refusal(three + std::string(61, 'y') + "."), Detail::none);
    EXPECT_EQ(refusal(three + std::string(62, 'y')), Detail::name_shape);
}

TEST(DnsName, what_is_no_host_name_is_refused_with_its_reason) {
    EXPECT_EQ(refusal(""), Detail::name_shape);
    EXPECT_EQ(refusal("."), Detail::name_shape);
    EXPECT_EQ(refusal(".host"), Detail::name_shape);
    EXPECT_EQ(refusal("host..example"), Detail::name_shape);
    EXPECT_EQ(refusal("host.."), Detail::name_shape);
    EXPECT_EQ(refusal("192.0.2"), Detail::name_shape);
    EXPECT_EQ(refusal("300.1.2.3"), Detail::name_shape);
    EXPECT_EQ(refusal("a b"), Detail::name_characters);
    EXPECT_EQ(refusal("host:80"), Detail::name_characters);
    EXPECT_EQ(refusal("a\\.b"), Detail::name_characters);
    EXPECT_EQ(refusal(std::string_view("a\0b", 3)), Detail::name_characters);
    EXPECT_EQ(refusal("b\xc3\xbc" "cher.example"), Detail::not_ascii);
    EXPECT_STREQ(text(error_of(Detail::not_ascii)),
                 "an international host name has to be given in its \"xn--\" form");
}

TEST(DnsName, case_of_letters_does_not_count) {
    EXPECT_TRUE(same_name("Host.EXAMPLE", "hOST.example"));
    EXPECT_FALSE(same_name("host", "host1"));
    EXPECT_FALSE(same_name("[", "{"));
}

TEST(DnsName, localhost_is_also_what_ends_in_it) {
    EXPECT_TRUE(is_localhost("LocalHost"));
    EXPECT_TRUE(is_localhost("app.localhost"));
    EXPECT_FALSE(is_localhost("mylocalhost"));
    EXPECT_FALSE(is_localhost("localhost.example"));
}

TEST(DnsName, short_names_are_looked_for_in_the_search_domains_first) {
    SearchList search;
    EXPECT_TRUE(search.add("one.example"));
    EXPECT_TRUE(search.add("two.example."));
    EXPECT_EQ(candidates("host", search, 1),
              (Names{"host.one.example", "host.two.example", "host"}));
    EXPECT_EQ(candidates("host.x", search, 1),
              (Names{"host.x", "host.x.one.example", "host.x.two.example"}));
    EXPECT_EQ(candidates("host.x", search, 2),
              (Names{"host.x.one.example", "host.x.two.example", "host.x"}));
    EXPECT_EQ(candidates("host.", search, 5), (Names{"host"}));
    EXPECT_EQ(candidates("host", SearchList(), 1), (Names{"host"}));
}

TEST(DnsName, candidates_that_are_too_long_are_left_out) {
    SearchList search;
    EXPECT_TRUE(search.add(std::string(63, 'd') + "." + std::string(63, 'd')));
    EXPECT_TRUE(search.add("short"));
    const std::string name = std::string(63, 'n') + "." + std::string(63, 'n');
    EXPECT_EQ(candidates(name, search, 2), (Names{name + ".short", name}));
}

TEST(DnsName, search_list_is_bounded) {
    SearchList many;
    for (unsigned i = 0; i < search_max; ++i) EXPECT_TRUE(many.add("d" + std::to_string(i)));
    EXPECT_FALSE(many.add("one-more"));
    EXPECT_EQ(many[search_max - 1], "d5");
    SearchList wide;
    const std::string long_domain = std::string(60, 'x') + "." + std::string(60, 'y');
    EXPECT_TRUE(wide.add(long_domain));
    EXPECT_TRUE(wide.add(long_domain));
    EXPECT_FALSE(wide.add(long_domain));
    EXPECT_FALSE(wide.add("not valid"));
    EXPECT_EQ(wide.size(), 2u);
    EXPECT_EQ(wide[1], long_domain);
}
