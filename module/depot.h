// SPDX-License-Identifier: MIT
/* Where this module's firmware is published, and what a depot's version file says. */
#ifndef MODULE_DEPOT_H
#define MODULE_DEPOT_H

#include <stddef.h>

#include "module/module.h"

#define DEPOT_PRODUCT "v3.1"

/* Writes SERVER/PRODUCT/TAG/FILE by the settings `ota server` and `ota tag`; returns its length, as print_text does. */
size_t depot_url(struct module *module, char *url, size_t size, const char *file);

/*
 * Takes the version from the beginning of a version file: cuts `text` behind its first line, and tells whether that is
 * a version (module/version.h). A captive portal's page is none.
 */
bool depot_take_version(char *text);

#endif
