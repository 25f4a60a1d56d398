"""What the parts of the campaign share that run scenarios.lua: the hosts, the endpoints, running a scenario below
another program, and judging how it ended."""
import concurrent.futures
import errno
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCENARIOS = ROOT / "Tests/Campaign/Scenarios"
MODULE_BUILD = ROOT / ".build/module/release"

# Milliseconds. A call may end so long after its timeout, on an idle machine and without a tracer.
LATE_MAX = 100
# Milliseconds of processor time. A scenario needs about 5; one that does not wait needs its timeout of 200.
BUSY_MAX = 150
# Seconds. A scenario that takes longer hangs: each call in it has a timeout of 0.2 s.
HANGS_AFTER = 20
# How often a run that ended late is repeated: only what is late each time is a fault.
REPEATS = 2

# What an error honestly becomes. A call that was interrupted, or is said to be impossible now, and never becomes
# possible: its deadline passes. A reset that arrives as EPIPE. A wait set without room is ENOBUFS.
BECOMES = {
    "EINTR": {"ECONNRESET", "ENOTCONN", "ETIMEDOUT"},
    "EPIPE": {"ECONNRESET"},
    "ENOSPC": {"ENOBUFS"},
    "EAGAIN": {"ETIMEDOUT", "ECONNRESET", "ENOTCONN"},
    "ENOTCONN": {"ETIMEDOUT", "ECONNRESET"},
}




def stop(message):
    """Ends the program: it cannot run."""
    print(message, file=sys.stderr)
    sys.exit(2)


def arguments(program, text):
    """The arguments [--every N] [NAME ...]: N and the names. Prints the text for --help."""
    every, names, given = 1, [], sys.argv[1:]
    while given:
        argument = given.pop(0)
        if argument == "--help":
            print(text.strip())
            sys.exit(0)
        if argument == "--every" and given and given[0].isdigit() and int(given[0]) > 0:
            every = int(given.pop(0))
        elif argument.startswith("-"):
            stop(f"{program}: wrong argument {argument}; see --help")
        else:
            names.append(argument)
    return every, names


def sample(jobs, every):
    """Each Nth job, spread over all kinds of them: always the same ones."""
    return [job for job in jobs if zlib.crc32(str(job).encode()) % every == 0]


def codes_of(error):
    """The codes with which a call may end that was made to fail with an errno name."""
    # LuaSocket's dialect has texts instead of codes.
    text = "luasocket:" + os.strerror(getattr(errno, error)).lower().replace(" ", "-")
    return {error, text} | BECOMES.get(error, set())


class Result:
    """How one run of a scenario ended."""

    def __init__(self, completed):
        text = completed.stdout if completed else ""
        found = re.findall(r"^RESULT (.*)" + r"\t(-?\d+)" * 4 + "$", text, re.M)
        self.outcome, self.late, self.busy, self.descriptors, self.threads = None, 0, 0, 0, 0
        if completed is None:
            self.outcome = "HANGS"
        elif completed.returncode < 0 or completed.returncode > 128:
            self.outcome = f"CRASHES (status {completed.returncode})"
        elif not found:
            self.outcome = f"NO RESULT (status {completed.returncode}): {(completed.stderr or text)[-300:]}"
        else:
            self.outcome = found[-1][0]
            self.late, self.busy, self.descriptors, self.threads = map(int, found[-1][1:])

    def faults(self, allowed, late_max=LATE_MAX, descriptors_max=0):
        """What is wrong with it. `allowed`: the codes that it may end with; it may always go on ("ok")."""
        if self.outcome != "ok" and self.outcome not in allowed:
            return [self.outcome]
        faults = []
        if self.late > late_max:
            faults.append(f"{self.late} ms late")
        if self.busy > BUSY_MAX:
            faults.append(f"{self.busy} ms of processor time")
        if self.descriptors > descriptors_max:
            faults.append(f"{self.descriptors} descriptors left")
        if self.threads > 0:
            faults.append(f"{self.threads} threads left")
        return faults


class Campaign:
    """The hosts and the endpoints. To be used in a `with` statement."""

    def __init__(self):
        self.work = pathlib.Path(tempfile.mkdtemp())
        # Other users run the scenarios too.
        self.work.chmod(0o755)
        modules = self.work / "modules/connectbylist"
        modules.mkdir(parents=True)
        for core in "core", "simulation_core":
            source = MODULE_BUILD / f"libconnectbylist_{core}.so"
            if not source.exists():
                stop(f"{source} is missing: CONNECTBYLIST_MODULE=1 swift build -c release "
                     "--scratch-path .build/module")
            shutil.copy(source, modules / f"{core}.so")
        # Copies: a long run is of one state of the tree.
        shutil.copy(MODULE_BUILD / "connectbylist-host", self.work)
        for script in "scenarios.lua", "server.lua":
            shutil.copy(SCENARIOS / script, self.work)
        self.environment = dict(
            os.environ, LUA_CPATH=f"{self.work}/modules/?.so;;", LUA_PATH=f"{ROOT}/lua/?.lua;;")
        self.hosts = {
            "the host program": [str(self.work / "connectbylist-host")],
            "the module in lua5.4": ["lua5.4"],
        }
        self.names = {}
        host = self.hosts["the host program"]
        listing = subprocess.run(
            host + [str(self.work / "scenarios.lua"), "--names"], env=self.environment,
            capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            name, own = line.split("\t")
            self.names[name] = set(own.split())
        self.helpers = []
        self.start_server()

    def start_helper(self, command):
        """Starts a process that runs until its standard input ends; returns it and its first line of output."""
        process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.helpers.append(process)
        line = process.stdout.readline().strip()
        if not line:
            stop(f"{' '.join(command)} has ended")
        return process, line

    def start_server(self, *prefix):
        """Starts endpoints, which the scenarios use from now on."""
        server, self.environment["ENDPOINTS"] = self.start_helper(
            [*prefix, *self.hosts["the host program"], str(self.work / "server.lua")])
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.helpers:
            process.stdin.close()
            process.wait()
        shutil.rmtree(self.work)

    def compile(self, source, *flags):
        """Compiles a C file of this folder; returns the path of the program or library."""
        target = self.work / pathlib.Path(source).stem
        compiler = os.environ.get("CC") or shutil.which("cc") or "clang"
        subprocess.run([compiler, "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", *flags,
                        str(SCENARIOS / source), "-o", str(target)], check=True)
        return str(target)

    def run(self, host, name, prefix=(), environment=None, **options):
        """Runs a scenario on a host, below the program `prefix`."""
        command = [*prefix, *self.hosts[host], str(self.work / "scenarios.lua"), name]
        process = subprocess.Popen(
            command, env={**self.environment, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True, **options)
        try:
            out, err = process.communicate(timeout=HANGS_AFTER)
            completed = subprocess.CompletedProcess(command, process.returncode, out, err)
        except subprocess.TimeoutExpired:
            # The session of this process alone.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            completed = None
        return Result(completed)

    def run_many(self, jobs, judge):
        """Runs jobs, two at a time; `judge(job)` returns (result, faults). Prints each fault and how it went in all.
        Returns the number of faults."""
        began = time.monotonic()
        counts = {"ok": 0}
        faulty = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for job, (result, faults) in zip(jobs, pool.map(judge, jobs)):
                kind = "ok" if result.outcome == "ok" else "error"
                counts[kind] = counts.get(kind, 0) + 1
                if faults:
                    faulty += 1
                    print(f"FAULT: {job}: {', '.join(faults)}", flush=True)
        print(f"{len(jobs)} runs: {counts['ok']} went on, {counts.get('error', 0)} ended with an error, "
              f"{faulty} faults, in {time.monotonic() - began:.0f} s", flush=True)
        return faulty

    def judge_run(self, host, name, allowed, prefix=(), late_max=LATE_MAX, descriptors_max=0, **options):
        """Runs a scenario, again where it was late, and returns (result, faults)."""
        for _ in range(REPEATS + 1):
            result = self.run(host, name, prefix, **options)
            faults = result.faults(allowed | self.names[name], late_max, descriptors_max)
            if not any("late" in fault or fault == "HANGS" for fault in faults):
                break
        return result, faults
