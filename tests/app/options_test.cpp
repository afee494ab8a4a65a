#include <ringlet/app/exit_status.hpp>
#include <ringlet/app/options.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

constexpr const char* formats[] = {"table", "json"};

struct Settings {
    std::uint32_t workers = 4;
    std::uint64_t buffer = 65536;
    Nanoseconds limit = 2s;
    std::string_view output;
    std::string_view format = "table";
    bool quiet = false;
};

class OptionsTest : public testing::Test {
protected:
    Settings settings_;
    const Option table_[6] = {
        Option::count("workers", "N", "requests at a time", settings_.workers, 1, 64).letter('w'),
        Option::size("buffer-size", "SIZE", "room for one body", settings_.buffer, 1024, 1 << 20),
        Option::duration("limit", "TIME", "how long one request may take", settings_.limit, 1ms,
                         1h),
        Option::text("output", "FILE", "where the report goes", settings_.output).letter('o'),
        Option::choice("format", "NAME", "of the report", settings_.format, formats),
        Option::flag("quiet", "no progress line", settings_.quiet).letter('q'),
    };
    Command command_{.name = "fetch", .version = "0.1.0", .summary = "Fetches many URLs.",
                     .options = table_, .has_config = true,
                     .operands = {.name = "URL", .min = 1, .max = 3}};
    FixedText<option_report_bytes> report_;
    Options options_{command_, report_};
    std::vector<std::string> words_;
    std::vector<char*> argv_;

    std::optional<int> parse(std::vector<std::string> words) {
        words_ = std::move(words);
        words_.insert(words_.begin(), "argv0");
        argv_.clear();
        for (std::string& word : words_) argv_.push_back(word.data());
        argv_.push_back(nullptr);
        return options_.parse(static_cast<int>(words_.size()), argv_.data());
    }
    std::string refusal(std::vector<std::string> words) {
        const auto status = parse(std::move(words));
        if (!status) return "accepted";
        EXPECT_EQ(*status, exit_status::usage);
        return report_.c_str();
    }

    JsonArena<8192> json_;
    std::string configure(std::string_view text) {
        const auto document = json_.parse(text);
        if (!document) return json_.message();
        const auto status = options_.configure("fetch.json", document->root());
        if (!status) return "accepted";
        EXPECT_EQ(*status, exit_status::usage);
        return report_.c_str();
    }
};

TEST_F(OptionsTest, stores_what_the_command_line_gives) {
    EXPECT_EQ(parse({"--workers=8", "--buffer-size", "4KiB", "--limit=1.5s", "-o", "x.json",
                     "--format=json", "-q", "http://a"}),
              std::nullopt)
        << report_.c_str();
    EXPECT_EQ(settings_.workers, 8u);
    EXPECT_EQ(settings_.buffer, 4096u);
    EXPECT_EQ(settings_.limit, 1500ms);
    EXPECT_EQ(settings_.output, "x.json");
    EXPECT_EQ(settings_.format, "json");
    EXPECT_TRUE(settings_.quiet);
    EXPECT_EQ(options_.operands().size(), 1u);
    EXPECT_STREQ(options_.operands()[0], "http://a");
}

TEST_F(OptionsTest, leaves_defaults_alone) {
    EXPECT_FALSE(parse({"a"}));
    EXPECT_EQ(settings_.workers, 4u);
    EXPECT_EQ(settings_.limit, 2s);
    EXPECT_FALSE(settings_.quiet);
    EXPECT_FALSE(options_.was_given(&settings_.workers));
}

TEST_F(OptionsTest, takes_options_behind_operands_until_two_dashes) {
    EXPECT_FALSE(parse({"a", "-w8", "b", "--", "--quiet"}));
    EXPECT_EQ(settings_.workers, 8u);
    EXPECT_FALSE(settings_.quiet);
    ASSERT_EQ(options_.operands().size(), 3u);
    EXPECT_STREQ(options_.operands()[2], "--quiet");
}

TEST_F(OptionsTest, lets_the_last_of_several_win) {
    EXPECT_FALSE(parse({"-w8", "--workers=9", "a"}));
    EXPECT_EQ(settings_.workers, 9u);
}

TEST_F(OptionsTest, says_what_is_wrong_in_one_line) {
    EXPECT_EQ(refusal({"--workers=0", "a"}), "fetch: --workers: '0' is not between 1 and 64\n");
    EXPECT_EQ(refusal({"-w65", "a"}), "fetch: --workers: '65' is not between 1 and 64\n");
    EXPECT_EQ(refusal({"--workers=x", "a"}),
              "fetch: --workers: 'x' is not a whole number, such as 8\n");
    EXPECT_EQ(refusal({"--workers=", "a"}),
              "fetch: --workers: '' is not a whole number, such as 8\n");
    EXPECT_EQ(refusal({"--limit=5", "a"}),
              "fetch: --limit: '5' has no unit; use ns, us, ms, s, m, h or d, such as 500ms\n");
    EXPECT_EQ(refusal({"--limit=2h", "a"}), "fetch: --limit: '2h' is not between 1ms and 1h\n");
    EXPECT_EQ(refusal({"--buffer-size=1", "a"}),
              "fetch: --buffer-size: '1' is not between 1KiB and 1MiB\n");
    EXPECT_EQ(refusal({"--format=xml", "a"}), "fetch: --format: 'xml' is none of table, json\n");
    EXPECT_EQ(refusal({"--workers=\n", "a"}),
              "fetch: --workers: '?' is not a whole number, such as 8\n");
}

TEST_F(OptionsTest, says_what_getopt_finds_wrong) {
    EXPECT_EQ(refusal({"--wrkers=1", "a"}), "fetch: unknown option '--wrkers'; see --help\n");
    EXPECT_EQ(refusal({"a", "--wrkers", "1"}), "fetch: unknown option '--wrkers'; see --help\n");
    EXPECT_EQ(refusal({"-x", "a"}), "fetch: unknown option '-x'; see --help\n");
    EXPECT_EQ(refusal({"-qx", "a"}), "fetch: unknown option '-x'; see --help\n");
    EXPECT_EQ(refusal({"a", "--workers"}), "fetch: --workers: needs N\n");
    EXPECT_EQ(refusal({"a", "-w"}), "fetch: --workers: needs N\n");
    EXPECT_EQ(refusal({"a", "--config"}), "fetch: --config: needs FILE\n");
    EXPECT_EQ(refusal({"--quiet=1", "a"}), "fetch: --quiet: takes no argument\n");
    EXPECT_EQ(refusal({"--help=1"}), "fetch: --help: takes no argument\n");
    EXPECT_EQ(refusal({"--version=1"}), "fetch: --version: takes no argument\n");
    EXPECT_EQ(refusal({"--config=", "a"}), "fetch: --config: the name of the file is empty\n");
    EXPECT_EQ(refusal({"--=1", "a"}), "fetch: ambiguous option '--'; see --help\n");
}

TEST_F(OptionsTest, counts_operands) {
    EXPECT_EQ(refusal({}), "fetch: needs a URL; see --help\n");
    EXPECT_EQ(refusal({"a", "b", "c", "d"}), "fetch: 'd' is one URL too many: at most 3\n");
    EXPECT_EQ(refusal({"a", "b", "c"}), "accepted");
    command_.operands.min = 2;
    EXPECT_EQ(refusal({"a"}), "fetch: needs at least 2 URL; see --help\n");
    command_.operands = {.name = "ENDPOINT", .min = 1, .max = 1};
    EXPECT_EQ(refusal({}), "fetch: needs an ENDPOINT; see --help\n");
    command_.operands = {};
    EXPECT_EQ(refusal({"a"}), "fetch: unexpected argument 'a'; see --help\n");
    EXPECT_EQ(refusal({}), "accepted");
}

TEST_F(OptionsTest, takes_an_empty_argv) {
    char* none[] = {nullptr};
    EXPECT_EQ(options_.parse(0, none), exit_status::usage);
}

TEST_F(OptionsTest, takes_unambiguous_beginnings_of_long_options) {
    EXPECT_FALSE(parse({"--work=8", "a"}));
    EXPECT_EQ(settings_.workers, 8u);
}

TEST_F(OptionsTest, prints_its_version) {
    EXPECT_EQ(parse({"--version"}), exit_status::ok);
    EXPECT_EQ(report_.view(), "fetch 0.1.0\n");
}

TEST_F(OptionsTest, prints_help_with_ranges_and_defaults) {
    EXPECT_EQ(parse({"-w8", "--help", "--bogus"}), exit_status::ok);
    EXPECT_EQ(report_.view(),
              "Usage: fetch [OPTION]... URL...\n"
              "Fetches many URLs.\n"
              "\n"
              "Options:\n"
              "  -w, --workers=N         requests at a time (1 to 64, default 4)\n"
              "      --buffer-size=SIZE  room for one body (1KiB to 1MiB, default 64KiB)\n"
              "      --limit=TIME        how long one request may take (1ms to 1h, default 2s)\n"
              "  -o, --output=FILE       where the report goes\n"
              "      --format=NAME       of the report (table, json, default table)\n"
              "  -q, --quiet             no progress line\n"
              "      --config=FILE       JSON object with these options' names as keys; the\n"
              "                          command line beats it\n"
              "  -h, --help              show this and exit\n"
              "      --version           show the version and exit\n");
    EXPECT_EQ(parse({"-h"}), exit_status::ok);
}

TEST_F(OptionsTest, keeps_help_to_80_columns) {
    bool flag = false;
    const std::string words = "a long explanation that goes on and on, and then on again, until it "
                              "has filled several lines of help, each within the limit";
    const Option wide[] = {
        Option::flag("short", words.c_str(), flag),
        Option::flag("a-name-that-is-longer-than-its-column", words.c_str(), flag)};
    const Command command{.name = "x", .version = "1", .summary = words.c_str(), .options = wide,
                          .epilogue = "Exit status: 0."};
    FixedText<option_report_bytes> help;
    append_help(help, command);
    std::string_view rest = help.view();
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        EXPECT_LE(end, help_columns_max) << rest.substr(0, end);
        EXPECT_FALSE(rest.substr(0, end).ends_with(' '));
        rest.remove_prefix(end + 1);
    }
    EXPECT_TRUE(help.view().ends_with("\nExit status: 0.\n"));
}

TEST_F(OptionsTest, can_be_used_again_in_one_process) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(parse({"-qw8", "a"}));
        EXPECT_TRUE(options_.was_given(&settings_.workers));
        EXPECT_EQ(refusal({"-qx", "a"}), "fetch: unknown option '-x'; see --help\n");
        EXPECT_FALSE(parse({"a", "b"}));
        EXPECT_FALSE(options_.was_given(&settings_.workers));
        EXPECT_EQ(options_.operands().size(), 2u);
    }
}

TEST_F(OptionsTest, reads_the_configuration) {
    EXPECT_FALSE(parse({"--config=fetch.json", "a"}));
    EXPECT_EQ(options_.config_file(), "fetch.json");
    const auto document = json_.parse("{\"workers\":16,\"buffer-size\":\"128KiB\",\"limit\":\"3s\","
                                      "\"output\":\"o\",\"format\":\"json\",\"quiet\":true}");
    EXPECT_FALSE(options_.configure("fetch.json", document->root())) << report_.c_str();
    EXPECT_EQ(settings_.workers, 16u);
    EXPECT_EQ(settings_.buffer, 131072u);
    EXPECT_EQ(settings_.limit, 3s);
    EXPECT_EQ(settings_.output, "o");
    EXPECT_EQ(settings_.format, "json");
    EXPECT_TRUE(settings_.quiet);
    EXPECT_TRUE(options_.was_given(&settings_.output));
}

TEST_F(OptionsTest, lets_the_command_line_beat_the_configuration) {
    EXPECT_FALSE(parse({"-w8", "-q", "a"}));
    EXPECT_EQ(configure("{\"workers\":16,\"quiet\":false,\"buffer-size\":2048}"), "accepted");
    EXPECT_EQ(settings_.workers, 8u);
    EXPECT_TRUE(settings_.quiet);
    EXPECT_EQ(settings_.buffer, 2048u);
    EXPECT_EQ(settings_.limit, 2s);
    EXPECT_EQ(configure("{\"workers\":65}"),
              "fetch: fetch.json: /workers: 65 is not between 1 and 64\n");
}

TEST_F(OptionsTest, says_what_is_wrong_in_the_configuration) {
    EXPECT_FALSE(parse({"a"}));
    EXPECT_EQ(configure("{\"wrkers\":1}"), "fetch: fetch.json: /wrkers: unknown key\n");
    EXPECT_EQ(configure("{\"buffer_size\":2048}"),
              "fetch: fetch.json: /buffer_size: unknown key\n");
    EXPECT_EQ(configure("{\"config\":\"x\"}"), "fetch: fetch.json: /config: unknown key\n");
    EXPECT_EQ(configure("[]"),
              "fetch: fetch.json: top level: expected an object, found an array\n");
    EXPECT_EQ(configure("{\"workers\":\"8\"}"),
              "fetch: fetch.json: /workers: expected a number, found a string\n");
    EXPECT_EQ(configure("{\"workers\":0}"),
              "fetch: fetch.json: /workers: 0 is not between 1 and 64\n");
    EXPECT_EQ(configure("{\"workers\":1.5}"),
              "fetch: fetch.json: /workers: 1.5 is not a whole number\n");
    EXPECT_EQ(configure("{\"limit\":5}"), "fetch: fetch.json: /limit: a duration is a string with "
                                          "a unit, such as \"500ms\"\n");
    EXPECT_EQ(configure("{\"limit\":\"5h\"}"),
              "fetch: fetch.json: /limit: '5h' is not between 1ms and 1h\n");
    EXPECT_EQ(configure("{\"buffer-size\":\"2k\"}"),
              "fetch: fetch.json: /buffer-size: '2k' has an ambiguous unit; use B, KiB, MiB, GiB, "
              "TiB (1024) or kB, MB, GB, TB (1000)\n");
    EXPECT_EQ(configure("{\"buffer-size\":10}"),
              "fetch: fetch.json: /buffer-size: 10 is not between 1024 and 1048576\n");
    EXPECT_EQ(configure("{\"quiet\":1}"),
              "fetch: fetch.json: /quiet: expected a boolean, found a number\n");
    EXPECT_EQ(configure("{\"format\":\"xml\"}"),
              "fetch: fetch.json: /format: 'xml' is none of table, json\n");
    EXPECT_EQ(configure("{\"output\":7}"),
              "fetch: fetch.json: /output: expected a string, found a number\n");
}

TEST_F(OptionsTest, lets_an_app_refuse_in_the_same_form) {
    EXPECT_EQ(options_.refuse("%s: %s", "fetch.json", "no such file"), exit_status::usage);
    EXPECT_EQ(report_.view(), "fetch: fetch.json: no such file\n");
}

TEST(OptionsDeathTest, refuses_an_unsound_table) {
    bool a = false;
    FixedText<option_report_bytes> report;
    const Option twice[] = {Option::flag("one", "x", a), Option::flag("one", "x", a)};
    const Option upper[] = {Option::flag("Upper", "x", a)};
    const Option reserved[] = {Option::flag("help", "x", a)};
    const Option letter[] = {Option::flag("one", "x", a).letter('h')};
    for (const auto& table : {std::span<const Option>(twice), std::span<const Option>(upper),
                              std::span<const Option>(reserved), std::span<const Option>(letter)}) {
        const Command command{.name = "x", .version = "1", .summary = "", .options = table};
        EXPECT_DEATH(Options(command, report), "assertion failed");
    }
}

TEST(ExitStatus, follows_the_conventions) {
    EXPECT_EQ(exit_status::unavailable, 69);
    EXPECT_EQ(exit_status::interrupted, 130);
    EXPECT_EQ(exit_status::terminated, 143);
}

}  // namespace
}  // namespace ringlet
