/*
 * What liburing.h needs of the kernel's headers beyond io_uring.h. Upstream's configure asks for
 * each; from Linux 5.6 on, all but one are there.
 */
#ifndef LIBURING_COMPAT_H
#define LIBURING_COMPAT_H

#include <linux/ioctl.h>
#include <linux/openat2.h>

/* In <linux/blkdev.h>, but only since Linux 6.12. */
#ifndef BLOCK_URING_CMD_DISCARD
#define BLOCK_URING_CMD_DISCARD _IO(0x12, 0)
#endif

#endif
