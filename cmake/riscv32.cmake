# SPDX-License-Identifier: MIT
# Debian's compiler for bare RISC-V, set to the emulated board's 32-bit processor. Another spelling of -march would make
# it link a libgcc for 64 bits.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(machine "-march=rv32imac -mabi=ilp32 -misa-spec=2.2 -mcmodel=medany")
set(CMAKE_C_FLAGS_INIT "${machine} -Os -msave-restore -g -ffreestanding -ffunction-sections -fdata-sections -fstack-usage -fcallgraph-info=su")
set(CMAKE_ASM_FLAGS_INIT "${machine}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -nostartfiles -static")
