# SPDX-License-Identifier: MIT
# The front door of Lifeboat. CMake (CMakePresets.json) builds; here the steps are put in order.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.NOTPARALLEL: # CMake and CTest use the processors; steps here rely on their order

PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
VENV := build/venv

# A fault that a sanitizer finds ends with a status of its own, lest a session takes it for a refused command (1).
# handle_segv=2: cmocka would catch the signal and hide where it came from.
export ASAN_OPTIONS ?= exitcode=99:detect_stack_use_after_return=1:handle_segv=2
export UBSAN_OPTIONS ?= exitcode=99:print_stacktrace=1

# $(call compile,PRESET[,TARGET])
define compile
@cmake --preset $(1) >/dev/null
@cmake --build --preset $(1) $(if $(2),--target $(2))
endef

.PHONY: build demo board board-build board-test board-sample test unit session check format check-format check-tidy \
  check-cppcheck check-sources check-mutants check-clang cross size size-update port-lines port-lines-update coverage \
  fuzz damage faults faults-quick mutation kills network bench bench-patch campaign clean help

build: packages-build ## build build/lifeboat
	$(call compile,release)

demo: build ## play the mission's session with a virtual module and a local depot
	@scripts/demo.sh

BOARD := build/board
board-build: build packages-board $(BOARD)/sources.done ## the emulated board's first stage, bootloader and firmwares
	@cmake -S ports/sifive_u -B $(BOARD) -G Ninja --toolchain $(CURDIR)/cmake/riscv32.cmake >/dev/null
	@cmake --build $(BOARD)

$(BOARD)/sources.done: packaging/debian-sources.txt packaging/fetch-sources.sh
	@packaging/fetch-sources.sh lwip mbedtls
	@mkdir -p $(BOARD) && touch $@

FRESH ?=
board: board-build $(VENV)/installed ## the board in QEMU, a depot, and you at its console; FRESH=1: with a new flash and card
	@$(VENV)/bin/python scripts/board.py $(if $(filter-out 0,$(FRESH)),--fresh)

BOARD_PYTHON := LIFEBOAT_BINARY=$(CURDIR)/build/lifeboat $(VENV)/bin/python
BOARD_PYTEST := $(BOARD_PYTHON) -m pytest -n 2 --timeout=300 -o cache_dir=$(CURDIR)/build/pytest tests/board
board-test: board-build $(VENV)/installed ## everything that is tested on the board, with all power cuts
	@$(BOARD_PYTEST)
	@$(BOARD_PYTHON) tests/board/power_cut_campaign.py

board-sample: board-build $(VENV)/installed ## a part of it, with 25 power cuts
	@$(BOARD_PYTEST) -m sample

test: packages-build packages-test build unit session board-sample coverage ## build and pass all tests

unit: packages-build packages-test ## the unit tests, under the sanitizers
	@packaging/fetch-sources.sh lwip
	$(call compile,asan,unit_tests)
	@ctest --preset asan

session: packages-build packages-test $(VENV)/installed ## whole sessions with the program, under the sanitizers
	$(call compile,asan)
	@LIFEBOAT_BINARY=$(CURDIR)/build/asan/lifeboat \
	  $(VENV)/bin/python -m pytest -n 2 --timeout=300 -o cache_dir=$(CURDIR)/build/pytest tests/session

COVERED := build/coverage/CMakeFiles/lifeboat.dir build/coverage/CMakeFiles/lifeboat_patch.dir
# They repeat by the thousand what others do once, and have just run under the sanitizers.
LONG_TESTS := ^(test_nvs_cuts|test_nvs_hostile|test_power_cut|test_resume_cuts|network|damage_.*)$$
coverage: packages-build packages-test ## which lines of lib/ the unit tests reach
	$(call compile,coverage,unit_tests)
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -E '$(LONG_TESTS)' >build/coverage/ctest.log || { cat build/coverage/ctest.log; exit 1; }
	@echo "lines of lib/ (at least 97 %)"
	@gcovr --root . --filter 'lib/' --fail-under-line 97 $(COVERED)
	@echo "branches of lib/ (at least 90 %)"
	@gcovr --root . --filter 'lib/' --branches --fail-under-branch 90 $(COVERED)

FUZZ_SECONDS ?= 60
fuzz: packages-build packages-test packages-fuzz ## fuzz each parser for FUZZ_SECONDS (60)
	$(call compile,fuzz,fuzz_all)
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

damage: packages-build packages-test ## flip every bit, fail every operation, wear the flash out with 10,000 updates
	$(call compile,faults,damage)
	@build/faults/tests/damage/rot
	@build/faults/tests/damage/failing
	@build/faults/tests/damage/wear

faults: packages-build packages-test ## cut the power at every operation of every scenario, and again in each recovery
	$(call compile,faults,faults)
	@build/faults/tests/faults/faults

faults-quick: packages-build packages-test ## a part of it, with every scenario and every way of cutting
	$(call compile,faults,faults)
	@build/faults/tests/faults/faults --quick

mutation: packages-build packages-test ## break lib/ in many ways and show that the tests notice each
	@$(PYTHON) tests/mutation/mutate.py

KILLS ?= 300
kills: build $(VENV)/installed ## kill a module KILLS (300) times in the middle of an update, and update it again
	@LIFEBOAT_BINARY=$(CURDIR)/build/lifeboat $(VENV)/bin/python tests/session/kill_campaign.py --runs $(KILLS)

SESSIONS ?= 10000
network: packages-build packages-test ## update through SESSIONS (10000) of the worst servers and links
	$(call compile,asan,network)
	@build/asan/tests/network/network --sessions $(SESSIONS)

CAMPAIGNS ?=
campaign: $(VENV)/installed ## run all of these at full count, and write the result into docs/campaign.md
	@$(PYTHON) scripts/campaign.py $(CAMPAIGNS)

$(VENV)/installed: tests/requirements.txt | packages-test
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

check: packages-build packages-check check-sources check-mutants check-format check-clang check-tidy check-cppcheck ## all static checks

c_files = $(wildcard $(shell git ls-files --cached --others --exclude-standard --deduplicate '*.c' '*.h'))
check-format:
	@echo "clang-format: the layout of $(words $(c_files)) files"
	@clang-format --dry-run -Werror $(c_files)

format: packages-check ## lay out all C files
	@clang-format -i $(c_files)

check-sources:
	@echo "licence lines and the direction of includes"
	@$(PYTHON) scripts/check_sources.py

check-mutants:
	@echo "the texts that the mutation run breaks, each in its place"
	@$(PYTHON) tests/mutation/mutate.py --check

check-clang:
	@echo "clang: warnings"
	$(call compile,clang)

ROOMS := lib boot module ports tool
check-tidy: check-clang
	@echo "clang-tidy: $(ROOMS)"
	@$(PYTHON) "$$(command -v run-clang-tidy)" -quiet -j2 -p build/clang '^$(CURDIR)/(lib|boot|module|ports|tool)/' \
	  >build/clang/tidy.log 2>&1 || { grep -vE '^clang-tidy|warnings? generated|^$$' build/clang/tidy.log; exit 1; }

check-cppcheck:
	@echo "cppcheck: $(ROOMS)"
	@mkdir -p build/cppcheck
	@cppcheck --quiet -j2 --std=c11 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
	  --cppcheck-build-dir=build/cppcheck --suppressions-list=packaging/cppcheck-suppressions.txt -Iinclude -I. $(ROOMS)

cross: packages-build packages-cross ## compile lib/, lib/patch/ for the targets without an operating system
	@$(PYTHON) scripts/cross.py

size: board-build packages-cross ## code, data and stack of library and board, compared with docs/size-table.txt
	@$(PYTHON) scripts/size.py

size-update: board-build packages-cross ## rewrite docs/size-table.txt
	@$(PYTHON) scripts/size.py --update

port-lines: ## count the lines of the example port that docs/porting.md states
	@$(PYTHON) scripts/port_lines.py

port-lines-update: ## rewrite them in docs/porting.md
	@$(PYTHON) scripts/port_lines.py --update

bench: build packages-bench ## measure updates against the physical bound
	@build/bench/update_bench

PAIRS ?=
BENCH_VENV := build/bench-venv
bench-patch: build packages-bench $(BENCH_VENV)/installed ## compare our patches with those of other tools; PAIRS=DIR: of DIR/NAME/{old,new}.bin
	@$(BENCH_VENV)/bin/python bench/patch_bench.py $(if $(PAIRS),--pairs '$(PAIRS)')

$(BENCH_VENV)/installed: bench/requirements.txt | packages-bench
	@rm -rf $(BENCH_VENV)
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip --quiet --disable-pip-version-check install -r $<
	@touch $@

clean: ## remove all that was built
	@rm -rf build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' Makefile

package_groups := $(addprefix packages-,build test check cross board bench fuzz)
.PHONY: $(package_groups)
$(package_groups):
	@packaging/install-packages.sh $(@:packages-%=%)
