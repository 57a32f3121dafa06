// SPDX-License-Identifier: MIT
/* Which media are FAT volumes, where they are, and which FAT they are. */
#include "lifeboat/bytes.h"
#include "ports/fat/fat.h"
#include "tests/unit/support/fat_image.h"
#include "tests/unit/support/unit.h"

static struct fat_image image;
static struct fat_volume volume;

static const struct {
  uint32_t kilobytes;
  const char *options;
  uint32_t start;
  uint32_t bits;
  uint32_t sectors_in_cluster;
} kinds[] = {
    {1440, "-F 12 -s 1 -r 224", 0, 12, 1},  {8192, "-F 12 -s 8", 0, 12, 8},
    {8192, "-F 16 -s 2", 0, 16, 2},         {8192, "-F 16 -s 1 -f 1 -n 'A CARD'", 63, 16, 1},
    {8192, "-F 16 -s 2 --mbr=y", 0, 16, 2}, {40960, "-F 32 -s 1", 0, 32, 1},
    {8192, "-F 32 -s 8", 2048, 32, 8}, /* with far fewer clusters than FAT32 should have */
};

static int find(const char *path)
{
  struct fat_entry entry;

  return fat_find(&volume, path, &entry);
}

static void test_kinds(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    fat_image_make(&image, kinds[i].kilobytes, kinds[i].options, kinds[i].start);
    if (kinds[i].start > 0) {
      fat_image_partition(&image, (const uint8_t[4]){0x83, 0x0C, 0x06, 0}, 1);
    }
    if (fat_image_try(&image, "echo x >x && mcopy -i $IMAGE x ::mark.txt") != 0) { /* mtools reject the last kind */
      assert_int_equal(i, sizeof kinds / sizeof kinds[0] - 1);
    }
    assert_result(fat_mount(&volume, &image.device), LB_OK);
    uint8_t *root = image.bytes + (kinds[i].start + volume.root_sector) * BLOCK_SIZE;
    if (root[0] == 0) {
      memcpy(root, "MARK    TXT", 11);
    }
    fat_forget(&volume);
    assert_int_equal(volume.table_bits, kinds[i].bits);
    assert_int_equal(volume.sectors_in_cluster, kinds[i].sectors_in_cluster);
    assert_int_equal(volume.first_sector, kinds[i].start);
    assert_in_range(volume.sectors, kinds[i].kilobytes * 2 - kinds[i].start - 32, kinds[i].kilobytes * 2);
    assert_result(find("mark.txt"), LB_OK);
    assert_result(find("other.txt"), PORT_ERR_FILE_NOT_FOUND);
    fat_image_remove(&image);
  }
}

/* The number of clusters tells FAT12 from FAT16, to the cluster. */
static void test_borders(void **state)
{
  static const struct {
    uint32_t clusters;
    uint32_t table; /* sectors */
    int result;
    uint32_t bits;
  } cases[] = {
      {1, 1, LB_OK, 12},
      {4084, 12, LB_OK, 12},
      {4084, 11, PORT_ERR_FILE_SYSTEM, 0}, /* the table is too small */
      {4085, 16, LB_OK, 16},
      {4085, 15, PORT_ERR_FILE_SYSTEM, 0},
      {65524, 256, LB_OK, 16},
      {65525, 257, PORT_ERR_FILE_SYSTEM, 0}, /* it should have been FAT32 */
      {0, 16, PORT_ERR_FILE_SYSTEM, 0},
  };

  (void)state;
  fat_image_make(&image, 1440, "-F 12 -s 1 -r 224", 0);
  image.device.sectors = 200000;
  lb_store_le16(image.bytes + 19, 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lb_store_le16(image.bytes + 22, (uint16_t)cases[i].table);
    lb_store_le32(image.bytes + 32, 1 + 2 * cases[i].table + 14 + cases[i].clusters);
    assert_result(fat_mount(&volume, &image.device), cases[i].result);
    if (cases[i].result == LB_OK) {
      assert_int_equal(volume.clusters, cases[i].clusters);
      assert_int_equal(volume.table_bits, cases[i].bits);
      assert_result(find("x"), PORT_ERR_FILE_NOT_FOUND);
    }
  }
  fat_image_remove(&image);
}

/* A card formatted as a whole, partitioned later: its old boot sector stays beside the table. */
static void test_partition_comes_first(void **state)
{
  (void)state;
  fat_image_make(&image, 8192, "-F 16 -s 2", 64);
  fat_image_run(&image, "mkfs.fat -F 12 -s 8 image 8192");
  fat_image_partition(&image, (const uint8_t[4]){0x06, 0, 0, 0}, 0);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_int_equal(volume.first_sector, 64);
  fat_image_partition(&image, (const uint8_t[4]){0x83, 0, 0, 0}, 0);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_int_equal(volume.first_sector, 0);
  fat_image_partition(&image, (const uint8_t[4]){0x06, 0, 0, 0}, 1); /* where no volume begins */
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_int_equal(volume.first_sector, 0);
  fat_image_remove(&image);
}

/* Of two tables the one that is said to be kept up to date. */
static void test_active_table(void **state)
{
  (void)state;
  fat_image_make(&image, 8192, "-F 32 -s 8", 0);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  const uint32_t first = volume.table_sector;
  image.bytes[40] = 1; /* without 0x80 the number means nothing */
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_int_equal(volume.table_sector, first);
  image.bytes[40] = 0x81;
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_int_equal(volume.table_sector, first + lb_load_le32(image.bytes + 36));
  image.bytes[40] = 0x82;
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  fat_image_remove(&image);
}

/* Each of these alone makes a good boot sector one that cannot be. */
static void test_impossible(void **state)
{
  static const struct {
    uint32_t offset;
    uint32_t bytes;
    uint32_t value;
  } changes[] = {
      {0, 1, 0},       {11, 2, 0},  {11, 2, 256}, {11, 2, 1024}, {13, 1, 0},  {13, 1, 3}, {14, 2, 0},
      {14, 2, 0xFFFF}, /* the data would begin behind the end */
      {16, 1, 0},      {16, 1, 3},  {17, 2, 513}, {17, 2, 0},    {19, 2, 40}, {22, 2, 1}, /* too small for the clusters
                                                                                           */
      {22, 2, 0},                                                                         /* then it should be FAT32 */
      {22, 2, 0xFFFF}, {510, 2, 0},
  };
  uint8_t good[BLOCK_SIZE];

  (void)state;
  fat_image_make(&image, 8192, "-F 16 -s 2", 0);
  memcpy(good, image.bytes, sizeof good);
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    assert_result(fat_mount(&volume, &image.device), LB_OK);
    memcpy(image.bytes + changes[i].offset, (uint8_t[2]){(uint8_t)changes[i].value, (uint8_t)(changes[i].value >> 8)},
           changes[i].bytes);
    assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
    memcpy(image.bytes, good, sizeof good);
  }
  fat_image_remove(&image);
}

static void test_impossible_fat32(void **state)
{
  static const struct {
    uint32_t offset;
    uint32_t value;
  } changes[] = {
      {17, 16}, /* a root directory of its own */
      {36, 0},  {36, 1}, {36, 0xFFFFFFFF}, {42, 1}, {44, 0}, {44, 1}, {44, 0x0FFFFFFF}, {32, 0}, {32, 1},
  };
  uint8_t good[BLOCK_SIZE];

  (void)state;
  fat_image_make(&image, 8192, "-F 32 -s 8", 0);
  lb_store_le32(image.bytes + 32, 16384); /* mkfs.fat has it in 16 bits */
  lb_store_le16(image.bytes + 19, 0);
  memcpy(good, image.bytes, sizeof good);
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    assert_result(fat_mount(&volume, &image.device), LB_OK);
    if (changes[i].offset == 17) {
      lb_store_le16(image.bytes + 17, (uint16_t)changes[i].value);
    } else {
      lb_store_le32(image.bytes + changes[i].offset, changes[i].value);
    }
    assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
    memcpy(image.bytes, good, sizeof good);
  }
  fat_image_remove(&image);
}

static void test_no_volume(void **state)
{
  struct unit_random random;

  (void)state;
  fat_image_make(&image, 8192, NULL, 0);
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM); /* blank */
  assert_false(volume.device_failed);
  fat_image_run(&image, "mkfs.fat -F 12 -S 1024 image 8192");
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  unit_random_seed(&random, "no_volume", 5);
  unit_random_fill(&random, image.bytes, image.size);
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  fat_image_partition(&image, (const uint8_t[4]){0x0C, 0x06, 0x0B, 0x01}, 4); /* garbage in every partition */
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  lb_store_le32(image.bytes + 446 + 8, 0xFFFFFFFF); /* or none at all */
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  memset(image.bytes, 0, BLOCK_SIZE);
  memcpy(image.bytes,
         "\xEB\x76\x90"
         "EXFAT   ",
         11);
  lb_store_le16(image.bytes + 510, 0xAA55);
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  fat_image_partition(&image, (const uint8_t[4]){0xEE, 0, 0, 0}, 4); /* GPT */
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_SYSTEM);
  fat_image_remove(&image);
}

static void test_no_card(void **state)
{
  (void)state;
  fat_image_make(&image, 8192, "-F 16 -s 2", 0);
  image.fail_reads = true;
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_IO);
  assert_true(volume.device_failed);
  image.fail_reads = false;
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_false(volume.device_failed);
  image.fail_reads = true;
  assert_result(find("x"), PORT_ERR_FILE_IO);
  assert_true(volume.device_failed);
  image.device.sectors = 0;
  assert_result(fat_mount(&volume, &image.device), PORT_ERR_FILE_NO_MOUNT);
  fat_image_remove(&image);
}

/* A volume that is longer than its medium: what is there can be read, what is not is an error. */
static void test_short_medium(void **state)
{
  (void)state;
  fat_image_make(&image, 8192, "-F 16 -s 2", 0);
  image.device.sectors = 100;
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_result(find("x"), PORT_ERR_FILE_NOT_FOUND);
  image.device.sectors = volume.root_sector;
  fat_forget(&volume);
  assert_result(find("x"), PORT_ERR_FILE_IO);
  fat_image_remove(&image);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),        cmocka_unit_test(test_borders),
      cmocka_unit_test(test_active_table), cmocka_unit_test(test_partition_comes_first),
      cmocka_unit_test(test_impossible),   cmocka_unit_test(test_impossible_fat32),
      cmocka_unit_test(test_no_volume),    cmocka_unit_test(test_no_card),
      cmocka_unit_test(test_short_medium),
  };

  return cmocka_run_group_tests_name("fat_mount", tests, NULL, NULL);
}
