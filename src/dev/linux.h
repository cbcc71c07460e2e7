/* SPDX-License-Identifier: Apache-2.0 */
/* What a LINUX object says, for firmware that boots the kernel instead. */
#ifndef DEV_LINUX_H
#define DEV_LINUX_H

struct dev;

/* File names and text; NULL: not given. */
struct linux_images {
	const char *kernel, *initrd, *cmdline, *dtb;
};

const struct linux_images *linux_images(const struct dev *linux_object);
/* Leave the start to firmware, whichever object comes first. */
void linux_yield(struct dev *linux_object);

#endif
