// Frame classes must rise.
// expect: Limits: frame classes rise in steps of 16 bytes
#include <ringlet/run/runtime.hpp>

ringlet::Runtime<ringlet::Limits{.frames = {{256, 4}, {128, 4}}}> runtime;
