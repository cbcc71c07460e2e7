# SPDX-License-Identifier: Apache-2.0
# A short front for Meson and the tools. Everything fetched or built lands under build/.

NINJA   := ninja
HOST    := build/host
ARM64   := build/arm64
ON_ARM  := $(filter aarch64,$(shell uname -m))
# What `make demo` runs on: KVM if this machine has it for Arm, an Arm CPU in software otherwise.
HV      ?= $(if $(ON_ARM),auto,soft)
# What it shows: stack (TF-A, OP-TEE, U-Boot, Linux) or linux (the kernel alone).
DEMO    ?= stack

# The program for the machine that runs guests: this one if it is an arm64 machine.
ifeq ($(ON_ARM),)
GUEST_HOST_BUILD := arm64
else
GUEST_HOST_BUILD := all
endif

.PHONY: all arm64 demo check check-long bench install format lint clean help python3 program

all: packages-build $(HOST)/build.ninja
	@$(NINJA) -C $(HOST)

# Cross-built for the arm64 hosts that `make demo HV=kvm` and the tests run on.
arm64: packages-build packages-cross build/cross-arm64.ini $(ARM64)/build.ninja
	@$(NINJA) -C $(ARM64) obverse

packages-%: python3
	@tools/packages $*

# The tools are written in it, the one that installs packages as well.
python3:
	@command -v python3 >/dev/null || { echo 'installing packages for the tools: python3'; \
		$$(test "$$(id -u)" = 0 || echo sudo) sh -c 'apt-get -q update && \
		DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends python3' \
		>/dev/null; }

$(HOST)/build.ninja:
	@meson setup $(HOST) >build/meson-host.log 2>&1 || { cat build/meson-host.log; exit 1; }

build/cross-arm64.ini: tools/packages.lock
	@tools/sysroot

$(ARM64)/build.ninja: | build/cross-arm64.ini
	@meson setup $(ARM64) --cross-file build/cross-arm64.ini --buildtype release \
		>build/meson-arm64.log 2>&1 || { cat build/meson-arm64.log; exit 1; }

$(HOST)/build.ninja $(ARM64)/build.ninja: | build
build:
	@mkdir -p build

# Only the program.
program: packages-build $(HOST)/build.ninja
	@$(NINJA) -C $(HOST) obverse

demo: packages-demo $(if $(filter kvm%,$(HV)),$(if $(ON_ARM),program,arm64),program)
	@tools/demo --demo $(DEMO) --hv $(HV)

# The one test command. Last line: N passed, N failed, N skipped.
check: packages-check all $(GUEST_HOST_BUILD)
	@tests/check

check-long: packages-check all $(GUEST_HOST_BUILD)
	@tests/check --long

bench: packages-bench $(GUEST_HOST_BUILD)
	@tools/bench

install: all
	@meson install -C $(HOST)

format:
	@git ls-files '*.[ch]' | xargs clang-format -i

lint: packages-check all
	@tests/lint

clean:
	rm -rf $(HOST) $(ARM64) build/check build/fuzz build/arm64-check

help:
	@sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile | sort -u
