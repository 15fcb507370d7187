# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
set -gx PATH (string match --invert -- '*/libexec/safepip/active' $PATH)
if set -q CONDA_PREFIX; and test -e "$CONDA_PREFIX/libexec/safepip/active/pip"
    set -gx PATH "$CONDA_PREFIX/libexec/safepip/active" $PATH
end
