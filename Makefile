# Thin: each target is one script, which installs what is missing and says what it does.
.PHONY: run test test-all check bench console

run:       ; @scripts/run.sh
test:      ; @scripts/test.sh
test-all:  ; @scripts/test-all.sh
check:     ; @scripts/check.sh
bench:     ; @scripts/bench.sh
console:   ; @scripts/console.sh
