#include <ringlet/app/json.hpp>

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace ringlet {
namespace {

class JsonTest : public testing::Test {
protected:
    JsonArena<16384> json_;

    std::string refusal(std::string_view text) {
        const auto document = json_.parse(text);
        return document ? "accepted" : json_.message();
    }
    // The message after `read` failed on the root.
    template <class Read>
    std::string complaint(std::string_view text, Read read) {
        const auto document = json_.parse(text);
        if (!document) return json_.message();
        const auto result = read(document->root());
        return result ? "accepted" : json_.message();
    }
};

TEST_F(JsonTest, reads_a_record) {
    const auto document = json_.parse("{\"sensor\": \"t1\", \"t\": 12.5, \"value\": -3e2}");
    ASSERT_TRUE(document);
    const JsonValue root = document->root();
    EXPECT_EQ(root.string("sensor").value(), "t1");
    EXPECT_EQ(root.number("t").value(), 12.5);
    EXPECT_EQ(root.integer("value").value(), -300);
}

TEST_F(JsonTest, reads_a_record_into_variables) {
    const auto document = json_.parse(
        "{\"s\":\"x\",\"d\":1.5,\"i\":7,\"b\":true,\"v\":[1]}");
    ASSERT_TRUE(document);
    std::string_view s;
    std::string_view absent = "default";
    double d = 0;
    std::int64_t i = 0;
    bool b = false;
    std::optional<JsonValue> v;
    const auto read = document->root().read(
        {JsonField::required("s", s), JsonField::required("d", d),
         JsonField::required("i", i, 0, 7), JsonField::optional("b", b),
         JsonField::optional("v", v), JsonField::optional("absent", absent)});
    ASSERT_TRUE(read) << json_.message();
    EXPECT_EQ(s, "x");
    EXPECT_EQ(d, 1.5);
    EXPECT_EQ(i, 7);
    EXPECT_TRUE(b);
    EXPECT_EQ(v->size(), 1u);
    EXPECT_EQ(absent, "default");
}

TEST_F(JsonTest, read_refuses_unknown_missing_and_wrong_fields_by_pointer) {
    double t = 0;
    std::int64_t n = 0;
    const auto read = [&](JsonValue root) {
        return root.read({JsonField::required("t", t), JsonField::optional("n", n, 1, 9)});
    };
    EXPECT_EQ(complaint("{\"t\":1,\"wrkers\":2}", read), "/wrkers: unknown key");
    EXPECT_EQ(complaint("{\"T\":1}", read), "/T: unknown key");
    EXPECT_EQ(complaint("{}", read), "/t: missing");
    EXPECT_EQ(complaint("{\"t\":\"1\"}", read), "/t: expected a number, found a string");
    EXPECT_EQ(complaint("{\"t\":1,\"n\":null}", read), "/n: expected a number, found null");
    EXPECT_EQ(complaint("{\"t\":1,\"n\":10}", read), "/n: 10 is not between 1 and 9");
    EXPECT_EQ(complaint("[]", read), "top level: expected an object, found an array");
}

TEST_F(JsonTest, names_each_kind) {
    const auto number = [](JsonValue root) { return root.number("k"); };
    EXPECT_EQ(complaint("{\"k\":null}", number), "/k: expected a number, found null");
    EXPECT_EQ(complaint("{\"k\":true}", number), "/k: expected a number, found a boolean");
    EXPECT_EQ(complaint("{\"k\":[]}", number), "/k: expected a number, found an array");
    EXPECT_EQ(complaint("{\"k\":{}}", number), "/k: expected a number, found an object");
    EXPECT_EQ(complaint("{\"k\":1}", [](JsonValue root) { return root.string("k"); }),
              "/k: expected a string, found a number");
    EXPECT_EQ(complaint("{\"k\":0}", [](JsonValue root) { return root.boolean("k"); }),
              "/k: expected a boolean, found a number");
    EXPECT_EQ(complaint("{}", number), "/k: missing");
    EXPECT_EQ(complaint("7", number), "top level: expected an object, found a number");
}

TEST_F(JsonTest, gives_errors_that_can_be_told_apart) {
    EXPECT_EQ(json_.parse("{").error(), JsonDetail::syntax);
    EXPECT_EQ(json_.parse("{").error(), std::errc::bad_message);
    EXPECT_EQ(json_.parse(std::string(33, '[')).error(), JsonDetail::nesting);
    EXPECT_EQ(json_.parse("{\"a\":1,\"a\":1}").error(), JsonDetail::duplicate_key);
    const auto document = json_.parse("{\"a\":1.5}");
    EXPECT_EQ(document->root().string("a").error(), JsonDetail::wrong_kind);
    EXPECT_EQ(document->root().string("b").error(), JsonDetail::missing_key);
    EXPECT_EQ(document->root().integer("a").error(), JsonDetail::value);
    EXPECT_EQ(document->root().read({}).error(), JsonDetail::unknown_key);
}

TEST_F(JsonTest, points_into_nested_values_as_rfc_6901_says) {
    const auto document =
        json_.parse("{\"a/b\":[0,{\"m~n\":[[true]],\"x\\ny\":1}],\"\":{\"k\":1}}");
    ASSERT_TRUE(document);
    const JsonValue list = document->root().member("a/b").value();
    const JsonValue object = *++list.begin();
    const JsonValue outer = *object.member("m~n").value().begin();
    const JsonValue inner = *outer.begin();
    EXPECT_FALSE(inner.as_number());
    EXPECT_STREQ(json_.message(), "/a~1b/1/m~0n/0/0: expected a number, found a boolean");
    EXPECT_FALSE(object.string("x\ny"));
    EXPECT_STREQ(json_.message(), "/a~1b/1/x?y: expected a string, found a number");
    EXPECT_FALSE(document->root().member("")->string("k"));
    EXPECT_STREQ(json_.message(), "//k: expected a string, found a number");
    EXPECT_FALSE(object.member("a/~"));
    EXPECT_STREQ(json_.message(), "/a~1b/1/a~1~0: missing");
}

TEST_F(JsonTest, keeps_a_message_of_an_unreasonable_key_short) {
    const std::string text = "{\"" + std::string(1000, 'k') + "\":1}";
    const std::string message =
        complaint(text, [](JsonValue root) { return root.read({}); });
    EXPECT_EQ(message.size(), json_message_bytes - 1);
    EXPECT_TRUE(message.ends_with("kkk..."));
}

TEST_F(JsonTest, says_line_and_column_of_a_syntax_error) {
    EXPECT_EQ(refusal("{\n  \"a\": 1,\n  \"b\" 2\n}"), "line 3, column 7: expected ':', found '2'");
    EXPECT_EQ(refusal(""), "line 1, column 1: expected a value, found the end of the text");
    EXPECT_EQ(refusal("[1,\n"), "line 2, column 1: expected a value, found the end of the text");
    EXPECT_EQ(refusal("[\"\xC3\xA9\" x]"), "line 1, column 6: expected ',' or ']', found 'x'");
    EXPECT_EQ(refusal("[\x01]"), "line 1, column 2: expected a value, found the byte 0x01");
    EXPECT_EQ(refusal("[\xFF]"), "line 1, column 2: expected a value, found the byte 0xFF");
    EXPECT_EQ(refusal("[\xE2\x82\xAC]"),
              "line 1, column 2: expected a value, found '\xE2\x82\xAC'");
    EXPECT_EQ(refusal("\xEF\xBB\xBF[1"),
              "line 1, column 3: expected ',' or ']', found the end of the text");
    EXPECT_EQ(refusal("\"a\\u0000\""), "line 1, column 3: \\u0000 is not accepted");
}

TEST_F(JsonTest, refuses_trailing_data) {
    EXPECT_EQ(refusal("{} {}"), "line 1, column 4: expected the end of the text, found '{'");
    EXPECT_EQ(refusal(std::string_view("1\0", 2)),
              "line 1, column 2: expected the end of the text, found the byte 0x00");
}

TEST_F(JsonTest, skips_a_byte_order_mark_but_only_one) {
    EXPECT_EQ(refusal("\xEF\xBB\xBF{}"), "accepted");
    EXPECT_NE(refusal("\xEF\xBB\xBF\xEF\xBB\xBF{}"), "accepted");
    EXPECT_NE(refusal("\xEF\xBB\xBF"), "accepted");
    EXPECT_NE(refusal(std::string_view("\xFF\xFE{\0}\0", 6)), "accepted");
}

TEST_F(JsonTest, refuses_duplicate_keys_however_they_are_written) {
    EXPECT_EQ(refusal("{\"a\":1,\"b\":2,\"a\":3}"), "/a: duplicate key");
    EXPECT_EQ(refusal("{\"a\":1,\"\\u0061\":3}"), "/a: duplicate key");
    EXPECT_EQ(refusal("[{\"x\":{\"a\":1,\"a\":1}}]"), "/0/x/a: duplicate key");
    EXPECT_EQ(refusal("{\"a\":1,\"A\":3}"), "accepted");
    EXPECT_EQ(refusal("[{\"a\":1},{\"a\":1}]"), "accepted");
}

TEST_F(JsonTest, decodes_strings) {
    const auto document = json_.parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83C\\uDF21\",\"\"]");
    ASSERT_TRUE(document);
    const JsonValue root = document->root();
    EXPECT_EQ((*root.begin()).as_string().value(), "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x8C\xA1");
    EXPECT_EQ((*++root.begin()).as_string().value(), "");
}

TEST_F(JsonTest, accepts_integers_only_if_they_are_exact) {
    const auto integer = [](JsonValue root) { return root.as_integer(); };
    EXPECT_EQ(json_.parse("9007199254740991")->root().as_integer().value(), json_integer_max);
    EXPECT_EQ(json_.parse("-9007199254740991")->root().as_integer().value(), -json_integer_max);
    EXPECT_EQ(json_.parse("1e3")->root().as_integer().value(), 1000);
    EXPECT_EQ(json_.parse("1.0")->root().as_integer().value(), 1);
    EXPECT_EQ(json_.parse("-0")->root().as_integer().value(), 0);
    EXPECT_EQ(complaint("1.5", integer), "top level: 1.5 is not a whole number");
    for (const char* text : {"9007199254740992", "9007199254740993", "-9007199254740993",
                             "18446744073709551616", "1e300"}) {
        EXPECT_EQ(complaint(text, integer),
                  "top level: an integer must be between -9007199254740991 and 9007199254740991 "
                  "to be exact");
    }
    EXPECT_EQ(complaint("[0]", [](JsonValue root) { return (*root.begin()).as_integer(1, 64); }),
              "/0: 0 is not between 1 and 64");
}

TEST_F(JsonTest, refuses_numbers_that_overflow_a_double) {
    const auto number = [](JsonValue root) { return root.as_number(); };
    EXPECT_EQ(complaint("1e999", number), "top level: the number is too large");
    EXPECT_EQ(complaint("-1e999", number), "top level: the number is too large");
    EXPECT_EQ(json_.parse("1e-999")->root().as_number().value(), 0.0);
    EXPECT_EQ(json_.parse("1.7976931348623157e308")->root().as_number().value(),
              1.7976931348623157e308);
}

TEST_F(JsonTest, finds_optional_members) {
    const auto document = json_.parse("{\"a\":null}");
    EXPECT_TRUE(document->root().find("a").value());
    EXPECT_FALSE(document->root().find("b").value());
    EXPECT_FALSE(document->root().member("a")->find("b"));
    EXPECT_STREQ(json_.message(), "/a: expected an object, found null");
}

TEST_F(JsonTest, walks_through_members_and_elements) {
    const auto document = json_.parse("{\"a\":[1,2,3],\"b\":{}}");
    std::string keys;
    for (const JsonValue value : document->root()) keys += value.key();
    EXPECT_EQ(keys, "ab");
    double sum = 0;
    const JsonValue list = document->root().member("a").value();
    for (const JsonValue value : list) sum += value.as_number().value();
    EXPECT_EQ(sum, 6);
    EXPECT_EQ(list.size(), 3u);
    EXPECT_EQ((*list.begin()).key(), "");
    EXPECT_EQ(document->root().member("b")->size(), 0u);
    for (const JsonValue value : document->root().member("b").value()) FAIL() << value.key();
}

TEST_F(JsonTest, lets_an_app_refuse_a_value_in_its_own_words) {
    const auto document = json_.parse("{\"a\":[5]}");
    const JsonValue list = document->root().member("a").value();
    const Error error = (*list.begin()).refuse("%d is not even", 5).error();
    EXPECT_EQ(error, JsonDetail::value);
    EXPECT_STREQ(json_.message(), "/a/0: 5 is not even");
}

TEST_F(JsonTest, expects_a_kind) {
    const auto document = json_.parse("[]");
    EXPECT_TRUE(document->root().expect(JsonKind::array));
    EXPECT_FALSE(document->root().expect(JsonKind::object));
    EXPECT_STREQ(json_.message(), "top level: expected an object, found an array");
}

TEST(Json, says_when_the_arena_is_full_and_can_be_used_again) {
    JsonArena<512> json;
    const auto full = json.parse("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error(), std::errc::not_enough_memory);
    EXPECT_EQ(full.error(), JsonDetail::memory);
    EXPECT_STREQ(json.message(), "the document does not fit into the arena of 512 bytes");
    EXPECT_TRUE(json.parse("[1,2,3]"));
    JsonArena<1> tiny;
    EXPECT_EQ(tiny.parse("1").error(), JsonDetail::memory);
}

TEST(Json, is_full_or_right_at_every_arena_size) {
    const std::string text = "{\"sensor\":\"t1\",\"t\":12.25,\"list\":[1,{\"a\":\"b\\n\"}]}";
    JsonArena<4096> roomy;
    ASSERT_TRUE(roomy.parse(text));
    const std::size_t needed = roomy.high_water_bytes();
    EXPECT_LE(needed, 8 * json_value_bytes + 64);
    [&]<std::size_t... i>(std::index_sequence<i...>) {
        const auto check = [&](auto json) {
            const bool fits = json->parse(text).has_value();
            EXPECT_EQ(fits, json->high_water_bytes() >= needed) << json->high_water_bytes();
        };
        (check(std::make_unique<JsonArena<1 + i * 8>>()), ...);
    }(std::make_index_sequence<100>());
}

TEST(Json, needs_no_more_memory_for_the_second_parse) {
    JsonArena<1024> json;
    ASSERT_TRUE(json.parse("{\"a\":1}"));
    const std::size_t once = json.high_water_bytes();
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(json.parse("{\"a\":1}"));
    EXPECT_EQ(json.high_water_bytes(), once);
}

TEST(Json, gives_back_the_copies_that_cjson_makes_of_numbers) {
    JsonArena<16384> json;
    std::string text = "[1";
    for (int i = 0; i < 99; ++i) text += ",123456789012345678901234567890";
    ASSERT_TRUE(json.parse(text + "]"));
    EXPECT_LE(json.high_water_bytes(), 101 * json_value_bytes + 64);
}

TEST(Json, keeps_documents_of_two_arenas_apart) {
    JsonArena<1024> first;
    JsonArena<1024> second;
    const auto a = first.parse("{\"v\":\"one\"}");
    const auto b = second.parse("{\"v\":\"two\"}");
    EXPECT_EQ(a->root().string("v").value(), "one");
    EXPECT_EQ(b->root().string("v").value(), "two");
    EXPECT_FALSE(a->root().string("w"));
    EXPECT_STREQ(first.message(), "/w: missing");
    EXPECT_STREQ(second.message(), "");
}

TEST(Json, lets_a_document_be_moved) {
    JsonArena<1024> json;
    auto document = json.parse("[1]");
    {
        const JsonDocument moved = std::move(*document);
        EXPECT_EQ(moved.root().size(), 1u);
    }
    EXPECT_TRUE(json.parse("[2]"));
}

TEST(Json, leaves_malloc_to_other_users_of_cjson) {
    JsonArena<1024> json;
    const auto document = json.parse("[1]");
    cJSON* const other = cJSON_Parse("{\"a\":1}");
    ASSERT_NE(other, nullptr);
    cJSON_Delete(other);
    EXPECT_EQ(document->root().size(), 1u);
}

TEST(Json, limits_the_members_of_an_object) {
    static JsonArena<1 << 18> json;
    const auto object = [](std::size_t members) {
        std::string text = "{\"k\":0";
        for (std::size_t i = 1; i < members; ++i) text += ",\"k" + std::to_string(i) + "\":0";
        return text + "}";
    };
    EXPECT_TRUE(json.parse(object(json_members_max)));
    EXPECT_EQ(json.parse(object(json_members_max + 1)).error(), JsonDetail::members);
    EXPECT_STREQ(json.message(), "top level: more than 1024 members");
}

TEST(Json, does_not_depend_on_the_final_zero_of_the_text) {
    for (const std::string_view whole : {"12345", "{\"a\":1}", "[1,2]", "\"abc\"", "true"}) {
        const std::vector<char> exact(whole.begin(), whole.end());  // ASan watches its end
        JsonArena<1024> json;
        EXPECT_TRUE(json.parse({exact.data(), exact.size()})) << json.message();
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<long>(size));
            (void)json.parse({cut.data(), cut.size()});
        }
    }
    JsonArena<1024> json;
    EXPECT_EQ(json.parse(std::string_view("12345").substr(0, 2))->root().as_number().value(), 12);
    EXPECT_FALSE(json.parse(std::string_view()));
}

TEST(Json, reads_numbers_with_a_point_in_a_locale_with_a_comma_kernel) {
    // Which locales there are is the machine's matter; the run is reported as skipped without one.
    const char* found = nullptr;
    for (const char* name :
         {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "ringlet_comma"}) {
        if (found == nullptr) found = std::setlocale(LC_ALL, name);
    }
    if (found == nullptr) GTEST_SKIP() << "no locale with a decimal comma is installed";
    ASSERT_STREQ(std::localeconv()->decimal_point, ",");
    JsonArena<1024> json;
    const auto document = json.parse("[1.5]");
    EXPECT_TRUE(document) << json.message();
    if (document) {
        const JsonValue root = document->root();
        EXPECT_EQ((*root.begin()).as_number().value(), 1.5);
        EXPECT_FALSE((*root.begin()).as_integer());
        EXPECT_STREQ(json.message(), "/0: 1.5 is not a whole number");
    }
    EXPECT_STREQ(std::localeconv()->decimal_point, ",");
    std::setlocale(LC_ALL, "C");
}

// Reads all of a document, and everything wrongly as well.
void touch(JsonValue value) {
    (void)value.as_string();
    (void)value.as_number();
    (void)value.as_integer();
    (void)value.as_boolean();
    (void)value.string("a");
    (void)value.read({});
    for (const JsonValue child : value) touch(child);
}

TEST(Json, survives_garbage_from_the_alphabet_of_json) {
    static JsonArena<2048> json;
    constexpr std::string_view pieces[] = {
        "{",  "}",   "[",    "]",       ",",        ":",    "\"",           "\"a\"", "\"b\"",
        "1",  "-",   "0.5",  "e",       "E+",       "true", "null",         " ",     "\n",
        "\\", "\\u", "d83d", "\\udE00", "\xC3\xA9", "\xFF", "\xEF\xBB\xBF", "x",     "."};
    std::mt19937 random(5);
    std::size_t accepted = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::vector<char> text;
        const std::size_t count = random() % 12;
        for (std::size_t k = 0; k < count; ++k) {
            const std::string_view piece = pieces[random() % std::size(pieces)];
            text.insert(text.end(), piece.begin(), piece.end());
        }
        const auto document = json.parse({text.data(), text.size()});
        if (document) touch(document->root());
        accepted += document ? 1 : 0;
    }
    EXPECT_GT(accepted, 100u);
}

TEST(Json, survives_mutations_of_a_good_text) {
    static JsonArena<2048> json;
    const std::string good =
        "{\"sensor\":\"t\\u00e9\\n1\",\"t\":-12.5e3,\"deep\":[[{\"a\":null}],[]],\"flag\":true}";
    ASSERT_TRUE(json.parse(good)) << json.message();
    std::mt19937 random(6);
    std::size_t accepted = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::vector<char> text(good.begin(), good.end());
        const std::size_t edits = 1 + random() % 3;
        for (std::size_t k = 0; k < edits && !text.empty(); ++k) {
            const auto at = text.begin() + static_cast<long>(random() % text.size());
            switch (random() % 4) {
                case 0: *at = static_cast<char>(random()); break;
                case 1: text.erase(at); break;
                case 2: text.insert(at, good[random() % good.size()]); break;
                case 3: text.erase(at, text.end()); break;
            }
        }
        const auto document = json.parse({text.data(), text.size()});
        if (document) touch(document->root());
        accepted += document ? 1 : 0;
    }
    EXPECT_GT(accepted, 100u);
}

TEST(Json, accepts_no_text_that_cjson_reads_otherwise) {
    // Whatever the scanner accepts, cJSON must accept in full: never "cJSON refuses the text".
    static JsonArena<65536> json;
    std::mt19937 random(7);
    const auto digits = [&](std::string& text) {
        for (std::size_t i = 1 + random() % 20; i > 0; --i)
            text += static_cast<char>('0' + random() % 10);
    };
    for (int i = 0; i < 20'000; ++i) {
        std::string text = random() % 2 == 0 ? "-1" : "1";
        if (random() % 2 == 0) digits(text);
        if (random() % 2 == 0) text += ".", digits(text);
        if (random() % 2 == 0)
            text += random() % 2 == 0 ? "e-" : "E", text += std::to_string(random() % 400);
        const auto document = json.parse(text);
        ASSERT_TRUE(document) << text << ": " << json.message();
        const auto number = document->root().as_number();
        const double expected = std::strtod(text.c_str(), nullptr);
        ASSERT_EQ(number.has_value(), std::isfinite(expected)) << text;
        ASSERT_EQ(number.value_or(expected), expected) << text;
    }
}

TEST(JsonDeathTest, refuses_a_second_document_of_one_arena) {
    JsonArena<1024> json;
    const auto document = json.parse("[1]");
    EXPECT_DEATH((void)json.parse("[2]"), "!has_document_");
}

TEST(JsonDeathTest, refuses_an_arena_that_dies_before_its_document) {
    EXPECT_DEATH(
        {
            auto json = std::make_unique<JsonArena<1024>>();
            const auto document = json->parse("[1]");
            json.reset();
        },
        "!has_document_");
}

}  // namespace
}  // namespace ringlet
