// The recorded counts of explored points, so that an exploration that explores less than it did is
// noticed. tests/support/explored_points.txt holds them; tools/record_points rewrites it.
//
// Each is the least of all compilers and levels of optimisation.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ringlet::support {

class RecordedPoints {
public:
    // Lines of "<key> <count>".
    explicit RecordedPoints(std::string_view text);

    // What is wrong with that count and what to do about it; empty if nothing is.
    std::string objection(const std::string& key, unsigned points) const;

private:
    std::map<std::string, unsigned, std::less<>> counts_;
};

// Prints how many points (`what`: "suspension points") an exploration of the current test had, and
// lets it fail if nothing is recorded for it, or more. The first exploration of a test is recorded
// under its name, "Queue.closes_cancelled", the n-th with "/n" after it.
void expect_recorded(const char* what, unsigned points);

}  // namespace ringlet::support
