_safepip_complete() {
    # shellcheck disable=SC2207 # what pip completes has no spaces
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD PIP_AUTO_COMPLETE=1 \
        command safepip 2>/dev/null || true))
}
complete -o default -F _safepip_complete safepip
