// SPDX-License-Identifier: GPL-2.0
// The kernel's GPIO simulator. It is loaded by name; its table of devices, which only matters to those
// who look it up, has a size on 32-bit ARM that the tools of a 64-bit host take for wrong.
#include <linux/module.h>

#undef MODULE_DEVICE_TABLE
#define MODULE_DEVICE_TABLE(type, name)
#include "kernel/gpio-sim.c"
