// The words of the HTTP client's errors.
#include <ringlet/http/error.hpp>
