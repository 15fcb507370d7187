# safepip: `pip install` and `pip uninstall` go through safepip; everything else is the real pip.
Remove-Item -Path Alias:pip, Alias:pip3 -ErrorAction SilentlyContinue
function global:_safepip_pip([string] $Name, [object[]] $Words) {
    $wanted = ($Words -ccontains 'install') -or ($Words -ccontains 'uninstall')
    if ($wanted -and -not $Env:SAFEPIP_INSIDE -and $Env:SAFEPIP_GUARD -cne 'off') {
        & /bin/sh -c '@SHIM@' $Name @Words
        return
    }
    & (Get-Command -CommandType Application -Name $Name | Select-Object -First 1).Source @Words
}
function global:pip { _safepip_pip pip $args }
function global:pip3 { _safepip_pip pip3 $args }
Register-ArgumentCompleter -Native -CommandName safepip -ScriptBlock {
    param($word, $tree, $cursor)
    $words = @($tree.CommandElements | ForEach-Object { $_.Extent.Text })
    if ($word -eq '') { $words += '' }
    $Env:COMP_WORDS = $words -join ' '
    $Env:COMP_CWORD = $words.Count - 1
    $Env:PIP_AUTO_COMPLETE = 1
    try { (& safepip 2>$null) -split ' ' } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:PIP_AUTO_COMPLETE
    }
}
