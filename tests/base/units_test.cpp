#include <ringlet/base/units.hpp>

#include <gtest/gtest.h>

namespace ringlet {
namespace {

TEST(Units, are_powers_of_two) {
    static_assert(1_KiB == 1024);
    static_assert(64_KiB == 65'536);
    static_assert(1_MiB == 1024_KiB);
    static_assert(0_KiB == 0);
    EXPECT_EQ(3_MiB, 3'145'728u);
}

}  // namespace
}  // namespace ringlet
