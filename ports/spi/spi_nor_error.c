// SPDX-License-Identifier: MIT
#include "lifeboat/esp_error.h"
#include "ports/spi/spi_nor.h"

static const struct lb_error_info errors[] = {
    LB_ERROR_ROW(SPI_NOR_ERR_NO_CHIP, "no flash chip answers", "check the chip and its wires", LB_ESP_NOT_FOUND),
    LB_ERROR_ROW(SPI_NOR_ERR_UNKNOWN_CHIP, "the flash chip does not describe itself and is not known",
                 "add its JEDEC id to ports/spi/spi_nor_ids.c", LB_ESP_NOT_FOUND),
    LB_ERROR_ROW(SPI_NOR_ERR_BUSY, "the flash chip stayed busy", "restart the module; if it stays, replace the chip",
                 LB_ESP_TIMEOUT),
    LB_ERROR_ROW(SPI_NOR_ERR_WRITE_ENABLE, "the flash chip ignores write enable",
                 "check its write-protect wire and its status register", LB_ESP_FLASH_OP),
    LB_ERROR_ROW(SPI_NOR_ERR_PROTECTED, "this part of the flash is protected", "write it with a programmer",
                 LB_ESP_NOT_ALLOWED),
    LB_ERROR_ROW(SPI_NOR_ERR_ACCESS, "the access does not fit the flash chip", "have the program mended",
                 LB_ESP_INVALID_ARG),
    LB_ERROR_ROW(SPI_NOR_ERR_RANGES, "all protected ranges are in use", "join ranges that touch", LB_ESP_NO_MEM),
};

const struct lb_error_info *spi_nor_error_info(int error)
{
  for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    if (errors[i].code == error) {
      return &errors[i];
    }
  }
  return lb_error_info(error);
}
