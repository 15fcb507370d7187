# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
set -gx PATH (string match --invert -- '*/libexec/safepip/active' $PATH)
