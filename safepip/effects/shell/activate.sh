# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
# Sourced by bash, zsh, dash and the like, also under `set -eu`: it puts the shims first on PATH.
# PATH is gone through afresh each time, since conda throws away what a script of an environment
# that is left behind did to it. Only what activation put there goes: it has a folder of its own.
_safepip_rest=${PATH-}:
_safepip_path=
while [ -n "$_safepip_rest" ]; do
    _safepip_folder=${_safepip_rest%%:*}
    _safepip_rest=${_safepip_rest#*:}
    case $_safepip_folder in
        */libexec/safepip/active) ;;
        *) _safepip_path=$_safepip_path:$_safepip_folder ;;
    esac
done
PATH=${_safepip_path#:}
if [ -n "${CONDA_PREFIX-}" ] && [ -e "$CONDA_PREFIX/libexec/safepip/active/pip" ]; then
    PATH=$CONDA_PREFIX/libexec/safepip/active:$PATH
fi
export PATH
unset _safepip_rest _safepip_path _safepip_folder
