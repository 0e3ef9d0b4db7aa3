"""Everything that can be asked, in one table: the routes and the API document are both made from it."""

from __future__ import annotations

from sshsched.service import answers, bodies
from sshsched.service.openapi import Endpoint

RUN = {"run": "r123"}
FILTER = {
    "filter": "Terms as `sshsched runs` takes them: `state:running host:web1 !text`",
    "states": "States, separated by commas",
    "job": "A job's id, or `prefix/*`",
    "host": "A host's name",
    "label": "A label",
    "since": "Made at this time or later; ISO 8601 with zone, or seconds since 1970",
    "until": "Made before this time",
    "ids": "Runs, separated by commas",
    "args": "NAME=VALUE; may be given several times",
    "text": "Text that the run holds",
}

ENDPOINTS = (
    Endpoint("GET", "/v1/status", "status", "About the scheduler"),
    Endpoint(
        "GET", "/v1/runs", "runs", "Runs, newest first", answers.RunsAnswer,
        query={**FILTER, "limit": "At most so many, up to 1000; 100 if left out", "before": "Only runs older"},
    ),
    Endpoint("POST", "/v1/runs", "submit", "Make runs, all or none", answers.RunsAnswer, bodies.SubmitBody, status=201),
    Endpoint("POST", "/v1/runs/stop", "stop", "End runs: those that have not started are skipped", answers.RunsAnswer,
             bodies.StopRunsBody),
    Endpoint("POST", "/v1/runs/rerun", "rerun", "Make finished runs once more", answers.RunsAnswer, bodies.RerunBody,
             status=201),
    Endpoint("POST", "/v1/runs/start", "start", "Start runs past their time and conditions", answers.RunsAnswer,
             bodies.RunsBody),
    Endpoint("POST", "/v1/runs/mark", "mark", "Take finished runs for another outcome", answers.RunsAnswer,
             bodies.MarkBody),
    Endpoint("POST", "/v1/runs/explain", "explain", "What would happen to runs if they were made now",
             answers.ExplainedAnswer, bodies.SubmitBody),
    Endpoint("POST", "/v1/hold", "hold", "Keep runs, jobs, hosts or everything from starting", answers.HoldsAnswer,
             bodies.HoldBody),
    Endpoint("POST", "/v1/release", "release", "Let go what is held", answers.HoldsAnswer, bodies.HoldBody),
    Endpoint("GET", "/v1/runs/{run}", "run", "A run and its log", answers.RunAndLogAnswer, path_words=RUN),
    Endpoint(
        "GET", "/v1/runs/{run}/output/{stream}", "output", "What a run has printed", "application/octet-stream",
        query={"offset": "The first byte to send", "follow": "1: go on until all has been printed"},
        path_words={**RUN, "stream": "stdout or stderr"},
    ),
    Endpoint("GET", "/v1/hosts", "hosts", "The hosts that matter now", answers.HostsAnswer),
    Endpoint("POST", "/v1/hosts/{host}/check", "check_host", "Connect to a host, probe and report",
             path_words={"host": "A host's name"}),
    Endpoint(
        "GET", "/v1/events", "events",
        "Server-sent events: `snapshot` (SnapshotAnswer), then `run` (RunAnswer), `host`, `output` (OutputAnswer) and "
        "`jobs` (JobsAnswer)",
        "text/event-stream",
        query={"runs": "Only these runs, finished ones too", "since": "Resume after this event; so does Last-Event-ID"},
    ),
    Endpoint("POST", "/v1/jobs/reload", "reload", "Read the job files again", answers.JobsAnswer, bodies.ReloadBody),
    Endpoint("POST", "/v1/archive", "archive", "Let old runs leave the store: a round of it", answers.ArchiveAnswer,
             bodies.ArchiveBody),
    Endpoint("POST", "/v1/vacuum", "vacuum", "Give room in the database back to the disk: a round of it",
             answers.VacuumAnswer, bodies.VacuumBody),
    Endpoint("POST", "/v1/shutdown", "shutdown", "End the scheduler; programs go on", body=bodies.ShutdownBody,
             status=202),
    Endpoint("GET", "/metrics", "metrics", "Figures for Prometheus", "text/plain"),
    Endpoint("GET", "/v1/openapi.json", "openapi", "This document"),
)  # fmt: skip
