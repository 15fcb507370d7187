_safepip_complete() {
    compadd -- $(COMP_WORDS="$words[*]" COMP_CWORD=$((CURRENT - 1)) PIP_AUTO_COMPLETE=1 \
        command safepip 2>/dev/null)
}
if (( $+functions[compdef] )); then compdef _safepip_complete safepip; fi
