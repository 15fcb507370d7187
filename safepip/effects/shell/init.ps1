# safepip: `pip install` and `pip uninstall` go through safepip; everything else is the real pip.
# Aliases of a script, and no functions: it is to a program alone that PowerShell hands its input,
# wildcards and lists on as they were typed, and whose exit code counts for `$?`, `&&` and `||`.
& {
    $base = if ($Env:XDG_DATA_HOME) { $Env:XDG_DATA_HOME } else { "$HOME/.local/share" }
    $folder = "$base/safepip/powershell"
    $text = "#!/bin/sh`n" + '@SHIM@' + "`n"
    $names = @('pip', 'pip3')
    if (Get-Command -Name uv -CommandType Application -ErrorAction SilentlyContinue) {
        $names += 'uv'
    }
    try {
        [void] [IO.Directory]::CreateDirectory($folder)
        foreach ($name in @('.safepip-shims') + $names) {
            $file = "$folder/$name"
            if (-not [IO.File]::Exists($file) -or [IO.File]::ReadAllText($file) -cne $text) {
                $new = "$folder/.new-$PID"
                [IO.File]::WriteAllText($new, $text)
                & '/bin/chmod' '755' $new
                if ($LASTEXITCODE -ne 0) {
                    [IO.File]::Delete($new)
                    throw "chmod of '$new' ended with $LASTEXITCODE"
                }
                [IO.File]::Move($new, $file, $true)
            }
        }
        foreach ($name in $names) {
            Set-Alias -Name $name -Value "$folder/$name" -Scope Global -Force -ErrorAction Stop
        }
    } catch {
        Write-Warning "safepip: pip is NOT guarded in this shell: $_"
    }
}
Register-ArgumentCompleter -Native -CommandName safepip -ScriptBlock {
    param($word, $tree, $cursor)
    $words = @($tree.CommandElements | ForEach-Object { $_.Extent.Text })
    if ($word -eq '') { $words += '' }
    $Env:COMP_WORDS = $words -join ' '
    $Env:COMP_CWORD = $words.Count - 1
    $Env:PIP_AUTO_COMPLETE = 1
    try { (& safepip 2>$null) -split ' ' } finally {
        Remove-Item -Path 'Env:COMP_WORDS', 'Env:COMP_CWORD', 'Env:PIP_AUTO_COMPLETE'
    }
}
