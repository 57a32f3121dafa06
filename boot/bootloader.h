// SPDX-License-Identifier: MIT
/*
 * The bootloader: lifeboat/boot.h's decision, told to whoever listens on the console. What is then done with the image
 * that it verified, loading its segments and jumping, is the port's.
 */
#ifndef BOOT_BOOTLOADER_H
#define BOOT_BOOTLOADER_H

#include "lifeboat/boot.h"

struct bootloader {
  struct lb_device device; /* flash, hashes, chip and revision are the port's to fill; table is set here */
  struct lb_table table;
  struct lb_verify verify; /* verify.image.info describes the image that boots */
  struct lb_boot_decision decision;
  enum lb_reset reset; /* why the processor starts: the port's to fill */
  void *log_context;
  void (*log)(void *log_context, const char *text); /* gets pieces of lines, the last one of a line ending in \n */
};

/*
 * Decides what boots and logs how it came to that. LB_OK: decision.partition boots. Else nothing does, and the module
 * halts: LB_ERR_NOTHING_BOOTS, or LB_ERR_TABLE_... without a usable partition table.
 */
int bootloader_run(struct bootloader *bootloader);

#endif
