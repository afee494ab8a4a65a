// The names of methods.
#include <ringlet/http/request.hpp>

namespace ringlet::http {

const char* name(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
    }
    panic("no such method", __FILE__, __LINE__);
}

}  // namespace ringlet::http
