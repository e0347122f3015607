#!/bin/sh
# Stands over one body and outlives the manager: it fences a double start, puts the body under its limits, and
# leaves the exit status where the next manager finds it. Its working directory is the manager's directory of the body,
# so it keeps to the right one even when that is renamed; the body works in WORKSPACE_PATH, apart from it.
#
#   shim.sh BODY_ID WORKER_ID DATA_LIMIT_KB|- OPEN_FILES|- CGROUP... -- PROGRAM ARGUMENT...
#
# Everything is in functions: a shell reads its script while it runs, and the file may be replaced meanwhile.

fail() {
  echo "$2" >error
  exit "$1"
}

# pid, start time and boot: together they name a process for good, which a pid alone does not.
write_pid() {
  boot=''
  if read -r stat 2>/dev/null </proc/$$/stat; then
    read -r boot </proc/sys/kernel/random/boot_id
    # The name in parentheses may hold anything; field 22 is the 20th after it.
    pick_start ${stat##*) }
  else
    start=$(LC_ALL=C ps -o lstart= -p $$)
  fi
  printf '%s\n%s\n%s\n' "$$" "$start" "$boot" >pid.new && mv pid.new pid
  hint
}

# Only a regular file or none: opening a pipe that was put there would block.
hint() {
  hint=../.hints/$worker
  [ ! -L "$hint" ] || return
  if [ -f "$hint" ] || [ ! -e "$hint" ]; then : >"$hint"; fi
}

pick_start() {
  shift 19
  start=$1
}

run_body() {
  trap - HUP INT TERM
  for cgroup in $cgroups; do
    echo 0 >"$cgroup/cgroup.procs" || fail 126 "could not join the cgroup $cgroup"
  done
  if [ "$data_kb" != - ]; then
    ulimit -d "$data_kb" || fail 126 "could not set the memory limit of $data_kb KiB (ulimit -d)"
  fi
  # Only ever lowered: a lower limit stays.
  [ "$files" = - ] || ulimit -n "$files" 2>/dev/null || :
  command -v "$1" >/dev/null 2>&1 || missing="there is no program $1"
  write_pid
  [ -z "$missing" ] || fail 127 "$missing"
  cd "$WORKSPACE_PATH" || fail 126 'could not enter the workspace'
  exec 2>&3 3>&-
  # Words of ours without spaces, that make the program another user's.
  become=$SHIM_BECOME
  unset SHIM_BECOME
  exec $become "$@"
}

main() {
  id=$1 worker=$2 data_kb=$3 files=$4 cgroups='' missing=''
  shift 4
  # mv and mkdir are needed even where the body was given a PATH of its own.
  PATH=$PATH:/usr/bin:/bin
  [ -f "id.$id" ] || exit 98
  mkdir started 2>/dev/null || exit 99
  # SIGTERM is for the body, which ends by it, and the shim records how.
  trap '' HUP INT TERM
  while [ "$1" != -- ]; do
    cgroups="$cgroups $1"
    shift
  done
  shift
  # The shell's own remarks ("Terminated") are not the body's words.
  exec 3>&2 2>/dev/null
  (run_body "$@")
  code=$?
  # What the wrapper placed for its agent must not stay after it.
  secrets=${SECRETS_PIPE%/*}/secrets
  if [ -e "$secrets" ] || [ -e "$SECRETS_PIPE" ]; then rm -rf "$secrets" "$SECRETS_PIPE"; fi
  [ ! -e exit.new ] || rm -rf exit.new
  echo "$code" >exit.new && mv exit.new exit
  hint
  # What is left of the group ends with its body, as in a container; that includes the shim.
  kill -KILL 0
}

main "$@"
exit
