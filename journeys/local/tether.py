"""Become another program that dies with its parent. A script of its own, run with `-I -S`; nobody imports it.

    tether.py PARENT_PID DEATH_SIGNAL same|drop:UID:GID|map:UID:GID PROGRAM ARGUMENT...

It is a program and not a `preexec_fn` because the parent has threads, and Python code between fork and exec
can deadlock there. `drop` gives up root for UID; `map` enters a user namespace where this user is called UID:
that keeps its right to its own files. The death signal comes last: a change of credentials would clear it.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_CANNOT = 126


def main(parent: int, death_signal: int, run_as: str, program: list[str]) -> None:
    kind, *ids = run_as.split(":")
    if kind == "drop":
        uid, gid = map(int, ids)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    elif kind == "map":
        uid, gid = map(int, ids)
        _enter_namespace(uid, gid)
    _call("prctl", _PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the signal was asked for
        sys.exit(_CANNOT)
    os.execv(program[0], program)


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _call(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*map(ctypes.c_ulong, arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_CANNOT)
