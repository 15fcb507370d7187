# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
$Env:PATH = (($Env:PATH -split [IO.Path]::PathSeparator) -notlike '*/libexec/safepip/active') -join [IO.Path]::PathSeparator
