/*
 * Found by -I, so that it comes before a liburing.h which a sysroot brings by -isystem. As for that
 * one, warnings stay out of it.
 */
#pragma GCC system_header
#include "../src/include/liburing.h"
