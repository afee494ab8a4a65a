// SPDX-License-Identifier: GPL-2.0
// The kernel's interrupt simulator as a module of its own, which it is not meant to be: it names no
// licence, and calls what is not exported to modules. What is exported gives the same.
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/module.h>

#define irq_to_desc(irq) irq_data_to_desc(irq_get_irq_data(irq))
#include "kernel/irq_sim.c"

MODULE_LICENSE("GPL");
