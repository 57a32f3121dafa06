// SPDX-License-Identifier: MIT
#include "module/depot.h"

#include "module/print.h"
#include "module/version.h"

size_t depot_url(struct module *module, char *url, size_t size, const char *file)
{
  char server[SETTINGS_VALUE_SIZE];
  char tag[SETTINGS_VALUE_SIZE];
  /* Where the settings cannot be read the defaults count: a module must be able to update itself even then. */
  (void)settings_get(&module->settings, "ota", "server", server, NULL);
  (void)settings_get(&module->settings, "ota", "tag", tag, NULL);
  return print_text(url, size, "%s/%s/%s/%s", server, DEPOT_PRODUCT, tag, file);
}

bool depot_take_version(char *text)
{
  size_t length = 0;
  while (text[length] != '\0' && text[length] != '\n' && text[length] != '\r') {
    length++;
  }
  text[length] = '\0';
  return version_is_valid(text);
}
