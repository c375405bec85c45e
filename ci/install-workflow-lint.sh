#!/bin/sh
# Installs what the tests check the generated GitHub workflows with, beside what npm installs: zizmor, and GitHub's own
# schemas of check-jsonschema, from PyPI into a folder of their own. Safe to run again: what is there stays untouched.
# Needs root where Python's venv module is missing.
#
#   ci/install-workflow-lint.sh [folder]     default: $A3S_WORKFLOW_LINT, else <tmp>/a3s-workflow-lint; programs in bin/
set -eu

zizmor=1.32.0
jsonschema=0.39.0
folder=${1:-${A3S_WORKFLOW_LINT:-${TMPDIR:-/tmp}/a3s-workflow-lint}}

if [ ! -e "$folder/complete-$zizmor-$jsonschema" ]; then
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
  fi
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check "zizmor==$zizmor" "check-jsonschema==$jsonschema"
  touch "$folder/complete-$zizmor-$jsonschema"
fi
"$folder/bin/zizmor" --version
