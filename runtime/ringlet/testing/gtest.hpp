// Simulations inside GoogleTest: to be included by a test, once or in each of its files.
//
// Then a test fails, and says how to run it again, when its simulation comes to a deadlock or a
// seed or a point of an exploration fails; and EXPECT_*s count as failures of the seed they are in.
// Inside a coroutine: EXPECT_*, never ASSERT_*, which returns.
#pragma once

#include <ringlet/testing/replay.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace ringlet::testing {

inline unsigned gtest_failures() {
    const ::testing::TestInfo* const test =
        ::testing::UnitTest::GetInstance()->current_test_info();
    if (test == nullptr) return 0;
    unsigned count = 0;
    const ::testing::TestResult& result = *test->result();
    for (int i = 0; i < result.total_part_count(); ++i) {
        count += result.GetTestPartResult(i).failed() ? 1 : 0;
    }
    return count;
}

inline unsigned gtest_set_aside(void (*run)(void*), void* context) {
    ::testing::TestPartResultArray results;
    {
        using Reporter = ::testing::ScopedFakeTestPartResultReporter;
        const Reporter reporter(Reporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
        run(context);
    }
    unsigned count = 0;
    for (int i = 0; i < results.size(); ++i) {
        count += results.GetTestPartResult(i).failed() ? 1 : 0;
    }
    return count;
}

inline std::string gtest_selection() {
    const ::testing::TestInfo* const test =
        ::testing::UnitTest::GetInstance()->current_test_info();
    if (test == nullptr) return "--gtest_filter=*";
    std::string selection = "--gtest_filter=";
    selection += test->test_suite_name();
    selection += '.';
    selection += test->name();
    return selection;
}

inline constexpr TestFramework gtest_framework{
    gtest_failures,
    [](std::string_view words) { ADD_FAILURE() << words; },
    gtest_set_aside,
    gtest_selection};

inline const bool gtest_is_known = (set_test_framework(&gtest_framework), true);

}  // namespace ringlet::testing
