# safepip: `pip install` and `pip uninstall` go through safepip; everything else is the real pip.
unalias pip pip3 2>/dev/null || true
_safepip_pip() {
    _safepip_name=$1
    shift
    if [ -z "${SAFEPIP_INSIDE-}" ] && [ "${SAFEPIP_GUARD-}" != off ]; then
        for _safepip_word in "$@"; do
            case $_safepip_word in
                install | uninstall)
                    if [ -x '@PROGRAM@' ]; then
                        '@SAFEPIP@' "$@"
                        return
                    elif command -v safepip >/dev/null 2>&1; then
                        command safepip "$@"
                        return
                    elif [ "${SAFEPIP_GUARD-}" = required ]; then
                        echo "safepip: error: safepip is gone, and SAFEPIP_GUARD=required: $_safepip_name was not run" >&2
                        return 16
                    fi
                    echo "safepip: warning: safepip is gone, so $_safepip_name runs WITHOUT the guard" >&2
                    break
                    ;;
            esac
        done
    fi
    command "$_safepip_name" "$@"
}
# By `eval`, so that an alias `pip` is gone before the shell reads the name.
eval 'pip() { _safepip_pip pip "$@"; }; pip3() { _safepip_pip pip3 "$@"; }'
