// With a lowered bound, each frame that compiles has a class.
// expect: the largest frame class is smaller than the build's frame_bytes_max
#define RINGLET_FRAME_BYTES_MAX 1024
#include <ringlet/run/runtime.hpp>

ringlet::Runtime<ringlet::Limits{.frames = {{128, 4}, {512, 4}}}> runtime;
