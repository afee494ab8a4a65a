#include <record.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace pipeline {
namespace {

class RecordTest : public testing::Test {
protected:
    ringlet::JsonArena<65536> json_;
    Record record_;

    // Why the line is refused; "" if it is not.
    std::string refusal(std::string_view line) {
        ringlet::FixedText<reason_bytes> why;
        if (parse_record(json_, line, record_, why)) return std::string(why.view());
        EXPECT_GT(why.size(), 0u) << line;
        return std::string(why.view());
    }
};

TEST_F(RecordTest, reads_its_three_members) {
    EXPECT_EQ(refusal(R"({"sensor": "t1", "t": 1760000000.5, "value": -3e2})"), "");
    EXPECT_EQ(record_.sensor.view(), "t1");
    EXPECT_EQ(record_.t, 1760000000.5);
    EXPECT_EQ(record_.value, -300);
}

TEST_F(RecordTest, ignores_order_space_and_further_members) {
    EXPECT_EQ(refusal("\t{\"value\":1,\"unit\":{\"of\":[\"K\",null,true]},"
                      "\"t\":2,\"sensor\":\"x\"} \r"),
              "");
    EXPECT_EQ(record_.sensor.view(), "x");
    EXPECT_EQ(record_.t, 2);
}

TEST_F(RecordTest, takes_numbers_to_the_ends_of_double) {
    EXPECT_EQ(refusal(R"({"sensor":"a","t":-1.7976931348623157e308,"value":5e-324})"), "");
    EXPECT_EQ(record_.t, std::numeric_limits<double>::lowest());
    EXPECT_EQ(record_.value, std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(refusal(R"({"sensor":"a","t":-0.0,"value":123456789012345678901234567890})"), "");
    EXPECT_EQ(record_.value, 123456789012345678901234567890.0);
}

TEST_F(RecordTest, takes_names_of_1_to_63_bytes) {
    const std::string longest(sensor_bytes_max, 'n');
    EXPECT_EQ(refusal("{\"sensor\":\"" + longest + "\",\"t\":1,\"value\":2}"), "");
    EXPECT_EQ(record_.sensor.view(), longest);
    EXPECT_EQ(refusal(R"({"sensor":"\u00e4\n\"","t":1,"value":2})"), "");
    EXPECT_EQ(record_.sensor.view(), "\xC3\xA4\n\"");
    const std::string words = "/sensor: a name has 1 to 63 bytes";
    EXPECT_EQ(refusal("{\"sensor\":\"" + longest + "n\",\"t\":1,\"value\":2}"), words);
    EXPECT_EQ(refusal(R"({"sensor":"","t":1,"value":2})"), words);
}

TEST_F(RecordTest, says_what_is_wrong_and_where) {
    const struct {
        const char* line;
        const char* words;
    } cases[] = {
        {"", "column 1: expected a value, found the end of the text"},
        {"null", "top level: expected an object, found null"},
        {"[]", "top level: expected an object, found an array"},
        {"7", "top level: expected an object, found a number"},
        {"{}", "/sensor: missing"},
        {R"({"sensor":"a"})", "/t: missing"},
        {R"({"sensor":"a","t":1})", "/value: missing"},
        {R"({"t":1,"value":2})", "/sensor: missing"},
        {R"({"Sensor":"a","t":1,"value":2})", "/sensor: missing"},
        {R"({"sensor":1,"t":1,"value":2})", "/sensor: expected a string, found a number"},
        {R"({"sensor":null,"t":1,"value":2})", "/sensor: expected a string, found null"},
        {R"({"sensor":"a","t":"1","value":2})", "/t: expected a number, found a string"},
        {R"({"sensor":"a","t":1,"value":true})", "/value: expected a number, found a boolean"},
        {R"({"sensor":"a","t":1,"value":[2]})", "/value: expected a number, found an array"},
        {R"({"sensor":"a","t":1,"value":2,"t":3})", "/t: duplicate key"},
    };
    for (const auto& each : cases) EXPECT_EQ(refusal(each.line), each.words);
}

TEST_F(RecordTest, refuses_what_is_not_json) {
    for (const char* line : {
             "{", "}", "{\"sensor\":\"a\",\"t\":1,\"value\":2",        // cut off
             "{\"sensor\":\"a\",\"t\":1,\"value\":2}}", "{} {}",       // more behind it
             "{\"sensor\":\"a\",\"t\":01,\"value\":2}",                // no number
             "{\"sensor\":\"a\",\"t\":+1,\"value\":2}", "{\"sensor\":\"a\",\"t\":.5,\"value\":2}",
             "{\"sensor\":\"a\",\"t\":NaN,\"value\":2}", "{\"sensor\":\"a\",\"t\":0x1,\"value\":2}",
             "{\"sensor\":\"a\",\"t\":1e999,\"value\":2}",
             "{'sensor':'a','t':1,'value':2}", "{sensor:\"a\",\"t\":1,\"value\":2}",
             "{\"sensor\":\"a\",\"t\":1,\"value\":2,}",
             "{\"sensor\":\"\xFF\",\"t\":1,\"value\":2}",              // no UTF-8
             "{\"sensor\":\"\xC0\x80\",\"t\":1,\"value\":2}",
             "{\"sensor\":\"\\u0000\",\"t\":1,\"value\":2}",
             "{\"sensor\":\"a\nb\",\"t\":1,\"value\":2}",
             "{\"sensor\":\"\\ud800\",\"t\":1,\"value\":2}",
             "{\"sensor\":\"\\q\",\"t\":1,\"value\":2}",
         }) {
        EXPECT_NE(refusal(line), "") << line;
    }
    EXPECT_NE(refusal(std::string_view("{\"sensor\":\"a\",\"t\":1,\"value\":2}\0", 32)), "");
    EXPECT_NE(refusal(std::string(4000, '[')), "");
    // More values than the arena has room for: refused, not fatal.
    std::string many = "{\"x\":[0";
    for (int i = 0; i < 5000; ++i) many += ",0";
    EXPECT_NE(refusal(many + "],\"sensor\":\"a\",\"t\":1,\"value\":2}").find("does not fit"),
              std::string::npos);
    EXPECT_EQ(refusal(R"({"sensor":"a","t":1,"value":2})"), "");  // and goes on
}

TEST_F(RecordTest, a_reason_is_one_printable_line_of_bounded_size) {
    for (const std::string line : {"\x1b[2J", "{\"\x1b\":1}", "\n\n\nx", "\x7f"}) {
        for (const char c : refusal(line)) EXPECT_FALSE(c < 0x20 || c == 0x7F) << line;
    }
    EXPECT_LT(refusal("{\"" + std::string(3000, 'k') + "\":1,\"" + std::string(3000, 'k') + "\":1}")
                  .size(),
              reason_bytes);
}

// Every beginning of a record, and every single byte changed: accepted as a whole record or refused
// with words, never anything else.
TEST_F(RecordTest, withstands_every_cut_and_many_changes) {
    const std::string good = R"({"sensor":"a\u00e4","t":1.5e3,"value":-2})";
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_NE(refusal(good.substr(0, size)), "");
    }
    unsigned accepted = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string line = good;
            line[at] = static_cast<char>(byte);
            accepted += refusal(line).empty() ? 1 : 0;
        }
    }
    EXPECT_GT(accepted, good.size());
    std::printf("changed bytes: %u of %zu lines are still records\n", accepted, good.size() * 256);
}

}  // namespace
}  // namespace pipeline
