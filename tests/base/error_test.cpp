#include <ringlet/base/error.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string>

namespace ringlet {
namespace {

TEST(Error, is_eight_bytes_and_no_error_by_default) {
    static_assert(sizeof(Error) == 8);
    EXPECT_EQ(Error(), Error(std::errc{}, Domain::kernel));
}

TEST(Error, of_the_kernel_has_errno_s_value_and_words) {
    const Error error = Error::kernel(ECONNREFUSED);
    EXPECT_EQ(error, std::errc::connection_refused);
    EXPECT_EQ(error.domain(), Domain::kernel);
    EXPECT_EQ(static_cast<int>(error.code()), ECONNREFUSED);
    EXPECT_STREQ(text(error), "Connection refused");
}

TEST(Error, two_with_the_same_code_are_told_apart_by_domain_and_detail) {
    const Error pool(std::errc::not_enough_memory, RuntimeDetail::frames);
    const Error kernel = Error::kernel(ENOMEM);
    EXPECT_NE(pool, kernel);
    EXPECT_EQ(pool, std::errc::not_enough_memory);
    EXPECT_EQ(kernel, std::errc::not_enough_memory);
    EXPECT_TRUE(pool == RuntimeDetail::frames);
    EXPECT_FALSE(pool == RuntimeDetail::tasks);
    EXPECT_STRNE(text(pool), text(kernel));
}

TEST(Error, a_detail_of_another_domain_is_not_the_runtime_s) {
    const Error driver(std::errc::io_error, Domain::driver,
                       static_cast<std::uint16_t>(RuntimeDetail::frames));
    EXPECT_FALSE(driver == RuntimeDetail::frames);
    EXPECT_STREQ(text(driver), "Input/output error");
}

TEST(Error, of_a_driver_speaks_in_the_driver_s_words_where_it_has_some) {
    constexpr Domain domain = driver_domain(200);
    static const DomainWords words(domain, [](Error error) -> const char* {
        return error.detail() == 1 ? "the bus is stuck" : nullptr;
    });
    EXPECT_STREQ(text(Error(std::errc::io_error, domain, 1)), "the bus is stuck");
    EXPECT_STREQ(text(Error(std::errc::io_error, domain, 2)), "Input/output error");
    EXPECT_STREQ(text(Error(std::errc::io_error, driver_domain(201), 1)), "Input/output error");
}

TEST(Error, of_the_self_test_has_words) {
    const Error error(std::errc::timed_out, Domain::self_test, 0x0102);
    EXPECT_STREQ(text(error), "io_uring does not work in this kernel");
}

TEST(Error, each_detail_of_the_runtime_has_words_of_its_own) {
    std::set<std::string> all;
    const auto last = static_cast<int>(RuntimeDetail::ring_memory);
    for (int detail = 1; detail <= last; ++detail) {
        const char* const words =
            text(Error(std::errc::invalid_argument, static_cast<RuntimeDetail>(detail)));
        EXPECT_STRNE(words, strerrordesc_np(EINVAL)) << detail;
        EXPECT_TRUE(all.insert(words).second) << words;
    }
}

TEST(Error, every_number_has_words) {
    for (int number = 0; number < 5000; ++number) {
        EXPECT_NE(text(Error::kernel(number)), nullptr) << number;
    }
    EXPECT_STREQ(text(Error::kernel(4999)), "unknown error");
    const Error unknown_detail(std::errc::timed_out, Domain::runtime, 999);
    EXPECT_STREQ(text(unknown_detail), "the time limit has passed");
}

TEST(Error, a_result_gives_a_value_or_an_error) {
    const Result<int> value = 3;
    const Result<int> none = std::unexpected(Error(std::errc::timed_out));
    EXPECT_EQ(*value, 3);
    EXPECT_EQ(none.error(), std::errc::timed_out);
}

TEST(Error, fail_takes_a_code_or_an_error) {
    EXPECT_EQ(fail(std::errc::timed_out).error, Error(std::errc::timed_out, Domain::app));
    EXPECT_EQ(fail(Error::kernel(EIO)).error, Error::kernel(EIO));
}

}  // namespace
}  // namespace ringlet
