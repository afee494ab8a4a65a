// Names: a resolver that reads the system's files when the first name comes.
#pragma once

#include <ringlet/dns/resolver.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/sync/mutex.hpp>

namespace fetch {

class Names {
public:
    Names();

    // Readies the resolver for the host of `url`. Costs nothing where that is an address.
    //
    // Errors: the kernel's, of a file that cannot be read, as the client's (step resolve).
    // Cancellation: nothing is left behind.
    ringlet::Task<void> ready_for(const ringlet::http::Url& url);

    ringlet::dns::Resolver& resolver() { return resolver_; }

private:
    ringlet::dns::Resolver resolver_;
    ringlet::Mutex loading_;
    bool loaded_ = false;
};

}  // namespace fetch
