// The errors of the HTTP client.
#pragma once

#include <ringlet/base/error.hpp>

namespace ringlet::http {

inline constexpr Domain domain = driver_domain(2);

}  // namespace ringlet::http
