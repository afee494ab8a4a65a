// Names: a resolver that reads the system's files when the first URL comes.
#pragma once

#include <ringlet/dns/resolver.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/sync/mutex.hpp>

namespace fetch {

class Names {
public:
    Names();

    // Readies the resolver for the host of `url`, and for those that it is redirected to.
    //
    // Errors: the kernel's, of a file that cannot be read, as the client's (step resolve); not if
    // the host is an address, which needs none.
    // Cancellation: nothing is left behind.
    ringlet::Task<void> ready_for(const ringlet::http::Url& url);

    ringlet::dns::Resolver& resolver() { return resolver_; }

private:
    ringlet::dns::Resolver resolver_;
    ringlet::Mutex loading_;
    bool loaded_ = false;
};

}  // namespace fetch
