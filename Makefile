# make certify   install what is missing, certify the sample drop on the embedded testbed
# make test      install what is missing, run the project's own tests
#
# Both need root for network namespaces and containers; as another user they use sudo, and say so if there is none.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
NFVCERT := $(VENV)/bin/nfvcert
NATIVE := build/native
DROP := build/drops/edge-gateway
STAMPS := build/stamps
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -E)

NATIVE_SOURCES := $(shell find lib/native fixtures/workloads fixtures/nonconformities meson.build -type f \
	\( -name '*.cpp' -o -name '*.hpp' -o -name 'meson.build' \) 2>/dev/null)
DROP_SOURCES := $(shell find fixtures/drops fixtures/workloads lib/nfvcert/drop -type f ! -name '*.pyc' 2>/dev/null)

.PHONY: certify test lint format native drop setup clean help

certify: $(DROP)/drop.yaml privileges
	@$(SUDO) $(NFVCERT) certify $(DROP) --testbed testbeds/embedded.yaml

test: $(DROP)/drop.yaml lint privileges
	@$(SUDO) meson test -C $(NATIVE) --quiet --print-errorlogs
	@$(SUDO) $(PYTHON) -m pytest lib/tests/unit -q -n 2
	@$(SUDO) $(PYTHON) -m pytest lib/tests/acceptance -q

lint: $(STAMPS)/python
	@$(VENV)/bin/ruff check --no-cache .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache | grep -E 'KEPT|BROKEN|kept,|->' ; exit $${PIPESTATUS[0]}
	@$(NFVCERT) catalogue check

format:
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

# what the unmodified TRex client and our server on the real engine say to each other, for the tests to replay
.PHONY: trex-conversation
trex-conversation: $(STAMPS)/native privileges
	@$(SUDO) $(PYTHON) lib/tests/unit/traffic/trex/record_conversation.py

native: $(STAMPS)/native
drop: $(DROP)/drop.yaml
setup: $(STAMPS)/debian $(STAMPS)/python $(STAMPS)/native

# one message that names what is missing, and exit status 3
.PHONY: privileges
privileges:
	@if [ "$$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then \
	  echo "nfvcert: root or sudo is needed: network namespaces (CAP_SYS_ADMIN, CAP_NET_ADMIN), raw sockets (CAP_NET_RAW), containers (runc)" >&2; \
	  exit 3; fi

$(STAMPS)/debian: packages-debian.txt
	@mkdir -p $(STAMPS)
	@wanted=$$(sed 's/#.*//' packages-debian.txt | xargs); missing=; \
	for package in $$wanted; do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then \
	    echo "nfvcert: Debian packages are missing and only root can install them:$$missing" >&2; exit 3; fi; \
	  echo "installing Debian packages:$$missing"; \
	  $(SUDO) apt-get -qq update; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; fi
	@touch $@

$(STAMPS)/python: pyproject.toml $(STAMPS)/debian
	@echo "installing Python packages into $(VENV)"
	@[ -x $(PYTHON) ] || /usr/bin/python3.11 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(STAMPS)/native: $(NATIVE_SOURCES) $(STAMPS)/debian
	@echo "building native programs"
	@[ -f $(NATIVE)/build.ninja ] || meson setup $(NATIVE) >/dev/null
	@meson compile -C $(NATIVE) >$(STAMPS)/native.log || { tail -n 40 $(STAMPS)/native.log; exit 1; }
	@touch $@

$(DROP)/drop.yaml: $(DROP_SOURCES) $(STAMPS)/native $(STAMPS)/python
	@$(NFVCERT) drop build fixtures/drops/edge-gateway --output $(DROP)
	@touch $@

clean:
	@rm -rf build $(VENV) reports/output
