#!/usr/bin/env bash
# One audit with its gate; the decision goes into the job summary, the code and folder to later
# steps. Ends with 0 so that what was filed can be uploaded before the gate speaks.
set -uo pipefail

out="$(mktemp -d "${RUNNER_TEMP:-/tmp}/clip-audit-XXXXXX")"
gate=()
[ -z "${FAIL_ON:-}" ] || gate+=(--fail-on "$FAIL_ON")
[ -z "${BASELINE:-}" ] || gate+=(--baseline "$BASELINE")
[ -z "${WAIVERS:-}" ] || gate+=(--waivers "$WAIVERS")
audit=()
[ -z "${MODEL:-}" ] || audit+=(--model "$MODEL")
[ -z "${PRETRAINED:-}" ] || audit+=(--pretrained "$PRETRAINED")
[ -z "${PHOTOS:-}" ] || audit+=(--photos "$PHOTOS")

# Old shells take an empty list for an unset one; hence the longer spelling.
clip-audit run "$PLAN" ${audit[@]+"${audit[@]}"} ${gate[@]+"${gate[@]}"} \
  --out "$out" --format "${FORMATS:-html}"
code=$?

folder=""
for result in "$out"/*/result.json; do
  [ ! -f "$result" ] || folder="$(dirname "$result")"
done
if [ -n "$folder" ]; then
  clip-audit gate "$folder" --plan "$PLAN" ${gate[@]+"${gate[@]}"} --format markdown \
    >> "$GITHUB_STEP_SUMMARY"
else
  printf '### Gate: no audit\n\nIt ended with %s and nobody looked: this is not a pass.\n' "$code" \
    >> "$GITHUB_STEP_SUMMARY"
fi
printf 'code=%s\nfolder=%s\n' "$code" "$folder" >> "$GITHUB_OUTPUT"
