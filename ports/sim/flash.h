// SPDX-License-Identifier: MIT
/*
 * The simulated NOR flash: in a file, byte for byte what would be read out of a real module, or in memory.
 *
 * It does what the chip does: programming only clears bits and stays within a page, erasing takes whole aligned blocks.
 * It counts, it can take the time that the chip takes, its power can be cut in the middle of an operation, parts of it
 * can be broken, and it can go back to what it was at a mark.
 */
#ifndef PORTS_SIM_FLASH_H
#define PORTS_SIM_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/error.h"
#include "lifeboat/flash.h"
#include "module/port.h"
#include "ports/sim/clock.h"

/* What opening a flash can answer, besides LB_OK. sim_flash_error_info has the words. */
enum sim_flash_error {
  SIM_FLASH_ERR_MISSING = -300,
  SIM_FLASH_ERR_PERMISSION = -301,
  SIM_FLASH_ERR_NOT_A_FILE = -302, /* a directory, a device, a pipe */
  SIM_FLASH_ERR_IN_USE = -303,     /* another process has it open, or this one */
  SIM_FLASH_ERR_SIZE = -304,       /* not 4, 8, 16 or 32 MB */
  SIM_FLASH_ERR_NO_ROOM = -306,    /* a sparse file on a disk that has no room for all of it */
  SIM_FLASH_ERR_SYSTEM = -305,     /* no memory, or the operating system failed */
};

/* The words for LB_OK and the errors above; never NULL. */
const struct lb_error_info *sim_flash_error_info(int code);

/* Is this a size that a flash file may have: 4, 8, 16 or 32 MB? */
bool sim_flash_size_is_valid(uint64_t size);

/* ---- what the chip is like ---- */

struct sim_geometry {
  uint32_t size;                              /* a multiple of the sector */
  uint32_t page_size;                         /* see struct lb_flash */
  uint32_t erase_sizes[LB_FLASH_ERASE_SIZES]; /* see struct lb_flash */
};

/* The module's chip: page 256, erase 4, 32 and 64 KB. And a small one for exhaustive tests: 64, 512 and 2048 bytes. */
struct sim_geometry sim_geometry_real(uint32_t size);
struct sim_geometry sim_geometry_miniature(uint32_t size);

/* How long the chip takes. The erase times belong to the geometry's erase_sizes. */
struct sim_timing {
  uint32_t program_us; /* a page or a part of it */
  uint32_t erase_us[LB_FLASH_ERASE_SIZES];
  uint32_t read_ns; /* a byte */
};

/* Typical values of the W25Q128JV's data sheet, for sim_geometry_real: 0.7 ms, 45/120/150 ms, 20 MB/s. */
extern const struct sim_timing sim_timing_w25q128jv;

/* ---- what is observed ---- */

struct sim_flash_counters {
  uint64_t reads;
  uint64_t programs;
  uint64_t erases; /* of all sizes */
  uint64_t erases_by_size[LB_FLASH_ERASE_SIZES];
  uint64_t bytes_read;
  uint64_t bytes_programmed;
  uint64_t bytes_erased;
  uint64_t refused;    /* operations against the chip's rules: across pages, unaligned, outside */
  uint64_t violations; /* programs and erases in a protected range */
};

enum sim_operation { SIM_OPERATION_PROGRAM, SIM_OPERATION_ERASE };

/*
 * What a cut leaves of the operation that it hits; which part of it follows from the seed. The ways below SIM_CUT_WAYS
 * are what an exhaustive test tries, as far as sim_cut_applies.
 */
enum sim_cut {
  SIM_CUT_BEFORE,         /* nothing of the operation happens */
  SIM_CUT_PROGRAM_PREFIX, /* the first bytes are programmed, and some bits of the next one */
  SIM_CUT_PROGRAM_SUBSET, /* any of the bits that were to be cleared are */
  SIM_CUT_ERASE_MIXED,    /* the block falls into a part that is old, one that is 0xFF and one that is noise */
  SIM_CUT_UNSTABLE, /* each bit that was to be cleared, or each bit of the block, is done, untouched or unstable */
  SIM_CUT_WAYS,
  SIM_CUT_TORN = SIM_CUT_WAYS /* a prefix or a subset of a program, a mixed erase; also where a way does not apply */
};

/* Is that a way of cutting such an operation? Its name: "before", "prefix", "subset", "mixed", "unstable", "torn". */
bool sim_cut_applies(enum sim_cut cut, enum sim_operation operation);
const char *sim_cut_name(enum sim_cut cut);

/* The operation that was cut last. */
struct sim_cut_report {
  enum sim_cut cut;
  enum sim_operation operation;
  uint32_t address;
  uint32_t length;
};

/* What may be wrong with a range of the chip. A failing driver function returns an error and changes nothing. */
enum sim_fault {
  SIM_FAULT_READ_FAILS,
  SIM_FAULT_PROGRAM_FAILS,
  SIM_FAULT_PROGRAM_IGNORED, /* nothing is programmed, and the driver says that it was */
  SIM_FAULT_ERASE_FAILS,
  SIM_FAULT_ERASE_IGNORED /* likewise */
};

#define SIM_FLASH_PROTECTED 8U

struct sim_flash_range {
  uint32_t address;
  uint32_t length;
};

#define SIM_FLASH_FAULTS 8U /* faults at a time */
#define SIM_FLASH_MARKS  8U /* marks within each other */
#define SIM_FLASH_HINTS  8U

struct sim_flash_fault {
  enum sim_fault kind;
  struct sim_flash_range range;
  uint32_t times_left; /* SIM_FAULT_ALWAYS: no end */
};

/* Where unstable bits may be: exactly which ones `mask` says, a bit for each of the chip. */
struct sim_flash_unstable {
  uint8_t *mask; /* NULL: there never was any */
  struct sim_flash_range hints[SIM_FLASH_HINTS];
  uint32_t hint_count;
};

/* A cut that is ordered, and the last one that happened. */
struct sim_flash_power {
  bool on;
  bool cut_fired;
  enum sim_cut cut;
  uint64_t countdown; /* operations up to and including the one that is cut; 0: none will be */
  struct sim_cut_report report;
};

struct sim_flash_mark; /* flash_snapshot.c */

struct sim_flash {
  struct lb_flash driver; /* for the library: valid until sim_flash_close, as long as the struct does not move */
  struct port_idle idle;  /* polled while the chip is busy, at least every millisecond; it must not use the flash */

  /* the rest belongs to flash*.c; see the functions below */
  uint8_t *bytes;
  int fd; /* -1: in memory */
  bool read_only;
  bool busy;
  const struct sim_timing *timing;
  struct sim_clock *clock;
  uint32_t owed_ns; /* below a microsecond */
  struct sim_flash_counters counters;
  uint32_t *wear; /* for each sector, how often it was erased */
  struct sim_flash_power power;
  uint64_t random;
  struct sim_flash_range protected_ranges[SIM_FLASH_PROTECTED];
  uint32_t protected_count;
  struct sim_flash_fault faults[SIM_FLASH_FAULTS];
  uint32_t fault_count;
  uint64_t fault_hits;
  struct sim_flash_unstable unstable;
  struct sim_flash_mark *marks; /* SIM_FLASH_MARKS of them once one was made; NULL before */
  uint32_t mark_count;
  uint32_t generation;
};

/* ---- opening ---- */

enum sim_flash_access {
  SIM_FLASH_READ_WRITE, /* nobody else has the file open */
  SIM_FLASH_READ_ONLY,  /* others may read it, too; programs and erases fail */
};

/* Opens a flash file as the module's chip. One of the errors above. */
int sim_flash_open_file(struct sim_flash *flash, const char *path, enum sim_flash_access access);

/* Makes a blank flash in memory. SIM_FLASH_ERR_SYSTEM, or LB_ERR_ARGUMENT for an impossible geometry. */
int sim_flash_open_memory(struct sim_flash *flash, const struct sim_geometry *geometry);

/* Ends it; safe to call again, and after a failed open. What was written to a file is in it. */
void sim_flash_close(struct sim_flash *flash);

/*
 * Makes sure that what was programmed and erased so far reaches the disk before anything that comes later does. False
 * if the operating system could not; always true in memory.
 */
bool sim_flash_sync(struct sim_flash *flash);

/*
 * All bytes, to look at and, unless it was opened read-only, to damage behind the driver's back (tell sim_flash_touch
 * before). An unstable bit reads here as whatever was left of it.
 */
uint8_t *sim_flash_bytes(struct sim_flash *flash);

/* From now on operations take time on `clock`; NULL, as at the beginning: no time. Both stay valid. */
void sim_flash_set_timing(struct sim_flash *flash, const struct sim_timing *timing, struct sim_clock *clock);

/* ---- counting ---- */

const struct sim_flash_counters *sim_flash_counters(const struct sim_flash *flash);
void sim_flash_clear_counters(struct sim_flash *flash); /* the wear stays */

/* How often the sector at `address` was erased since the flash was opened; the most worn sector; all together. */
uint32_t sim_flash_wear(const struct sim_flash *flash, uint32_t address);
uint32_t sim_flash_wear_max(const struct sim_flash *flash);
uint64_t sim_flash_wear_total(const struct sim_flash *flash);

/*
 * Refuses programs and erases that touch a range, and counts them as violations. Returns false if
 * SIM_FLASH_PROTECTED ranges are protected already.
 */
bool sim_flash_protect(struct sim_flash *flash, uint32_t address, uint32_t length);
void sim_flash_unprotect_all(struct sim_flash *flash);

/* ---- power ---- */

/* What is torn, and how unstable bits read, follows from the seed; 0 at the beginning. */
void sim_flash_seed(struct sim_flash *flash, uint64_t seed);

/*
 * Cuts the power at the program or erase of that number, counted from this call: 1 is the next one. 0 takes the order
 * back. Operations that are refused do not count. After the cut every function of the driver fails.
 */
void sim_flash_cut_at(struct sim_flash *flash, uint64_t operation_number, enum sim_cut cut);
bool sim_flash_cut_fired(const struct sim_flash *flash);

/* What was cut last; all zero before the first cut. */
const struct sim_cut_report *sim_flash_cut_report(const struct sim_flash *flash);

/* Power is back: the driver works again, and the next cut can be ordered. */
void sim_flash_power_on(struct sim_flash *flash);

/*
 * How many bits of a range are unstable. Such a bit reads randomly at each read, until it is programmed to 0 or its
 * block is erased; they come from SIM_CUT_UNSTABLE alone, and only where the operation that was cut was at work.
 */
uint32_t sim_flash_unstable_bits(const struct sim_flash *flash, uint32_t address, uint32_t length);

/* ---- broken parts ---- */

#define SIM_FAULT_ALWAYS 0U

/*
 * Breaks a range: the operations of that kind that touch it fail or are ignored, the next `times` of them, or always.
 * False if SIM_FLASH_FAULTS are set already. sim_flash_fault_hits counts all operations that it happened to.
 */
bool sim_flash_set_fault(struct sim_flash *flash, enum sim_fault kind, uint32_t address, uint32_t length,
                         uint32_t times);
void sim_flash_clear_faults(struct sim_flash *flash);
uint64_t sim_flash_fault_hits(const struct sim_flash *flash);

/* ---- going back ---- */

/*
 * Remembers what the chip is now: bytes, unstable bits, wear, random numbers, power and the ordered cut. Only what
 * changes afterwards is copied, a sector at a time, so neither this nor going back depends on the size of the chip.
 * Marks nest, SIM_FLASH_MARKS deep. False beyond that, and without memory.
 */
bool sim_flash_mark(struct sim_flash *flash);

/*
 * Goes back to the last mark, which stays. Counters, faults and protected ranges stay as they are. Does nothing without
 * a mark.
 */
void sim_flash_rewind(struct sim_flash *flash);

/* Forgets the last mark and stays where it is: the mark before, if there is one, is now the last. */
void sim_flash_unmark(struct sim_flash *flash);

/*
 * Says that bytes of this range are about to be changed through sim_flash_bytes, so that marks know. False without
 * memory.
 */
bool sim_flash_touch(struct sim_flash *flash, uint32_t address, uint32_t length);

/* How many sectors have changed since the last mark, and which, in no order; 0 without a mark. */
uint32_t sim_flash_changed_count(const struct sim_flash *flash);
uint32_t sim_flash_changed_at(const struct sim_flash *flash, uint32_t index);

#endif
