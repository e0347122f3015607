#!/bin/bash
# lock.sh [FILE…]: the last step of an image whose agent may execute a list of commands only. Run as root.
#
# Every program gets a group `cmd-<name>` and the mode 0750: who is not in the group can neither execute nor read it, by
# whatever way. An agent is given the groups of its commands when it is started. Left alone are the base set below, the
# FILEs (the agent's own program, big as it is) and what has its group already (node).
#
# - A program is what has an execute bit and lies in a directory of the PATH, or is what a link there leads to, or is a
#   binary anywhere. Scripts elsewhere are data to their interpreter, which has to be allowed.
# - A script of the PATH whose interpreter is locked gets the group of that: to allow the one is to allow the other.
# - What git executes for itself gets git's group.
# - Shared libraries lose their execute bits, except for the loader, without which nothing starts.
# - No file keeps setuid or setgid. File capabilities stay: `no_new_privs` takes the agent's share of them.
set -euo pipefail
export LC_ALL=C

# What Claude Code and Droid do not work without: a shell, looking at files, and what their own supervision starts.
BASE='bash cat dash env find grep head id ls mkdir ps rg sed sleep tail wc'
PLACES=(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /usr/games)
FIRST_GID=20001

declare -A kept linked group_of gid_of
name_of() { local name=${1##*/}; printf -v REPLY 'cmd-%s' "${name//[!A-Za-z0-9._+-]/_}"; }

for name in $BASE; do
  file=$(readlink -f "$(type -P "$name" || true)") && kept[$file]=1
done
[ ${#kept[@]} -gt 10 ] || { echo 'lock.sh: this image lacks most of the programs that no agent works without.' >&2; exit 1; }
for file in "$@" /lib/ld-linux*.so.* /lib64/ld-linux*.so.*; do
  [ -e "$file" ] && kept[$(readlink -f "$file")]=1
done
while IFS= read -r file; do linked[$file]=1; done < <(
  find "${PLACES[@]}" -maxdepth 1 -type l -exec readlink -f {} + 2>/dev/null || true
)
while IFS=: read -r name _ gid _; do
  [[ $name == cmd-* ]] || continue
  gid_of[$name]=$gid
  (( gid >= FIRST_GID )) && FIRST_GID=$((gid + 1))
done < /etc/group

# The files that are programs, each with the group that it will have.
interpreter_of() { # of a script whose first line is $1; answers in REPLY
  local words word
  read -ra words <<< "${1#\#!}"
  word=${words[0]:-}
  if [[ $word == */env ]]; then
    for word in "${words[@]:1}"; do [[ $word == -* || $word == *=* ]] || break; done
  fi
  REPLY=$(readlink -f "$(type -P "$word" || true)" || true)
}

programs=() libraries=()
declare -A group_of_inode
while IFS=$'\t' read -r inode group mode file; do
  [[ ${kept[$file]:-} || $file == /worker/* ]] && continue
  if [[ $file == *.so || $file == *.so.* ]]; then libraries+=("$file"); continue; fi
  if [[ $group == cmd-* && $mode == 750 ]]; then group_of[$file]=$group; continue; fi
  line=
  IFS= read -r -n 256 line < "$file" 2>/dev/null || true
  if [[ $line != $'\x7fELF'* ]]; then
    case ${file%/*} in
      /usr/local/sbin | /usr/local/bin | /usr/sbin | /usr/bin | /usr/games | /usr/lib/git-core) ;;
      *) [[ ${linked[$file]:-} ]] || continue ;;
    esac
  fi
  if [[ $file == /usr/lib/git-core/* ]]; then
    REPLY=cmd-git
  elif [[ $line == '#!'* ]] && interpreter_of "$line" && [[ $REPLY && ! ${kept[$REPLY]:-} ]]; then
    REPLY="=$REPLY" # the group of that file, when all are known
  else
    name_of "$file"
  fi
  # Two names of one file are one program.
  group_of[$file]=${group_of_inode[$inode]:=$REPLY}
  programs+=("$file")
done < <(find / -xdev -type f -perm /0111 -printf '%D:%i\t%g\t%m\t%p\n' 2>/dev/null | sort -t $'\t' -k 4)

for file in "${programs[@]}"; do
  for _ in 1 2 3 4; do
    [[ ${group_of[$file]} == =* ]] || break
    of=${group_of[$file]#=}
    name_of "$file"
    group_of[$file]=${group_of[$of]:-$REPLY}
  done
  [[ ${group_of[$file]} == =* ]] && name_of "$file" && group_of[$file]=$REPLY
done

# Groups, numbered by name; then owners and modes. Changing the group clears capabilities, so they are set again.
next=$FIRST_GID
while IFS= read -r name; do
  [[ ${gid_of[$name]:-} ]] && continue
  gid_of[$name]=$next
  echo "$name:x:$next:"
  next=$((next + 1))
done < <(for file in "${programs[@]}"; do echo "${group_of[$file]}"; done | sort -u) >> /etc/group

declare -A files_of
capable=$(type -P getcap >/dev/null && getcap -r / 2>/dev/null || true)
for file in "${programs[@]}"; do files_of[${group_of[$file]}]+="$file"$'\n'; done
for name in "${!files_of[@]}"; do
  mapfile -t files <<< "${files_of[$name]%$'\n'}"
  chown "0:${gid_of[$name]}" -- "${files[@]}"
done
# Python packages may hold programs without an execute bit, which the loader would run: they are for who may run Python.
python=$(readlink -f "$(type -P python3 || true)" || true)
if [[ ${group_of[$python]:-} ]]; then
  for folder in /usr/local/lib/python3*; do
    [ ! -d "$folder" ] || { chgrp "${gid_of[${group_of[$python]}]}" -- "$folder" && chmod 0750 -- "$folder"; }
  done
fi
find / -xdev -type f -perm /6000 -exec chmod ug-s -- {} +
printf '%s\0' "${programs[@]}" | xargs -0 chmod 0750 --
[ ${#libraries[@]} = 0 ] || printf '%s\0' "${libraries[@]}" | xargs -0 chmod a-x --
while read -r file capabilities; do
  [ -z "$file" ] || setcap "$capabilities" "$file"
done <<< "$capable"

echo "Locked ${#programs[@]} programs into ${#files_of[@]} groups."
