// For tests of how much stack something needs.
#pragma once

#include <ringlet/task/frame_pool.hpp>

#include <gtest/gtest.h>

#ifdef RINGLET_ADDRESS_SANITIZER
#define RINGLET_NEEDS_PLAIN_STACK() \
    GTEST_SKIP() << "AddressSanitizer keeps locals elsewhere and pads the stack"
#else
#define RINGLET_NEEDS_PLAIN_STACK() static_cast<void>(0)
#endif
