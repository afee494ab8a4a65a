#include <file_name.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fetch {
namespace {

TEST(FileName, can_neither_leave_the_folder_nor_take_another_s_place) {
    const struct {
        std::uint64_t number;
        const char* url;
        const char* name;
    } cases[] = {
        {1, "http://host/a/page.html", "000001-page.html"},
        {2, "http://host/a/page.html?x=../../etc#y", "000002-page.html"},
        {3, "http://host/", "000003-host"},
        {4, "http://host:8080", "000004-host_8080"},
        {5, "http://host/a/", "000005-host"},
        {6, "http://host/..", "000006-.."},
        {7, "http://host/%2e%2e%2fetc", "000007-_2e_2e_2fetc"},
        {8, "http://host/\x1b[31m\n\xff~", "000008-__31m___"},
        {999'999, "http://[::1]:80/", "999999-___1__80"},
        {1'000'000, "http://host?a/b/c", "1000000-host"},
        {18'446'744'073'709'551'615u,
         "http://host/0123456789012345678901234567890123456789012345678901234567890123456789",
         "18446744073709551615-012345678901234567890123456789012345678901234567"},
    };
    std::set<std::string> seen;
    for (const auto& each : cases) {
        ringlet::FixedText<file_name_bytes_max + 1> name;
        append_file_name(name, each.number, each.url);
        EXPECT_STREQ(name.c_str(), each.name);
        EXPECT_FALSE(name.is_truncated());
        EXPECT_TRUE(seen.insert(name.c_str()).second);
    }
}

}  // namespace
}  // namespace fetch
