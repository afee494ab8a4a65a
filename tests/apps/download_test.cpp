#include <download.hpp>

#include <gtest/gtest.h>

namespace fetch {
namespace {

namespace http = ringlet::http;

TEST(Download, tries_again_only_what_may_pass) {
    using http::Reason;
    using http::Step;
    for (const unsigned status : {408u, 429u, 500u, 502u, 503u, 504u}) {
        EXPECT_TRUE(is_passing(http::status_error(status))) << status;
    }
    for (const unsigned status : {301u, 304u, 400u, 401u, 403u, 404u, 410u, 501u, 505u}) {
        EXPECT_FALSE(is_passing(http::status_error(status))) << status;
    }
    EXPECT_TRUE(is_passing(http::make_error(Reason::closed_early, Step::body)));
    EXPECT_TRUE(is_passing(http::make_error(Reason::total_time, Step::head)));
    EXPECT_TRUE(is_passing(http::make_error(Reason::step_time, Step::connect)));
    EXPECT_TRUE(is_passing(http::error_at(Step::connect, ringlet::Error::kernel(ECONNREFUSED))));
    EXPECT_TRUE(is_passing(http::error_at(Step::body, ringlet::Error::kernel(ECONNRESET))));
    EXPECT_FALSE(is_passing(http::error_at(Step::connect, ringlet::Error::kernel(EMFILE))));
    for (const Reason reason : {Reason::url, Reason::https, Reason::malformed, Reason::redirects,
                                Reason::header_bytes, Reason::body_bytes}) {
        EXPECT_FALSE(is_passing(http::make_error(reason, Step::head)));
    }
    EXPECT_TRUE(is_passing(ringlet::dns::error_of(ringlet::dns::Detail::no_answer)));
    EXPECT_TRUE(is_passing(ringlet::dns::error_of(ringlet::dns::Detail::server_failure)));
    EXPECT_FALSE(is_passing(ringlet::dns::error_of(ringlet::dns::Detail::not_found)));
    EXPECT_FALSE(is_passing(ringlet::no_frame_error));
    EXPECT_FALSE(is_passing(ringlet::Error::kernel(ENOSPC)));
    EXPECT_FALSE(is_passing(ringlet::Error::kernel(EBUSY)));  // of the file
}

}  // namespace
}  // namespace fetch
