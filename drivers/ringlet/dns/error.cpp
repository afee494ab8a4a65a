// The words of the resolver's errors.
#include <ringlet/dns/error.hpp>
