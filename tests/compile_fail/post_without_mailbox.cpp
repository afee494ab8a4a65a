// A mailbox has as many slots as Limits says: none.
// expect: Limits::posts is 0: there is no mailbox
#include <ringlet/run/runtime.hpp>

ringlet::Runtime<ringlet::Limits{}> runtime;

bool posts() {
    return runtime.post([] {}).has_value();
}
