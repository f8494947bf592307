#!/bin/sh
# The namespace and the search attributes that dbgov's workflows use. Safe to run again.
set -eu
until temporal operator cluster health >/dev/null 2>&1; do sleep 1; done
temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
  temporal operator namespace create --namespace default --retention 720h
for name in DbgovDatabase DbgovEngine DbgovPolicy DbgovOutcome; do
  temporal operator search-attribute list --namespace default | grep -q "$name" ||
    temporal operator search-attribute create --namespace default --name "$name" --type Keyword
done
