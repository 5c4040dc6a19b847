# Weir. `make help` lists the targets.
BUILD ?= build
CXX ?= g++
CXXFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Werror
CORE_PKGS = yajl hiredis libcrypto zlib
FLUSHER_PKGS = libpq spdlog libsystemd
ALL_CXXFLAGS = -std=c++17 $(WARNINGS) $(CXXFLAGS) -fPIC -MMD -MP -I. $(SANITIZE)
SCHEMA_VERSION = $(shell ls sql/migrations/*.sql 2>/dev/null | tail -1 | sed 's:.*/0*\([0-9]*\)_.*:\1:')

CORE_SRCS = $(wildcard core/*/*.cpp)
UNIT_SRCS = $(wildcard t/unit/*.cpp)
FLUSHER_SRCS = $(wildcard flusher/*.cpp)
CTL_SRCS = $(wildcard ctl/*.cpp)
objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))

.PHONY: all unit clean
all: $(BUILD)/libweir_core.a $(BUILD)/weir-flusher $(BUILD)/weirctl

$(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) -c -o $@ $<

$(BUILD)/libweir_core.a: $(call objects,$(CORE_SRCS))
	rm -f $@ && ar rcs $@ $^

# -Wshadow and -Wconversion are for our code; Check's macros are not ours.
$(BUILD)/obj/t/unit/%.o: WARNINGS = -Wall -Wextra -Werror

$(BUILD)/unit: $(call objects,$(UNIT_SRCS)) $(BUILD)/libweir_core.a
	$(CXX) $(SANITIZE) -o $@ $^ $$(pkg-config --libs check $(CORE_PKGS))

$(BUILD)/weir-flusher: $(call objects,$(FLUSHER_SRCS)) $(BUILD)/libweir_core.a
	$(CXX) $(SANITIZE) -o $@ $^ $$(pkg-config --libs $(CORE_PKGS) $(FLUSHER_PKGS)) -lfmt

$(BUILD)/weirctl: $(call objects,$(CTL_SRCS)) $(BUILD)/libweir_core.a
	$(CXX) $(SANITIZE) -o $@ $^ $$(pkg-config --libs $(CORE_PKGS) libpq)

unit: $(BUILD)/unit
	$(BUILD)/unit

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
