# Everything a person types. `make up` and `make check` work from a clean clone as root.
DATA ?= /var/lib/davy
PREFIX ?= /usr/local
BUILD ?= build
PORTS ?= default

.PHONY: up down build check lint bench fuzz install deps

up: build          ## install what is missing, build, start Davy and show that it works
	@tools/up $(BUILD)/davy $(DATA) $(PORTS)

down: build        ## stop what `make up` started, and the containers
	@$(BUILD)/davy stop --data $(DATA)
	@$(BUILD)/davy purge --data $(DATA)

build: deps
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet davy davy-shim

deps:
	@tools/deps build

check:             ## install what tests need and run them all
	@tools/check

lint:              ## format, clang-tidy and the house rules
	@tools/deps check
	@tools/lint

bench: build       ## measure; BENCH="--quick" for 40 s at most
	@tools/deps check
	@for b in bench/*/run; do "$$b" $(BENCH) || exit 1; done

fuzz:              ## real fuzzing with clang's libFuzzer; SECONDS_EACH=60
	@tools/deps check
	@tools/fuzz

install: build     ## binary and systemd unit
	install -D -m 755 $(BUILD)/davy $(DESTDIR)$(PREFIX)/bin/davy
	install -D -m 755 $(BUILD)/davy-shim $(DESTDIR)$(PREFIX)/bin/davy-shim
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/davy/README.md
	install -D -m 644 packaging/davy.service $(DESTDIR)/etc/systemd/system/davy.service
	sed -i 's|/usr/local|$(PREFIX)|' $(DESTDIR)/etc/systemd/system/davy.service
