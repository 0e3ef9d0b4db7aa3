"""What the shells load to complete our words: click's own scripts put a blank after `host:`, and cut at commas.

Rule: the shell asks `_SSHSCHED_COMPLETE=SHELL_complete sshsched`, in click's own protocol.
"""

from __future__ import annotations

BASH = r"""
_sshsched_completion() {
    local IFS=$'\n' response completion type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _SSHSCHED_COMPLETE=bash_complete "$1")
    COMPREPLY=()
    for completion in $response; do
        IFS=',' read -r type value <<<"$completion"
        case $type in
        dir) compopt -o dirnames ;;
        file) compopt -o default ;;
        plain)
            COMPREPLY+=("$value")
            case $value in *[:=]) compopt -o nospace 2>/dev/null ;; esac
            ;;
        esac
    done
}
complete -o nosort -F _sshsched_completion sshsched
"""

ZSH = r"""
#compdef sshsched
_sshsched_completion() {
    local -a response plain described open open_described
    local type key descr
    local -x COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) _SSHSCHED_COMPLETE=zsh_complete
    response=("${(@f)$(sshsched)}")
    for type key descr in ${response}; do
        case $type in
        dir) _path_files -/ ;;
        file) _path_files -f ;;
        plain)
            if [[ $descr == _ ]]; then
                [[ $key == *[:=] ]] && open+=("$key") || plain+=("$key")
            else
                [[ $key == *[:=] ]] && open_described+=("$key:$descr") || described+=("$key:$descr")
            fi
            ;;
        esac
    done
    [[ -n $open_described ]] && _describe -V terms open_described -U -S ''
    [[ -n $described ]] && _describe -V described described -U
    [[ -n $open ]] && compadd -U -V open -S '' -a open
    [[ -n $plain ]] && compadd -U -V plain -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _sshsched_completion "$@"
else
    compdef _sshsched_completion sshsched
fi
"""

FISH = r"""
function _sshsched_completion
    set -l words COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t)
    set -l response (env _SSHSCHED_COMPLETE=fish_complete $words sshsched)
    for completion in $response
        set -l parts (string split -m 1 "," -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command sshsched --arguments "(_sshsched_completion)"
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
