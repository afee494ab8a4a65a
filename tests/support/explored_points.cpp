// Reading and comparing the recorded counts. With RINGLET_RECORD_POINTS=file in the environment,
// counts are appended there instead: that is how tools/record_points gets them.
#include <support/explored_points.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

extern const char* const explored_points;  // the file's text

namespace ringlet::support {
namespace {

// Of the exploration that has just ended.
std::string key_of_current() {
    static std::string last_test;
    static unsigned number = 0;
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = std::string(test->test_suite_name()) + '.' + test->name();
    number = name == last_test ? number + 1 : 1;
    last_test = name;
    return number == 1 ? name : name + '/' + std::to_string(number);
}

}  // namespace

RecordedPoints::RecordedPoints(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1);
        const std::string line(text.substr(0, end));
        text.remove_prefix(end + 1);
        const std::size_t blank = line.find(' ');
        if (blank == line.npos) continue;
        counts_[line.substr(0, blank)] =
            static_cast<unsigned>(std::strtoul(line.c_str() + blank, nullptr, 10));
    }
}

std::string RecordedPoints::objection(const std::string& key, unsigned points) const {
    const auto found = counts_.find(key);
    const bool is_known = found != counts_.end();
    if (is_known && points >= found->second) return {};
    const std::string what = is_known ? std::to_string(points) + " points were explored, but " +
                                            std::to_string(found->second) + " are"
                                      : std::string("nothing is");
    return key + ": " + what + " recorded in tests/support/explored_points.txt; if that is meant, "
           "run tools/record_points BUILD_FOLDER and look at what it changes";
}

// Read before main(): a case in simulation opens no file (simulation/no_io_test.py).
static const RecordedPoints recorded(explored_points);

void expect_recorded(const char* what, unsigned points) {
    const std::string key = key_of_current();
    std::printf("%s: %u %s explored\n", key.c_str(), points, what);
    // With other seeds than usual, others' counts would be compared.
    if (std::getenv("RINGLET_SEED") != nullptr || std::getenv("RINGLET_SEEDS") != nullptr) return;
    if (const char* const path = std::getenv("RINGLET_RECORD_POINTS")) {
        std::ofstream(path, std::ios::app) << key << ' ' << points << '\n';
        return;
    }
    EXPECT_EQ(recorded.objection(key, points), "");
}

}  // namespace ringlet::support
