// What can be told from an error of the client.
#include <ringlet/dns/error.hpp>
#include <ringlet/http/error.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

using namespace ringlet;
using http::Kind;
using http::Reason;

namespace {

constexpr http::Step steps[] = {http::Step::none,    http::Step::line, http::Step::resolve,
                                http::Step::connect, http::Step::send, http::Step::head,
                                http::Step::body};

}  // namespace

TEST(HttpError, keeps_step_and_reason_apart) {
    for (const http::Step step : steps) {
        for (unsigned i = 1; i <= static_cast<unsigned>(Reason::body_bytes); ++i) {
            const auto reason = static_cast<Reason>(i);
            const Error error = http::make_error(reason, step);
            EXPECT_EQ(http::step_of(error), step);
            EXPECT_EQ(http::reason_of(error), reason);
            EXPECT_NE(http::kind_of(error), Kind::none);
            EXPECT_EQ(http::status_of(error), 0u);
        }
    }
}

TEST(HttpError, has_words_of_its_own_for_each_reason) {
    std::set<std::string> seen;
    for (unsigned i = 1; i <= static_cast<unsigned>(Reason::body_bytes); ++i) {
        if (static_cast<Reason>(i) == Reason::broken) continue;  // the kernel's
        seen.insert(text(http::make_error(static_cast<Reason>(i), http::Step::head)));
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(Reason::body_bytes) - 1);
}

TEST(HttpError, says_at_which_step_time_ran_out) {
    std::set<std::string> seen;
    for (const Reason reason : {Reason::step_time, Reason::total_time}) {
        for (const http::Step step : steps) {
            if (step == http::Step::none) continue;
            // Waiting in line takes none of the total.
            if (reason == Reason::total_time && step == http::Step::line) continue;
            const Error error = http::make_error(reason, step);
            EXPECT_EQ(error, std::errc::timed_out);
            EXPECT_EQ(http::kind_of(error), Kind::timeout);
            seen.insert(text(error));
        }
    }
    EXPECT_EQ(seen.size(), 11u);
}

TEST(HttpError, keeps_the_kernels_code_and_words) {
    const Error error = http::error_at(http::Step::connect, Error::kernel(ECONNREFUSED));
    EXPECT_EQ(error, std::errc::connection_refused);
    EXPECT_EQ(http::kind_of(error), Kind::transport);
    EXPECT_EQ(http::step_of(error), http::Step::connect);
    EXPECT_STREQ(text(error), "Connection refused");
}

TEST(HttpError, takes_a_time_out_for_its_own_and_leaves_other_domains_alone) {
    const Error late = http::error_at(http::Step::send, {std::errc::timed_out, Domain::runtime});
    EXPECT_EQ(http::kind_of(late), Kind::timeout);
    EXPECT_EQ(http::step_of(late), http::Step::send);

    const Error full(std::errc::too_many_files_open, RuntimeDetail::descriptors);
    EXPECT_EQ(http::error_at(http::Step::connect, full), full);
    EXPECT_EQ(http::kind_of(full), Kind::runtime);

    const Error unknown = dns::error_of(dns::Detail::not_found);
    EXPECT_EQ(http::error_at(http::Step::connect, unknown), unknown);
    EXPECT_EQ(http::kind_of(unknown), Kind::name);
    EXPECT_EQ(http::step_of(unknown), http::Step::resolve);
    EXPECT_STREQ(text(unknown), "there is no host of that name");
}

TEST(HttpError, tells_the_status) {
    for (const unsigned status : {300u, 404u, 418u, 503u, 599u, 999u}) {
        const Error error = http::status_error(status);
        EXPECT_EQ(http::status_of(error), status);
        EXPECT_EQ(http::kind_of(error), Kind::status);
        EXPECT_EQ(http::step_of(error), http::Step::none);
        EXPECT_EQ(http::reason_of(error), Reason::none);
    }
    EXPECT_STREQ(text(http::status_error(503)), "the server answered 503: service unavailable");
    EXPECT_STREQ(text(http::status_error(418)), "the server refused the request (4xx)");
    EXPECT_STREQ(text(http::status_error(599)), "the server failed (5xx)");
}

TEST(HttpError, knows_nothing_of_what_is_none_of_its_business) {
    for (const Error error : {Error(), Error(std::errc::io_error), Error::kernel(EIO)}) {
        EXPECT_EQ(http::kind_of(error), Kind::none);
        EXPECT_EQ(http::step_of(error), http::Step::none);
        EXPECT_EQ(http::reason_of(error), Reason::none);
        EXPECT_EQ(http::status_of(error), 0u);
    }
}

TEST(HttpError, names_kinds_and_steps) {
    EXPECT_STREQ(http::name(Kind::transport), "transport");
    EXPECT_STREQ(http::name(http::Step::head), "head");
    EXPECT_STREQ(http::name(Kind::none), "none");
    EXPECT_STREQ(http::name(http::Step::none), "none");
}
