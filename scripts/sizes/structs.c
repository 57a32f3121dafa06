// SPDX-License-Identifier: MIT
/* Not run: `make size` reads the sizes of these arrays, which are those of the structs that the library's caller has.
 */
#include "boot/bootloader.h"
#include "lifeboat/erase.h"
#include "lifeboat/history.h"
#include "lifeboat/nvs.h"
#include "lifeboat/target.h"
#include "lifeboat/update.h"
#include "lifeboat/update_patch.h"
#include "ports/mbedtls/hash.h"

#define SIZE_OF(name)                                                                                                  \
  extern const char size_of_##name[];                                                                                  \
  const char size_of_##name[sizeof(struct name)]

SIZE_OF(bootloader);
SIZE_OF(lb_device);
SIZE_OF(lb_erase);
SIZE_OF(lb_flash);
SIZE_OF(lb_hash);
SIZE_OF(lb_nvs);
SIZE_OF(lb_patch_default);
SIZE_OF(lb_patch_small);
SIZE_OF(lb_table);
SIZE_OF(lb_target);
SIZE_OF(lb_update);
SIZE_OF(lb_update_config);
SIZE_OF(lb_update_patch);
SIZE_OF(mbedtls_hash);
