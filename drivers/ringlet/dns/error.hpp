// The errors of the resolver.
#pragma once

#include <ringlet/base/error.hpp>

namespace ringlet::dns {

inline constexpr Domain domain = driver_domain(1);

}  // namespace ringlet::dns
