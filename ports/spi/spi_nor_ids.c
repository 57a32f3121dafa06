// SPDX-License-Identifier: MIT
/* Chips that say nothing of themselves, or that may be met without SFDP tables: all with 256-byte pages. */
#include "ports/spi/spi_nor_geometry.h"

#define KB 1024U
#define MB (1024U * 1024U)

struct known_chip {
  uint32_t id;
  uint32_t size;
};

/* All of these erase 4 KB with 20, 32 KB with 52 and 64 KB with D8. */
static const struct known_chip known_chips[] = {
    {0x9D7019, 32U * MB}, /* ISSI IS25WP256 */
    {0x9D6016, 4U * MB},  /* ISSI IS25LP032 */
    {0x9D6017, 8U * MB},  /* ISSI IS25LP064 */
    {0x9D6018, 16U * MB}, /* ISSI IS25LP128 */
    {0xEF4016, 4U * MB},  /* Winbond W25Q32JV */
    {0xEF4017, 8U * MB},  /* Winbond W25Q64JV */
    {0xEF4018, 16U * MB}, /* Winbond W25Q128JV */
    {0xEF4019, 32U * MB}, /* Winbond W25Q256JV */
    {0xC84016, 4U * MB},  /* GigaDevice GD25Q32 */
    {0xC84017, 8U * MB},  /* GigaDevice GD25Q64 */
    {0xC84018, 16U * MB}, /* GigaDevice GD25Q128 */
    {0x204016, 4U * MB},  /* XMC XM25QH32 */
    {0x204017, 8U * MB},  /* XMC XM25QH64 */
    {0x204018, 16U * MB}, /* XMC XM25QH128 */
    {0xC22016, 4U * MB},  /* Macronix MX25L3233 */
    {0xC22017, 8U * MB},  /* Macronix MX25L6433 */
    {0xC22018, 16U * MB}, /* Macronix MX25L12833 */
};

bool spi_nor_geometry_of_id(uint32_t id, struct spi_nor_geometry *geometry)
{
  for (unsigned i = 0; i < sizeof known_chips / sizeof known_chips[0]; i++) {
    if (known_chips[i].id == id) {
      *geometry =
          (struct spi_nor_geometry){known_chips[i].size, 256, {{4 * KB, 0x20}, {32 * KB, 0x52}, {64 * KB, 0xD8}}};
      return true;
    }
  }
  return false;
}
