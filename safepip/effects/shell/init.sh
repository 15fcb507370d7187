# safepip: `pip install` and `pip uninstall` go through safepip; everything else is the real pip.
unalias pip pip3 2>/dev/null || true
_safepip_shim() {
    /bin/sh -c '@SHIM@' "$@"
}
_safepip_pip() {
    _safepip_name=$1
    shift
    if [ -z "${SAFEPIP_INSIDE-}" ] && [ "${SAFEPIP_GUARD-}" != off ]; then
        for _safepip_word in "$@"; do
            case $_safepip_word in
                install | uninstall)
                    _safepip_shim "$_safepip_name" "$@"
                    return
                    ;;
            esac
        done
    fi
    command "$_safepip_name" "$@"
}
# By `eval`, so that an alias `pip` is gone before the shell reads the name.
if command -v uv >/dev/null 2>&1; then
    unalias uv 2>/dev/null || true
    eval 'uv() { _safepip_shim uv "$@"; }'
fi
eval 'pip() { _safepip_pip pip "$@"; }; pip3() { _safepip_pip pip3 "$@"; }'
