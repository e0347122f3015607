/**
 * The scripts that shells load. They pass the words of the line to `wm completion words`, which prints a candidate and
 * its description on each line, so that a script fits every version of the verbs. Without candidates, a shell completes
 * names of files.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# bash completion for wm and worker-manager
_wm() {
  local line=\${COMP_LINE:0:COMP_POINT} words current value
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    # Bash completes only what follows the last "=".
    [[ $value == "$current"* ]] && COMPREPLY+=("\${value#"\${current%"\${current##*=}"}"}")
  done < <("\${words[0]}" completion words -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -o default -F _wm wm worker-manager
`;

const ZSH = `#compdef wm worker-manager
_wm() {
  local -a found
  local line value
  for line in "\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    value=\${line%%$'\\t'*}
    found+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then _describe wm found; else _files; fi
}
if [[ \${funcstack[1]} == _wm ]]; then _wm "$@"; else compdef _wm wm worker-manager; fi
`;

const FISH = `# fish completion for wm and worker-manager
function __wm_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] completion words -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
for name in wm worker-manager
  complete -c $name -f -a '(__wm_complete)'
end
`;

export const COMPLETION_SCRIPTS: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH };
/** How a shell loads its script now, and in each later session. */
export const INSTALL: Record<Shell, string> = {
  bash: '  $ source <(wm completion bash)\n  $ echo "source <(wm completion bash)" >> ~/.bashrc',
  zsh: '  $ source <(wm completion zsh)        # after compinit\n  $ wm completion zsh > ~/.zfunc/_wm  # a folder of fpath',
  fish: '  $ wm completion fish | source\n  $ wm completion fish > ~/.config/fish/completions/wm.fish',
};
