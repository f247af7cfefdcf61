# `make demo` and `make test` need nothing but Python 3.11+, pip and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test test-all lint types bench references clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("mapopt needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup
	@mkdir -p out
	$(BIN)/mapopt instance resnet18 --platform imce:imc=8,dpu=2 -o out/r18.json
	$(BIN)/mapopt bounds out/r18.json
	$(BIN)/mapopt compare out/r18.json --mappers lblp,wb,rr,rd,lpt,heft,heft-tp,cpop-tp,maxtp
	$(BIN)/mapopt map out/r18.json --mapper lblp -o out/lblp.json
	$(BIN)/mapopt schedule out/r18.json out/lblp.json -o out/lblp-schedule.json
	$(BIN)/mapopt verify out/r18.json out/lblp-schedule.json
	$(BIN)/mapopt emulate out/r18.json out/lblp-schedule.json --gantt out/lblp.svg --trace out/lblp.trace.json
	$(BIN)/mapopt solve out/r18.json --objective period,latency --time-limit 20 -o out/best.json
	$(BIN)/mapopt explain out/r18.json out/best.json
	$(BIN)/mapopt study new demo > out/study.toml
	$(BIN)/mapopt study run out/study.toml --results out/results
	$(BIN)/mapopt report out/results/demo -o out/report.html
	@echo "report: out/report.html; picture: out/lblp.svg; trace for ui.perfetto.dev: out/lblp.trace.json"

test: setup
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist worksteal

test-all: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m benchmarks

# About two hours; every run is kept under results/runs and reused, so it may be interrupted.
references: setup
	$(BIN)/python -m benchmarks.references

clean:
	rm -rf .venv out dist build
