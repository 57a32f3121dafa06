// SPDX-License-Identifier: MIT
#include "module/module.h"

#include <string.h>

static void drain(void *context)
{
  struct module *module = context;
  flash_job_drain(&module->flash_job);
}

void module_start(struct module *module, const struct port *port, const struct lb_table *table,
                  const struct lb_boot_decision *boot, const struct lb_image_info *firmware,
                  const struct module_uptime *uptime)
{
  memset(module, 0, sizeof *module);
  module->port = port;
  module->table = table;
  module->boot = *boot;
  module->firmware = *firmware;
  module->uptime = *uptime;
  module->device = (struct lb_device){
      .flash = port->flash,
      .sha256 = port->sha256,
      .md5 = port->md5,
      .table = table,
      .chip = port->chip,
      .revision = port->revision,
  };
  module->device_other = module->device;
  module->device_other.sha256 = port->sha256_other;
  settings_start(&module->settings, &module->device);
  update_log_start(&module->update_log, module);
  if (port->idle) {
    port->idle->poll = drain;
    port->idle->context = module;
  }
}
