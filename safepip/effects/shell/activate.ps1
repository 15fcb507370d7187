# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
$Env:PATH = (($Env:PATH -split [IO.Path]::PathSeparator) -notlike '*/libexec/safepip/active') -join [IO.Path]::PathSeparator
if ($Env:CONDA_PREFIX -and (Test-Path -LiteralPath "$Env:CONDA_PREFIX/libexec/safepip/active/pip")) {
    $Env:PATH = "$Env:CONDA_PREFIX/libexec/safepip/active" + [IO.Path]::PathSeparator + $Env:PATH
}
